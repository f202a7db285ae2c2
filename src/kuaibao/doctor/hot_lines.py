"""Lines of the user's own code on which the loop's thread is found, forty times a second."""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["LineSampler"]

_PERIOD_S = 0.025


class LineSampler:
    """A small sampling profiler of one thread: costs a thousandth of its time."""

    def __init__(self, region: Callable[[], str]) -> None:
        self.region = region
        self.counts: Counter[tuple[str, str, int, str]] = Counter()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        paths = sysconfig.get_paths()
        self._foreign = tuple(
            {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
        )
        self._own = str(__file__).rsplit("hot_lines", 1)[0]

    def start(self, thread_id: int) -> None:
        """Begin to look at the thread with this id."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._watch, args=(thread_id,), daemon=True, name="kuaibao-doctor"
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    def _watch(self, thread_id: int) -> None:
        while not self._stop.wait(_PERIOD_S):
            frame = sys._current_frames().get(thread_id)
            region = self.region()
            place = self._own_line(frame)
            if place is not None:
                self.counts[(region, *place)] += 1

    def _own_line(self, frame: FrameType | None) -> tuple[str, int, str] | None:
        while frame is not None:
            name = frame.f_code.co_filename
            is_own = not name.startswith((*self._foreign, self._own, "<"))
            if is_own or name in ("<string>", "<stdin>"):
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
