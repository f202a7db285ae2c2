"""What the next step shall be, and when enough has been seen."""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

from kuaibao.doctor.fetching import count_records
from kuaibao.doctor.loaders import Iteration, LoaderLog, n_workers
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.schedule import Schedule, Turn
from kuaibao.doctor.settings import Settings

__all__ = ["Plan"]

_SETTLED_CYCLES = 8
_LEAST_PAIRS = 5
_MOST_REFILLING = 9
_LEAST_STEPS = 8
"""Real steps that are looked at even when they hold more samples than were asked for, or take up
to three times the seconds."""


class Plan:
    """One schedule a loader."""

    def __init__(self, settings: Settings, log: LoaderLog, treated_lag: Any) -> None:
        self.settings = settings
        self.log = log
        self.treated_lag = treated_lag
        """Gives the steps to leave out when a treatment begins or ends."""
        self._schedules: dict[int, Schedule] = {}

    def turn(self, iterator: Any, state: Iteration) -> Turn:
        """The next step's kind."""
        loader = state.loader
        schedule = self._schedules.get(id(loader))
        if schedule is None:
            schedule = self._schedules[id(loader)] = self._new_schedule(loader)
        may = self.settings.ablate and self.log.may_ablate(loader)
        if self.settings.treatments:
            may = state.received >= 2 and state.total != 0
        backlog, idle = (0, True)
        if (n_workers(loader) and may and schedule.is_block_over) or schedule.block != "real":
            backlog, idle = self._queue(iterator, state)
        if state.delivered == 0 and self.log.starts_something(state):
            return Turn("real", schedule.cycle, True)
        can_repeat = may and id(loader) in self.log.kept
        return schedule.next(backlog=backlog, can_repeat=can_repeat, idle=idle)

    def _new_schedule(self, loader: Any) -> Schedule:
        import torch

        batch = getattr(loader, "batch_size", None) or 1
        budget = self.settings.samples // batch if self.settings.samples else 0
        modes: tuple[str, ...] = ("repeat",)
        treated_lag = 0
        n_threads = torch.get_num_threads()
        n_cores = len(os.sched_getaffinity(0))
        if n_threads > n_cores and self.settings.cores < n_threads / 1.5:
            modes = ("repeat", "threads")
        if torch.is_anomaly_enabled():
            modes = (*modes, "unchecked")
        if torch.cuda.is_available():
            modes = (*modes, "device")
        lag = 1 if type(loader).__module__.startswith("accelerate") else 0  # reads one ahead
        if self.settings.treatments:
            modes, n_ready = ("treated",), self.treated_lag(loader)
            # After them workers fill the queue anew, which is done within a few real steps.
            lag, treated_lag = lag + min(n_ready, _MOST_REFILLING), lag + n_ready
        return Schedule(
            n_workers=n_workers(loader),
            lag=lag,
            modes=modes,
            step_budget=budget,
            treated_lag=treated_lag,
            n_treated_workers=int(self.settings.treatment_options.get("n_workers", 0)),
        )

    def _queue(self, iterator: Any, state: Iteration) -> tuple[int, bool]:
        made = count_records(self.log.spool) - state.made_before
        backlog = max(0, made - state.received)
        return backlog, backlog >= getattr(iterator, "_tasks_outstanding", 0)

    def _wants_more_pairs(self, elapsed: float) -> bool:
        """A treatment is given up to three times its seconds to be measured a few times."""
        most = max((s.cycle for s in self._schedules.values()), default=0)
        is_short = most < _LEAST_PAIRS and elapsed < 3 * self.settings.seconds
        return bool(self.settings.treatments) and is_short

    def reason_to_stop(self, seen: Observation, n_taken: int, started: float) -> str:
        """`samples`, `seconds` or `settled`; "" to go on."""
        settings = self.settings
        enough = seen.samples_seen >= settings.samples
        if settings.samples and enough and n_taken >= _LEAST_STEPS:
            return "samples"
        elapsed = perf_counter() - started
        if settings.seconds and elapsed >= settings.seconds:
            is_too_early = n_taken < _LEAST_STEPS and elapsed < 3 * settings.seconds
            return "" if is_too_early or self._wants_more_pairs(elapsed) else "seconds"
        if not settings.samples and not settings.seconds:
            if elapsed >= settings.default_seconds:
                return "seconds"
            most = max((s.cycle for s in self._schedules.values()), default=0)
            if elapsed > 12 and most >= _SETTLED_CYCLES and len(seen.probes) >= 4:
                return "settled"
        return ""
