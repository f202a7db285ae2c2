"""Readings of processes and of the machine from /proc: CPU seconds, waiting, memory, free cores."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = [
    "CoresProbe",
    "busy_shares",
    "bytes_asked_for",
    "core_seconds",
    "cpu_seconds",
    "delay_of",
    "disk_bytes",
    "environment",
    "free_memory_bytes",
    "n_open_files",
    "open_files_limit",
    "probe_cores",
    "proportional_bytes",
    "resident_bytes",
    "run_delay_s",
    "shared_memory_bytes",
]


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class _Reading:
    """A file of /proc that stays open between two readings by one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._owner = (0, 0)
        self._handle = -1

    def read(self) -> bytes:
        me = os.getpid(), threading.get_ident()
        if me != self._owner:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            if self._handle >= 0 and self._owner[0] == me[0]:
                os.close(self._handle)
            self._owner, self._handle = me, handle
        return os.pread(self._handle, 128, 0)


_schedstat = _Reading("/proc/thread-self/schedstat")
_io = _Reading("/proc/thread-self/io")


def run_delay_s() -> float:
    """Seconds this thread was ready to run but had no core (`/proc/thread-self/schedstat`)."""
    return _delay_in(_schedstat)


def delay_of(task: int) -> Callable[[], float]:
    """A reading of the seconds that a thread of this process, by its native id, had no core."""
    reading = _Reading(f"/proc/self/task/{task}/schedstat")
    return lambda: _delay_in(reading)


def _delay_in(reading: _Reading) -> float:
    try:
        return int(reading.read().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def bytes_asked_for() -> int:
    """Bytes that this thread's read calls have returned, from a disk or from the page cache."""
    try:
        return int(_io.read().split(b"\n", 1)[0].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def cpu_seconds(pid: int) -> float:
    """User and system CPU seconds of one process, 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0.0


def resident_bytes() -> int:
    """Private resident memory of this process; cheap enough to read at each step.

    Batches that workers put into shared memory are not counted: they come and go.
    """
    try:
        handle = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        _, resident, shared, *_ = os.read(handle, 96).split()
        return (int(resident) - int(shared)) * _PAGE
    except (OSError, ValueError):
        return 0
    finally:
        os.close(handle)


def proportional_bytes(pid: int) -> int:
    """Proportional set size of a process: shared pages are counted once over all their users."""
    return _field(f"/proc/{pid}/smaps_rollup", "Pss:") * 1024


def disk_bytes(pid: int) -> int:
    """Bytes that a process really fetched from a disk, not from the page cache."""
    return _field(f"/proc/{pid}/io", "read_bytes:")


def free_memory_bytes() -> int:
    """Memory that can still be had without swapping, within the control group's limit."""
    free = _field("/proc/meminfo", "MemAvailable:") * 1024
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        return max(0, min(free, limit - used))
    except (OSError, ValueError):
        return free


def n_open_files() -> int:
    """Open files of this process; each tensor of a batch that came from a worker holds one."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def open_files_limit() -> int:
    """How many files this process may hold open (`ulimit -n`); 0 when there is no limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 0 if soft == resource.RLIM_INFINITY else soft


def core_seconds() -> dict[str, tuple[float, float]]:
    """Busy and all seconds of each core since the machine started (`/proc/stat`)."""
    found: dict[str, tuple[float, float]] = {}
    tick = os.sysconf("SC_CLK_TCK")
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            values = [int(field) / tick for field in fields[:8]]
            found[name] = sum(values) - values[3] - values[4], sum(values)
    return found


def busy_shares(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]
) -> dict[str, float]:
    """Share of the time between two readings of `core_seconds` that each core was busy."""
    return {
        name: round((busy - before[name][0]) / max(1e-9, total - before[name][1]), 3)
        for name, (busy, total) in after.items()
        if name in before
    }


def shared_memory_bytes() -> int:
    """Free bytes of /dev/shm, where workers put their batches."""
    try:
        status = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def probe_cores(seconds: float = 0.4) -> float:
    """How many cores this process can really have now: CPU seconds got per second.

    One thread for each core that the system names hashes a buffer outside Python's lock. A count
    of cores says nothing on a machine that is shared.
    """
    n_thread = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    stop = time.perf_counter() + seconds
    buffer = bytes(1 << 18)

    def burn() -> None:
        while time.perf_counter() < stop:
            hashlib.sha256(buffer).digest()

    threads = [threading.Thread(target=burn, daemon=True) for _ in range(n_thread or 1)]
    wall, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(0.05, (time.process_time() - cpu) / (time.perf_counter() - wall))


class CoresProbe:
    """The cores that can be had, probed again now and then: neighbours come and go.

    Args:
        first: What was found before the script began.
    """

    def __init__(self, first: float) -> None:
        self._found = [first]
        self._next_s = _PROBE_EVERY_S

    @property
    def cores(self) -> float:
        """The median of all that was found."""
        return statistics.median(self._found)

    def look(self, elapsed_s: float) -> None:
        """Probe again when it is time; nothing of the script's may run meanwhile."""
        if elapsed_s >= self._next_s:
            self._found.append(probe_cores(_PROBE_S))
            self._next_s = elapsed_s + _PROBE_EVERY_S


_PROBE_S, _PROBE_EVERY_S = 0.1, 1.5


def environment() -> dict[str, Any]:
    """What the figures were measured on; no host name, no user, no path."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores_named": affinity or os.cpu_count() or 1,
        "load": round(load, 2),
        "memory_bytes": _field("/proc/meminfo", "MemTotal:") * 1024,
        "memory_free_bytes": free_memory_bytes(),
        "shared_memory_free_bytes": shared_memory_bytes(),
        "threads_setting": {
            name: os.environ[name]
            for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
            if name in os.environ
        },
    }


def _field(path: str, name: str) -> int:
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1])
    except (OSError, IndexError, ValueError):
        pass
    return 0
