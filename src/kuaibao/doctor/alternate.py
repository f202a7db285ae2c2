"""Two commands, or one under two settings, run in turn; their ratio with its spread.

Runs stand next to each other in time (A B, B A, A B, …), so that what slows the machine for a
while slows both. Nothing is ablated: the figure is the script's own pace, its epochs' starts
included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.run import observe_command
from kuaibao.doctor.statistics import Interval, log_ratio_interval

__all__ = ["Arm", "Comparison", "alternate", "append_history", "seconds_a_sample"]


@dataclass(frozen=True)
class Arm:
    """One side of a comparison."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments that replace those of every `DataLoader(...)`."""


@dataclass(frozen=True)
class Comparison:
    """What came out."""

    names: tuple[str, str]
    seconds: tuple[list[float], list[float]]
    """Seconds a sample, round by round."""
    speedup: Interval
    """How many times faster the second is than the first."""
    n_same_batches: int
    n_batches_compared: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "a": self.names[0],
            "b": self.names[1],
            "seconds_per_sample": {"a": self.seconds[0], "b": self.seconds[1]},
            "speedup": self.speedup.to_json(),
            "same_batches": self.n_same_batches,
            "batches_compared": self.n_batches_compared,
        }


def seconds_a_sample(seen: Observation) -> float:
    """The pace of a run from its second batch to its end; NaN when too little was seen.

    The first iteration's start-up is left out on both sides: it is paid once.
    """
    steps = [s for s in seen.steps if s.mode == "real"]
    if len(steps) < 3:
        return math.nan
    first, last = steps[1], steps[-1]
    end = last.start + last.wall + last.delay
    delays = last.delay_before + last.delay - first.delay_before
    samples = last.samples_before + last.n_samples - first.samples_before
    return max(1e-9, end - first.start - delays) / max(1, samples)


def alternate(
    one: Arm,
    other: Arm,
    *,
    samples: int = 0,
    seconds: float = 0.0,
    rounds: int = 3,
    quiet: bool = True,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Run both in turn and compare their pace.

    Raises:
        DoctorError: One of them failed, or gave too few steps.
    """
    paces: tuple[list[float], list[float]] = ([], [])
    digests: list[list[str]] = [[], []]
    for turn in range(rounds):
        order = (0, 1) if turn % 2 == 0 else (1, 0)
        for side in order:
            arm = (one, other)[side]
            progress(f"round {turn + 1} of {rounds}: {arm.name}")
            found = observe_command(
                arm.command,
                samples=samples,
                seconds=seconds,
                ablate=False,
                quiet=quiet,
                environment=arm.environment,
                overrides=arm.overrides,
            )
            pace = seconds_a_sample(found.observation)
            if found.exit_status != 0 or math.isnan(pace):
                raise DoctorError(
                    f"{arm.name} gave {len(found.observation.steps)} steps and exit status "
                    f"{found.exit_status}",
                    hint="Both commands must run on their own, for at least three batches.",
                )
            paces[side].append(pace)
            digests[side] = digests[side] or found.observation.digests
    pairs = list(zip(*digests, strict=False))
    return Comparison(
        (one.name, other.name),
        paces,
        log_ratio_interval(*paces),
        sum(a == b for a, b in pairs),
        len(pairs),
    )


def append_history(path: Path, entry: dict[str, Any], keep: int = 1000) -> Sequence[dict[str, Any]]:
    """Add a line to the history beside the project; gives all lines, the newest last."""
    from kuaibao.files import write_text

    lines: list[str] = []
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
    lines = [*lines[-keep + 1 :], json.dumps(entry, ensure_ascii=False)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join(lines) + "\n")
    return [json.loads(line) for line in lines if line.strip()]
