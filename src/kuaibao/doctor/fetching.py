"""What one batch costs where it is made: items, decoding, reading, collating; in any process.

A meter sits in each process that fetches (the main one without workers, else every worker) and
writes one fixed-size record a batch into a file of its own. A record is written by one `write`
call, so the main process may count and read them at any time.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any

from kuaibao.doctor.processes import bytes_asked_for, run_delay_s

__all__ = ["FIELDS", "METER", "FetchMeter", "install_fetch_hooks", "read_records"]

FIELDS = (
    "pid",
    "worker",
    "start",
    "end",
    "items_wall",
    "items_cpu",
    "collate_wall",
    "collate_cpu",
    "decode_wall",
    "decode_cpu",
    "read_wall",
    "read_cpu",
    "run_delay",
    "faults_items",
    "faults_collate",
    "major_faults",
    "blocks_read",
    "process_cpu",
    "samples",
    "system_cpu",
    "slept_transform",
    "slept_decode",
    "bytes_read",
    "delay_before",
)
"""Seconds on the monotonic clock, which all processes share; `run_delay` is -1 when not read.
`delay_before` is what this thread waited for a core from its birth to this fetch."""

_RECORD = struct.Struct(f"{len(FIELDS)}d")
_THREAD = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class FetchMeter:
    """Accounts of the batch that is being fetched in this process."""

    def __init__(self) -> None:
        self.spool: Path | None = None
        self.sink: Callable[[tuple[float, ...]], None] | None = None
        """In the main process: where records go instead of a file."""
        self.active = False
        self.muted = False
        self.only_counts = False
        """Nothing is timed: a worker's record says no more than that a batch was made."""
        self._thread = 0
        self._nested = False
        self._file = -1
        self._file_pid = 0
        self._last_wall = 1.0
        self._count = 0
        self._parts = {"decode": [0.0, 0.0], "read": [0.0, 0.0]}

    def begin(self) -> None:
        """A fetch starts in this thread."""
        self.active, self._nested = not self.muted, False
        if not self.active:
            return
        self._thread = threading.get_ident()
        self._parts = {"decode": [0.0, 0.0], "read": [0.0, 0.0]}
        self._slept = {"transform": 0.0, "decode": 0.0}
        self._collate = (0.0, 0.0, 0.0)
        self._count += 1
        # Reading the scheduler's file costs more than a tiny batch: then only now and again.
        self._read_delay = self._last_wall > 2e-3 or self._count % 16 == 1
        self._delay = run_delay_s() if self._read_delay else 0.0
        self._bytes = bytes_asked_for() if self._read_delay else 0
        self._usage = resource.getrusage(_THREAD)
        self._start, self._cpu = perf_counter(), thread_time()

    def end(self, n_samples: int, worker: int) -> None:
        """The fetch is done: write its record."""
        if not self.active:
            return
        self.active = False
        end, cpu = perf_counter(), thread_time()
        usage = resource.getrusage(_THREAD)
        delay = run_delay_s() - self._delay if self._read_delay else -1.0
        n_bytes = bytes_asked_for() - self._bytes if self._read_delay else -1
        collate_wall, collate_cpu, collate_faults = self._collate
        self._last_wall = end - self._start
        decode, read = self._parts["decode"], self._parts["read"]
        record = (
            float(os.getpid()),
            float(worker),
            self._start,
            end,
            end - self._start - collate_wall,
            cpu - self._cpu - collate_cpu,
            collate_wall,
            collate_cpu,
            decode[0],
            decode[1],
            read[0],
            read[1],
            delay,
            usage.ru_minflt - self._usage.ru_minflt - collate_faults,
            collate_faults,
            float(usage.ru_majflt - self._usage.ru_majflt),
            float(usage.ru_inblock - self._usage.ru_inblock),
            process_time(),
            float(n_samples),
            usage.ru_stime - self._usage.ru_stime,
            self._slept["transform"],
            self._slept["decode"],
            float(n_bytes),
            self._delay if self._read_delay else -1.0,
        )
        if self.sink is not None and worker < 0:
            self.sink(record)
        elif self.spool is not None:
            self._write(record)

    def count(self) -> None:
        """A worker has made a batch."""
        if self.spool is not None:
            self._write((0.0,) * len(FIELDS))

    def _write(self, record: tuple[float, ...]) -> None:
        pid = os.getpid()
        try:
            if pid != self._file_pid:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self.spool / f"worker-{pid}.records", flags, 0o600)  # type: ignore[operator]
                self._file_pid = pid
            os.write(self._file, _RECORD.pack(*record))
        except OSError:
            self.spool = None  # the doctor has left: the script goes on alone

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, charged to `part` ("decode" or "read") while a fetch runs in this thread."""

        def measured(*args: Any, **kwargs: Any) -> Any:
            if not self.active or self._nested or threading.get_ident() != self._thread:
                return function(*args, **kwargs)
            self._nested = True
            wall, cpu = perf_counter(), thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                account = self._parts[part]
                account[0] += perf_counter() - wall
                account[1] += thread_time() - cpu
                self._nested = False

        measured.__name__ = getattr(function, "__name__", part)
        measured.__doc__ = getattr(function, "__doc__", None)
        measured.__wrapped__ = function  # type: ignore[attr-defined]
        return measured

    def sleeping(self, sleep: Callable[[float], None]) -> Callable[[float], None]:
        """`time.sleep`, charged to what its caller's name says it stands for (else to the disk)."""

        def measured(seconds: float) -> None:
            start = perf_counter()
            sleep(seconds)
            if self.active and threading.get_ident() == self._thread:
                part = _waiting_for()
                if part in self._slept:
                    self._slept[part] += perf_counter() - start

        return measured

    def collating(self, collate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`collate`, measured."""
        return _TimedCollate(self, collate)

    def collate_done(self, wall: float, cpu: float, faults: float) -> None:
        """The collate function of this fetch has returned."""
        self._collate = (wall, cpu, faults)


_WAITS = (
    (
        "transform",
        ("transform", "augment", "normal", "resize", "token", "crop", "rotate", "preproc"),
    ),
    ("decode", ("decod", "decompress", "unpack", "parse")),
    (
        "disk",
        ("disk", "read", "load", "fetch", "open", "file", "storage", "nfs", "share", "remote"),
    ),
)


def _waiting_for() -> str:
    """What a sleeping function says it does: names of functions and classes, then its line.

    A sleep uses no core and reads nothing, so only its author's words tell a slow service that
    transforms from a slow device; where they don't, it counts as waiting for a device.
    """
    frame = sys._getframe(2)
    first = frame
    for _ in range(6):
        owner = frame.f_locals.get("self")
        name = f"{frame.f_code.co_name} {type(owner).__name__ if owner is not None else ''}".lower()
        for kind, words in _WAITS:
            if any(word in name for word in words):
                return kind
        if frame.f_code.co_name in ("__getitem__", "__next__", "__iter__", "fetch"):
            break
        if frame.f_back is None:
            break
        frame = frame.f_back
    import linecache

    line = linecache.getline(first.f_code.co_filename, first.f_lineno).lower()
    return next((kind for kind, words in _WAITS if any(word in line for word in words)), "disk")


class _TimedCollate:
    """A collate function with a stop-watch; other attributes are the original's."""

    def __init__(self, meter: FetchMeter, collate: Callable[[Any], Any]) -> None:
        self.meter = meter
        self.original = collate

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["original"], name)

    def __call__(self, samples: Any) -> Any:
        if not self.meter.active:
            return self.original(samples)
        faults = resource.getrusage(_THREAD).ru_minflt
        wall, cpu = perf_counter(), thread_time()
        batch = self.original(samples)
        wall, cpu = perf_counter() - wall, thread_time() - cpu
        self.meter.collate_done(wall, cpu, resource.getrusage(_THREAD).ru_minflt - faults)
        return batch


