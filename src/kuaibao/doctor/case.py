"""A cure with its prediction, and all that a rule may look at when it proposes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kuaibao.doctor.accounts import Accounts
from kuaibao.doctor.data_parts import Waiting
from kuaibao.doctor.measured import Observation
from kuaibao.doctor.rates import predicted_step_s
from kuaibao.doctor.statistics import Interval, interval
from kuaibao.doctor.verdict import ILL, Diagnosis

__all__ = ["DATA_VERDICTS", "WORTH", "Advice", "Case"]

WORTH = 1.12
"""A cure must promise at least an eighth, else it is noise."""
DATA_VERDICTS = ("disk", "decode", "transform", "collate", "transfer")


@dataclass
class Advice:
    """One cure."""

    cure: str
    """Name, as `--apply` knows it."""
    cause: str
    """The class of work that it makes cheaper."""
    what: str
    """What to do, in one sentence."""
    why: str
    predicted_speedup: Interval
    is_automatic: bool = False
    """Whether `--apply` can try it on the unmodified script."""
    is_exact: bool = True
    """Whether samples, order and loss stay the same bit for bit."""
    options: dict[str, Any] = field(default_factory=dict)
    achieved_speedup: Interval | None = None
    checks: dict[str, Any] = field(default_factory=dict)
    patch: str = ""
    """A unified diff that makes the cure permanent, where one could be written."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        achieved = self.achieved_speedup
        return {
            "cure": self.cure,
            "cause": self.cause,
            "what": self.what,
            "why": self.why,
            "predicted_speedup": self.predicted_speedup.to_json(),
            "achieved_speedup": achieved.to_json() if achieved else None,
            "is_automatic": self.is_automatic,
            "is_exact": self.is_exact,
            "options": self.options,
            "checks": self.checks,
            "patch": self.patch,
        }


@dataclass(frozen=True)
class Case:
    """All that a rule may look at."""

    seen: Observation
    diagnosis: Diagnosis
    accounts: Accounts

    def ill(self, *classes: str) -> bool:
        """Whether the verdict, or an excess worth a cure, is one of these classes."""
        if self.diagnosis.verdict in classes:
            return True
        if self.diagnosis.verdict in ("healthy", "undecided"):
            return False
        return any(self.diagnosis.excess.get(name, {}).get("mid", 0.0) > ILL for name in classes)

    def share(self, name: str) -> float:
        """Median share of a class in a step."""
        return float(self.diagnosis.stalls.get(name, {}).get("mid", 0.0))

    def probe(self, of: Callable[[Any], float | None]) -> list[float]:
        """One figure of all probes, where it is known."""
        return [value for value in (of(p) for p in self.seen.probes) if value is not None]

    def usual(self, of: Callable[[Any], float | None]) -> float:
        """Its median; 0 when it is not known."""
        values = self.probe(of)
        return float(np.median(values)) if values else 0.0

    @property
    def n_batch(self) -> float:
        """Samples of a batch, as they were counted."""
        real = [s.n_samples for s in self.seen.steps if s.mode == "real"]
        return float(np.median(real)) if real else float(self.seen.loader.batch_size)

    def bound(self, data_s: float, n_workers: int) -> float:
        """Seconds of a step with other data work, by the bound in `rates`."""
        cores = max(1.0, self.seen.cores)
        compute, waiting = self.accounts.compute_s, self.accounts.waiting
        if n_workers:
            # In a worker a batch is not made at quite the pace at which the loop makes it.
            data_s *= self.accounts.worker_s / max(1e-9, self.accounts.data_s)
        left = data_s / max(1e-9, self.accounts.data_s)
        waiting = Waiting(min(1.0, left) * waiting.seconds, min(1.0, left) * waiting.disk_s)
        return predicted_step_s(
            compute, data_s, n_workers, cores, sending=self.accounts.sending, waiting=waiting
        )

    def speedup(self, new_steps: list[float]) -> Interval:
        """Step time over predicted step times, cycle by cycle."""
        ratios = [step / max(1e-9, new) for step in self.accounts.real_s for new in new_steps]
        return _widened(interval(ratios))

    def by_model(self, before_s: float, after_s: float) -> Interval:
        """The ratio of two predicted steps: what the model gets wrong in both goes out."""
        return _widened(self.spread_around(before_s / max(1e-9, after_s)))

    def spread_around(self, middle: float) -> Interval:
        """A ratio with the spread that the real steps have."""
        steps = self.accounts.real_s
        half = 0.5 * float(np.std(steps) / np.mean(steps)) if len(steps) > 1 else 0.1
        half = min(0.4, half / max(1.0, len(steps)) ** 0.5 * 2)
        return Interval(middle * (1 - half), middle, middle * (1 + half))

    def without(self, share: float) -> Interval:
        """Speed-up when this share of the step goes away."""
        rest = max(0.02, 1.0 - share)
        return _widened(Interval(1.0 / (rest * 1.05), 1.0 / rest, 1.0 / max(0.02, rest * 0.93)))


def _widened(found: Interval) -> Interval:
    """Predictions rest on sums of medians: give them a few per cent of doubt."""
    return Interval(max(0.5, found.low * 0.95), found.mid, found.high * 1.05)
