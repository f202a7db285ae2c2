"""Which kind of step comes next: real batches and repeated ones in short alternating blocks.

The machine's speed drifts by minutes; blocks of a few steps, compared within a cycle, can't take
such a drift for a bottleneck.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Schedule", "Turn"]


@dataclass(frozen=True)
class Turn:
    """What the next step shall be."""

    mode: str
    cycle: int
    discard: bool
    detail: bool = False
    probe: bool = False
    """Probe the data path before this step."""
    is_quiet: bool = False
    """All workers had nothing to do before this step."""


class Schedule:
    """The plan of one loader's steps.

    Args:
        n_workers: Worker processes of the loader; their queue must run dry after a pause.
        lag: Steps by which the loop runs behind the loader (1 when it reads one batch ahead).
        modes: The repeating modes to take in turn, e.g. `["repeat", "threads"]`.
        step_budget: Steps that there will be, 0 when unknown.
        n_treated_workers: Worker processes of the loader that gives the treated steps' batches.
        treated_lag: Treated steps that say nothing: their batches lay ready.
    """

    def __init__(
        self, *, n_workers: int, lag: int = 0, modes: tuple[str, ...] = ("repeat",),
        step_budget: int = 0, n_treated_workers: int = 0, treated_lag: int = 0,
    ) -> None:  # fmt: skip
        self.n_workers = n_workers
        self.lag = lag
        self.treated_lag = treated_lag
        self.modes = modes
        self.n_real, self.n_repeat = _block_lengths(step_budget, n_workers)
        if modes == ("treated",) and (step_budget == 0 or step_budget > 80):
            self.n_repeat = 6
        if n_treated_workers:
            self.n_repeat = _whole_rounds(max(8, 2 * n_treated_workers), n_treated_workers)
        self.cycle = 0
        self.block = "real"
        self._left = self.n_real + (2 if step_budget == 0 or step_budget > 12 else 1)
        self._discard_left = self._left - self.n_real
        self._first = True
        self._n_detail = 0

    @property
    def is_block_over(self) -> bool:
        """Whether the next step begins another block."""
        return self._left <= 0

    def next(self, *, backlog: int, can_repeat: bool, idle: bool) -> Turn:
        """The next step.

        Args:
            backlog: Batches that lie ready in the workers' queue.
            can_repeat: Whether there is a batch to repeat.
            idle: Whether all workers have nothing to do.
        """
        probe = False
        if self._left <= 0:
            if self.block == "real" and can_repeat:
                self._start_repeat()
            elif self.block != "real":
                self._start_real(backlog)
                probe = True
            else:
                self._left = 1
        discard = self._discard_left > 0
        if self.block != "real" and self.n_workers and not idle and self._grace > 0:
            # Workers still fill the queue and take cores from the loop: not a clean repeat yet.
            self._grace -= 1
            return Turn(self.block, self.cycle, True)
        self._discard_left -= 1
        self._left -= 1
        detail = self.block == "real" and self._left == 0 and not discard and self._n_detail < 12
        self._n_detail += detail
        return Turn(self.block, self.cycle, discard, detail, probe, idle)

    def _start_repeat(self) -> None:
        self.block = self.modes[self.cycle % len(self.modes)]
        self._discard_left = self.treated_lag or self.lag
        self._left = self.n_repeat + self._discard_left
        self._grace = _MOST_GRACE if self.n_workers else 0

    def _start_real(self, backlog: int) -> None:
        self.block = "real"
        self.cycle += 1
        self._discard_left = self.lag + (min(backlog, 40) + 1 if self.n_workers else 0)
        self._left = self.n_real + self._discard_left

    _grace = 0


_MOST_GRACE = 400
"""Steps within which workers have surely filled their queue; steps may be tiny."""


def _block_lengths(step_budget: int, n_workers: int) -> tuple[int, int]:
    if step_budget and step_budget < 24:
        return (3, 2) if step_budget >= 10 else (2, 1)
    return (_whole_rounds(6, n_workers), 3) if n_workers else (4, 3)


def _whole_rounds(least: int, n_workers: int) -> int:
    """Steps in which each worker gives equally many batches.

    Workers that began together also finish together, so that several batches come at once and then
    none for a while: part of such a round says nothing of the pace.
    """
    return n_workers * -(-least // n_workers)
