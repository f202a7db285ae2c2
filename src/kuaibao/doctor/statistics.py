"""Medians with their spread, for measurements on a machine that others use too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "bootstrap", "interval", "log_ratio_interval", "middle"]

_DRAWS = 400


@dataclass(frozen=True)
class Interval:
    """A figure with the range in which it lies in 90 of 100 resamplings."""

    low: float
    mid: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Rounded to four places."""
        return {"low": round(self.low, 4), "mid": round(self.mid, 4), "high": round(self.high, 4)}


def middle(values: Iterable[float]) -> float:
    """Their median; 0 for none."""
    rows = list(values)
    return float(np.median(rows)) if rows else 0.0


def bootstrap(
    rows: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[Any]],
    *,
    seed: int = 0,
) -> NDArray[np.float64]:
    """`statistic` of resampled rows, `[draw, ...]`; rows are resampled whole."""
    generator = np.random.default_rng(seed)
    n = len(rows)
    return np.stack([statistic(rows[generator.integers(0, n, n)]) for _ in range(_DRAWS)])


def interval(values: Sequence[float] | NDArray[np.float64], *, seed: int = 0) -> Interval:
    """Median and its 90 % bootstrap interval; NaN for no values."""
    rows = np.asarray(values, dtype=np.float64)
    if rows.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    if rows.size == 1:
        return Interval(float(rows[0]), float(rows[0]), float(rows[0]))
    draws = bootstrap(rows, lambda sample: np.asarray(np.median(sample)), seed=seed)
    low, high = np.quantile(draws, [0.05, 0.95])
    return Interval(float(low), float(np.median(rows)), float(high))


def log_ratio_interval(before: Sequence[float], after: Sequence[float]) -> Interval:
    """How many times faster `after` is than `before`, both in seconds, pair by pair.

    Pairs were measured next to each other, so that what slowed both cancels.
    """
    pairs = [(b, a) for b, a in zip(before, after, strict=False) if b > 0 and a > 0]
    logs = np.log([b / a for b, a in pairs]) if pairs else np.empty(0)
    found = interval(logs)
    return Interval(*(float(np.exp(v)) for v in (found.low, found.mid, found.high)))
