"""The step that is going on: what is known of it before it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kuaibao.doctor.measured import StepRecord
from kuaibao.doctor.schedule import Turn

__all__ = ["OpenStep"]


@dataclass
class OpenStep:
    """One turn of the loop, open."""

    turn: Turn
    iterator: int
    start: float
    n_samples: int = 0
    fetch: dict[str, float] | None = None
    disturbed: bool = False
    delay: float = 0.0
    """Seconds the thread had no core, from its birth to the step."""
    samples_before: int = 0
    own_s: float = 0.0
    """Seconds of the watch's own work before the step."""
    drawn_s: float = 0.0
    n_backward: int = 0
    log: Any = None
    functions: Any = None

    def record(
        self, wall: dict[str, float], cpu: dict[str, float], seconds: float, delay: float,
        detail: dict[str, Any] | None, has_backward: bool,
    ) -> StepRecord:  # fmt: skip
        """The step as it is written down, with what is known at its end."""
        return StepRecord(
            mode=self.turn.mode,
            cycle=self.turn.cycle,
            wall=seconds,
            regions=wall,
            cpu=cpu,
            n_samples=self.n_samples,
            start=self.start,
            discard=self.turn.discard or self.disturbed,
            detail=detail,
            fetch=self.fetch,
            has_backward=has_backward,
            delay=delay,
            delay_before=self.delay,
            samples_before=self.samples_before,
            drawn_s=self.drawn_s,
        )
