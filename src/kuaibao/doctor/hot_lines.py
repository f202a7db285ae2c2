"""Lines of the user's own code on which the loop's thread is found, some times a second."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from types import FrameType
from typing import Any

from kuaibao.doctor.functions import is_own_file
from kuaibao.doctor.processes import delay_of

__all__ = ["LineSampler"]

_PERIOD_S = 0.05
_LATER_S = 0.2
_SOON_S = 10.0
"""After so many seconds it looks more rarely: a look takes a quarter of a millisecond, most of it
to have the interpreter from the loop and to give it back."""


class LineSampler:
    """A small sampling profiler of one thread: costs a thousandth of its time."""

    def __init__(self, region: Callable[[], str]) -> None:
        self.region = region
        self.counts: Counter[tuple[str, str, int, str]] = Counter()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.seconds: dict[str, float] = {}
        """Seconds in which the user's own code was found running, by region; those in which the
        thread had no core are left out."""
        self._thread_id = 0
        self._task = 0

    def start(self, thread_id: int) -> None:
        """Begin to look at the thread with this id, which is the caller's own."""
        self._thread_id = thread_id
        self._task = threading.get_native_id()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="kuaibao-doctor")
            self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    def _watch(self) -> None:
        delay_s = delay_of(self._task)
        before, delay_before = perf_counter(), delay_s()
        began = before
        while not self._stop.wait(_PERIOD_S if before - began < _SOON_S else _LATER_S):
            frame = sys._current_frames().get(self._thread_id)
            region = self.region()
            place = self._own_line(frame)
            now, delay = perf_counter(), delay_s()
            if place is not None:
                self.counts[(region, *place)] += 1
                running = max(0.0, now - before - (delay - delay_before))
                self.seconds[region] = self.seconds.get(region, 0.0) + running
            before, delay_before = now, delay

    def _own_line(self, frame: FrameType | None) -> tuple[str, int, str] | None:
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith("<frozen importlib"):
                return None  # a package is being imported: not the user's own work
            if is_own_file(name):
                return name, frame.f_lineno, frame.f_code.co_name
            frame = frame.f_back
        return None

    def lines(self, most: int = 40) -> list[dict[str, Any]]:
        """The lines found most often, with the share of all samples."""
        total = sum(self.counts.values()) or 1
        rows: list[dict[str, Any]] = []
        for (region, file, line, function), n in self.counts.most_common(most):
            rows.append(
                {
                    "region": region,
                    "file": file,
                    "line": line,
                    "function": function,
                    "share": round(n / total, 4),
                }
            )
        return rows
