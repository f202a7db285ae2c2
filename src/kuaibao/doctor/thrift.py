"""Only some steps are watched in a run that is not ablated, so that watching stays cheap.

After the first steps a few are watched and then more are left alone, with every hook but the
loader's taken out. How many depends on what a watched step costs, which is measured as they go by:
a tenth of a millisecond or two, whatever the loop does.
"""

from __future__ import annotations

import math
from collections import deque
from time import perf_counter

from kuaibao.doctor.fetching import FetchMeter
from kuaibao.doctor.statistics import middle
from kuaibao.doctor.timeline import Timeline

__all__ = ["Thrift"]

_MOST = 0.007
"""Share of the loop's time that watching may take by its own count, which misses some of it."""
_FIRST = 48
"""Steps that are watched in any case."""
_BLOCK = 8
"""Steps that are watched in a row: a loop that does something each fourth step shows it."""
_TURN_S = 2.5e-3
"""Taking the hooks out and putting them in again: Python forgets what it had learnt of the
classes, and some thirty steps after are slow."""
_LEAST, _LONGEST = 8, 400
"""Of so many steps one is watched."""


class Thrift:
    """Decides how many steps are left alone."""

    def __init__(self) -> None:
        self.every = 1
        """Of so many steps one is watched."""
        self._n_watched = 0
        self._costs: deque[float] = deque(maxlen=3 * _BLOCK)
        self._steps: deque[float] = deque(maxlen=3 * _BLOCK)
        self._change_s = self._fetch_s = -1.0

    def watched(self, step_s: float, own_s: float, n_changes: int) -> int:
        """Count a watched step; gives the number of steps to leave alone before the next.

        Args:
            step_s: Seconds from its batch to the next.
            own_s: Seconds of the watch's own work around it.
            n_changes: Regions that were entered and left within it.
        """
        if self._change_s < 0:
            self._change_s, self._fetch_s = _cost_of_a_change(), _cost_of_a_fetch()
        self._n_watched += 1
        self._steps.append(step_s)
        # The wrapper of a call costs about as much as bringing the accounts up to date.
        self._costs.append(own_s + self._fetch_s + 2 * n_changes * self._change_s)
        if self._n_watched < _FIRST or self._n_watched % _BLOCK:
            return 0
        cost_s = middle(self._costs) + _TURN_S / _BLOCK
        share = cost_s / max(1e-9, middle(self._steps))
        self.every = min(_LONGEST, max(_LEAST, math.ceil(share / _MOST)))
        return _BLOCK * (self.every - 1)


def _cost_of_a_change(n: int = 64) -> float:
    timeline = Timeline()
    start = perf_counter()
    for _ in range(n):
        timeline.charge()
    return (perf_counter() - start) / n


def _cost_of_a_fetch(n: int = 16) -> float:
    meter = FetchMeter()
    meter.sink = lambda record: None
    start = perf_counter()
    for _ in range(n):
        meter.begin()
        meter.end(1, -1)
    return (perf_counter() - start) / n
