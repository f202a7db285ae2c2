"""The user's own functions within one looked-at step, with what each stands for.

A loss, an own optimiser or a wait is often a plain function between torch calls: its time would
count as the loop's Python. While a step is looked at, a profile hook notes each call of a function
from the user's own files; those in which no model runs are kept, the outermost of each nest.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from dataclasses import dataclass
from time import perf_counter
from types import CodeType, FrameType
from typing import Any

from kuaibao.doctor.timeline import REGIONS, Timeline

__all__ = ["FunctionLog", "FunctionSpan", "is_own_file", "meaning_of"]

_MEANINGS = (
    ("loss", re.compile(r"loss|criterion|penalty|dice|focal|divergence|entropy", re.I)),
    ("optimizer", re.compile(r"optim|sgd|adam|update_(param|weight|model)|apply_grad|clip_grad|"
                             r"(^|[._])step$", re.I)),
    ("host_to_device", re.compile(r"to_(device|gpu|cuda)|h2d|host2device|host_to|move_(to|batch)|"
                                  r"upload", re.I)),
    ("synchronization", re.compile(r"sync|barrier|print|(^|[._])log", re.I)),
)  # fmt: skip
_PYTHON, _BETWEEN = REGIONS.index("python"), REGIONS.index("between")


def meaning_of(name: str) -> str:
    """The class of work that a function's qualified name speaks of, or ""."""
    return next((kind for kind, pattern in _MEANINGS if pattern.search(name)), "")


def _roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    here = str(__file__).rsplit("functions", 1)[0]
    return (*{paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}, here)


_FOREIGN = _roots()


def is_own_file(name: str) -> bool:
    """Whether code of this file name is the user's, not a package's or the doctor's."""
    return not name.startswith((*_FOREIGN, "<")) or name in ("<string>", "<stdin>")


@dataclass(frozen=True)
class FunctionSpan:
    """One call of one of the user's functions in which no model ran."""

    name: str
    start: float
    end: float
    python_s: float
    """Seconds charged to the loop's own time after backward or before forward."""
    between_s: float
    """The same between forward and backward."""
    gives_gradient: bool
    """It returned a tensor that is part of a gradient graph, or is an autograd function."""


class FunctionLog:
    """Profile hook of the loop's thread; on between `open` and `close`."""

    def __init__(self, timeline: Timeline, events: Any) -> None:
        self.timeline = timeline
        self.events = events
        """Gives how many model calls, backward passes and optimiser steps there were."""
        self.spans: list[FunctionSpan] = []
        self._stack: list[tuple[FrameType, float, float, float, int]] = []
        self._own: dict[CodeType, bool] = {}

    def open(self) -> None:
        """Start to listen."""
        if sys.getprofile() is None:
            sys.setprofile(self._event)

    def close(self) -> None:
        """Stop listening."""
        if sys.getprofile() == self._event:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            own = self._own.get(code)
            if own is None:
                own = self._own[code] = is_own_file(code.co_filename)
            if own:
                self.timeline.charge()
                wall = self.timeline.wall
                self._stack.append(
                    (frame, perf_counter(), wall[_PYTHON], wall[_BETWEEN], self.events())
                )
        elif event == "return" and self._stack and self._stack[-1][0] is frame:
            self._returned(frame, argument)

    def _returned(self, frame: FrameType, value: Any) -> None:
        _, start, python, between, events = self._stack.pop()
        if self.events() != events:
            return
        self.timeline.charge()
        while self.spans and self.spans[-1].start >= start:
            self.spans.pop()
        code = frame.f_code
        is_autograd = code.co_name == "forward" and code.co_varnames[:1] == ("ctx",)
        self.spans.append(
            FunctionSpan(
                getattr(code, "co_qualname", code.co_name),
                start,
                perf_counter(),
                self.timeline.wall[_PYTHON] - python,
                self.timeline.wall[_BETWEEN] - between,
                is_autograd or bool(getattr(value, "requires_grad", False)),
            )
        )