METER = FetchMeter()


def install_fetch_hooks(meter: FetchMeter = METER) -> None:
    """Put the meter around the two fetchers of `torch.utils.data`."""
    from torch.utils.data._utils import fetch as fetchers
    from torch.utils.data._utils import worker as workers

    base: Any = fetchers._BaseDatasetFetcher
    if getattr(base, "_kuaibao", False):
        return
    base._kuaibao = True
    original_init = base.__init__

    def init(self: Any, dataset: Any, auto: Any, collate_fn: Any, drop_last: Any) -> None:
        original_init(self, dataset, auto, meter.collating(collate_fn), drop_last)

    base.__init__ = init
    for kind in (fetchers._MapDatasetFetcher, fetchers._IterableDatasetFetcher):
        kind.fetch = _measured_fetch(meter, kind.fetch, workers)  # type: ignore[method-assign]


def _measured_fetch(
    meter: FetchMeter, fetch: Callable[..., Any], workers: Any
) -> Callable[..., Any]:
    def measured(self: Any, index: Any) -> Any:
        if meter.muted:
            meter.active = False
            return fetch(self, index)
        info = workers._worker_info
        if meter.only_counts:
            batch = fetch(self, index)
            if info is not None:
                meter.count()
            return batch
        meter.begin()
        try:
            return fetch(self, index)
        finally:
            failed = sys.exc_info()[0] is not None
            n_samples = len(index) if isinstance(index, list | tuple) else 1
            if failed:
                meter.active = False
            else:
                meter.end(n_samples, info.id if info is not None else -1)

    return measured


def read_records(spool: Path) -> dict[int, list[dict[str, float]]]:
    """All records written so far, by process."""
    found: dict[int, list[dict[str, float]]] = {}
    for path in sorted(spool.glob("worker-*.records")):
        data = path.read_bytes()
        whole = len(data) - len(data) % _RECORD.size
        rows: list[dict[str, float]] = [
            dict(zip(FIELDS, row, strict=True)) for row in _RECORD.iter_unpack(data[:whole])
        ]
        if rows:
            found[int(rows[0]["pid"])] = rows
    return found


def count_records(spool: Path) -> int:
    """How many batches all workers have made."""
    return sum(path.stat().st_size // _RECORD.size for path in spool.glob("worker-*.records"))
