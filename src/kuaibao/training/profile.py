"""Where the time of a run's steps goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Clock", "Profile"]


@dataclass
class Profile:
    """Seconds of each part of the steps, and what they did."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    n_sample: int = 0
    n_unit: int = 0
    n_step: int = 0

    def to_json(self) -> dict[str, Any]:
        """Seconds, shares and rates."""
        total = sum(self.seconds.values())
        return {
            "samples": self.n_sample,
            "steps": self.n_step,
            "seconds": self.seconds,
            "shares": {k: v / total for k, v in self.seconds.items()} if total else {},
            "samples_per_second": self.n_sample / total if total else 0.0,
            "units_per_second": self.n_unit / total if total else 0.0,
        }


class Clock:
    """Adds the seconds of a block to a table: `with clock.of("forward"): …`."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.name = ""
        self.started = 0.0

    def of(self, name: str) -> Clock:
        """The clock, for a block of that name."""
        self.name = name
        return self

    def __enter__(self) -> None:
        """Begin."""
        self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        """Add what was spent."""
        spent = time.perf_counter() - self.started
        self.seconds[self.name] = self.seconds.get(self.name, 0.0) + spent
