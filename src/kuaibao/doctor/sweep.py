"""A loader's settings tried in turn, each only if its forecast fits: workers, prefetch, and more.

Numbers of workers and prefetch factors are tried in all combinations, with workers that live on.
Whether they should live on, and whether memory should be pinned, is then tried at the best of them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from kuaibao.doctor.alternate import seconds_a_sample
from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.memory import forecast
from kuaibao.doctor.processes import free_memory_bytes
from kuaibao.doctor.run import Examination, observe_command

__all__ = ["LoaderSettings", "SweepRow", "sweep_loader"]


@dataclass(frozen=True)
class LoaderSettings:
    """One way to run a loader."""

    n_workers: int = 0
    prefetch_factor: int = 2
    persistent: bool = False
    pinned: bool = False

    def overrides(self) -> dict[str, Any]:
        """As keyword arguments of `DataLoader(...)`."""
        found: dict[str, Any] = {"num_workers": self.n_workers, "pin_memory": self.pinned}
        if self.n_workers:
            found["prefetch_factor"] = self.prefetch_factor
            found["persistent_workers"] = self.persistent
        return found

    def __str__(self) -> str:
        if not self.n_workers:
            return "0 workers" + (", pinned" if self.pinned else "")
        words = [f"{self.n_workers} workers", f"prefetch {self.prefetch_factor}"]
        words += ["persistent"] * self.persistent + ["pinned"] * self.pinned
        return ", ".join(words)


@dataclass(frozen=True)
class SweepRow:
    """One setting with its pace."""

    settings: LoaderSettings
    samples_per_s: float
    """0 when it was not tried."""
    why: str
    """Why it was not tried."""
    forecast: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        settings = asdict(self.settings)
        return {
            **settings,
            "samples_per_s": self.samples_per_s,
            "why": self.why,
            "forecast": self.forecast,
        }


class _Paces:
    """Runs a command under settings and keeps what it saw."""

    def __init__(
        self, run: Callable[[LoaderSettings], Observation], progress: Callable[[str], None]
    ) -> None:
        self.run = run
        self.progress = progress
        self.seconds: dict[LoaderSettings, list[float]] = {}

    def measure(self, settings: LoaderSettings) -> Observation:
        self.progress(str(settings))
        seen = self.run(settings)
        pace = seconds_a_sample(seen)
        if not math.isnan(pace):
            self.seconds.setdefault(settings, []).append(pace)
        return seen

    def in_turn(self, settings: Sequence[LoaderSettings], rounds: int) -> None:
        """Round by round, every other one backwards: what drifts slows all of them."""
        for turn in range(rounds):
            for one in settings if turn % 2 == 0 else settings[::-1]:
                self.measure(one)

    def rate(self, settings: LoaderSettings) -> float:
        found = self.seconds.get(settings, [])
        return 1 / median(found) if found else 0.0


def sweep_loader(
    command: list[str],
    *,
    workers: list[int],
    prefetch: list[int],
    samples: int = 0,
    seconds: float = 0.0,
    rounds: int = 2,
    budget_bytes: int = 0,
    progress: Callable[[str], None] = lambda text: None,
    observe: Callable[..., Examination] = observe_command,
) -> list[SweepRow]:
    """Run the command under each setting, round by round in turn; the fastest comes first.

    Args:
        command: Program and arguments.
        workers: Numbers to try besides 0; by default up to twice the cores, doubling.
        prefetch: Factors to try.
        samples: Of each run.
        seconds: Of each run.
        rounds: Runs of each setting.
        budget_bytes: Settings whose forecast exceeds it are not run; 0: half of the free memory.
        progress: Told what happens now.
        observe: Runs a command under the doctor's watch.

    Raises:
        DoctorError: The command without workers gave too few steps.
    """

    def run(settings: LoaderSettings) -> Observation:
        return observe(
            command, samples=samples, seconds=seconds, ablate=False, quiet=True,
            overrides=settings.overrides(),
        ).observation  # fmt: skip

    paces = _Paces(run, progress)
    first = paces.measure(LoaderSettings())
    if LoaderSettings() not in paces.seconds:
        raise DoctorError("the command gave too few steps over a DataLoader")
    batch = first.loader.batch_bytes
    budget = budget_bytes or free_memory_bytes() // 2
    grid = [LoaderSettings(), *_grid(workers, prefetch)]
    fitting = [s for s in grid if _forecast(batch, s)["total_bytes"] <= budget]
    paces.in_turn(fitting, rounds)
    best = max(fitting, key=paces.rate)
    further = _further(best, has_cuda=bool(first.settings.get("cuda")))
    paces.in_turn(further, rounds)
    rows = [
        SweepRow(
            s,
            paces.rate(s),
            "" if s in paces.seconds else "no steps" if s in fitting else "over the budget",
            _forecast(batch, s),
        )
        for s in [*grid, *further]
    ]
    return sorted(rows, key=lambda row: -row.samples_per_s)


def _grid(workers: list[int], prefetch: list[int]) -> list[LoaderSettings]:
    n_cores = os.cpu_count() or 1
    numbers = workers or [n for n in (1, 2, 4, 8, 16, 32) if n <= 2 * n_cores]
    return [
        LoaderSettings(n, factor, persistent=True)
        for n in sorted(set(numbers) - {0})
        for factor in prefetch
    ]


def _further(best: LoaderSettings, *, has_cuda: bool) -> list[LoaderSettings]:
    """The best of the grid with its other switches turned; pinning wants a GPU."""
    found: list[LoaderSettings] = []
    if best.n_workers:
        found.append(LoaderSettings(best.n_workers, best.prefetch_factor, persistent=False))
    if has_cuda:
        n, factor, lives = best.n_workers, best.prefetch_factor, best.persistent
        found.append(LoaderSettings(n, factor, lives, pinned=True))
    return found


def _forecast(batch_bytes: int, settings: LoaderSettings) -> dict[str, Any]:
    return forecast(batch_bytes, settings.n_workers, settings.prefetch_factor).to_json()
