"""Numbers of workers and prefetch factors tried in turn, each only if its forecast fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from kuaibao.doctor.alternate import seconds_a_sample
from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.memory import forecast, parse_bytes
from kuaibao.doctor.processes import free_memory_bytes
from kuaibao.doctor.run import observe_command

__all__ = ["SweepRow", "parse_bytes", "sweep_loader"]


@dataclass(frozen=True)
class SweepRow:
    """One setting with its pace."""

    n_workers: int
    prefetch_factor: int
    persistent: bool
    samples_per_s: float
    """0 when it was not tried."""
    why: str
    """Why it was not tried."""
    forecast: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


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

    Raises:
        DoctorError: The command without workers gave too few steps.
    """
    import os

    first = observe_command(
        command, samples=samples, seconds=seconds, ablate=False, quiet=True,
        overrides={"num_workers": 0},
    )  # fmt: skip
    if math.isnan(seconds_a_sample(first.observation)):
        raise DoctorError("the command gave too few steps over a DataLoader")
    batch = first.observation.loader.batch_bytes
    budget = budget_bytes or free_memory_bytes() // 2
    n_cores = os.cpu_count() or 1
    numbers = workers or [n for n in (1, 2, 4, 8, 16, 32) if n <= 2 * n_cores]
    settings = [(0, 2)] + [(n, p) for n in sorted(set(numbers) - {0}) for p in prefetch]
    fitting = [s for s in settings if forecast(batch, *s).total_bytes <= budget]
    paces: dict[tuple[int, int], list[float]] = {s: [] for s in fitting}
    paces[0, 2] = [seconds_a_sample(first.observation)]
    for turn in range(rounds):
        for n, factor in fitting if turn % 2 == 0 else fitting[::-1]:
            progress(f"round {turn + 1} of {rounds}: {n} workers, prefetch {factor}")
            overrides: dict[str, Any] = {"num_workers": n}
            if n:
                overrides |= {"prefetch_factor": factor, "persistent_workers": True}
            found = observe_command(
                command, samples=samples, seconds=seconds, ablate=False, quiet=True,
                overrides=overrides,
            )  # fmt: skip
            pace = seconds_a_sample(found.observation)
            if not math.isnan(pace):
                paces[n, factor].append(pace)
    rows: list[SweepRow] = []
    for n, factor in settings:
        held = forecast(batch, n, factor)
        measured = paces.get((n, factor), [])
        why = "" if measured else "over the budget" if (n, factor) not in paces else "no steps"
        rate = 1 / median(measured) if measured else 0.0
        rows.append(SweepRow(n, factor, n > 0, rate, why, held.to_json()))
    return sorted(rows, key=lambda row: -row.samples_per_s)
