"""Logistic regression that takes one decision at a time and gives the same as on all at once.

Dual coordinate descent (Yu, Huang and Lin 2011, "Dual coordinate descent methods for logistic
regression and maximum entropy models"): weights are the prior's plus one multiple of each example,
and learning is to set each multiple in turn. The curvature at the solution gives each weight's
variance (Laplace), which tells what the model is unsure of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from kuaibao.bulletin.reading.learning.features import Features

__all__ = ["LogisticModel"]

WORD_VARIANCE = 4.0
NAME_VARIANCE = 1.0
BIAS = "bias:"
SWEEPS = 3
TOLERANCE = 1e-3


@dataclass
class _Example:
    features: Features
    is_wanted: bool
    weight: float
    multiple: float = 0.0
    reach: float = 0.0
    """Sum of x²·variance: how far one multiple moves its own logit."""


@dataclass
class LogisticModel:
    """A linear model of what is wanted.

    Attributes:
        prior: Weights before any decision.
    """

    prior: Mapping[str, float] = field(default_factory=dict[str, float])
    weights: dict[str, float] = field(default_factory=dict[str, float])
    examples: dict[str, _Example] = field(default_factory=dict[str, _Example])
    _curvature: dict[str, float] = field(default_factory=dict[str, float])
    _is_fresh: bool = True

    def __post_init__(self) -> None:
        """Start from the prior."""
        self.weights = dict(self.prior)

    def learn(self, key: str, features: Features, is_wanted: bool, weight: float = 1.0) -> None:
        """Take an example in the place of the one with the same key.

        Args:
            key: Of the example; learning it again replaces it.
            features: Name → value.
            is_wanted: What was decided.
            weight: How much it counts.
        """
        self.forget(key, is_settled=False)
        own = {**features, BIAS: 1.0}
        reach = sum(x * x * _variance(name) for name, x in own.items())
        self.examples[key] = _Example(own, is_wanted, weight, 0.0, reach)
        self._set(self.examples[key])
        self.settle()

    def learn_all(self, examples: Mapping[str, tuple[Features, bool, float]]) -> None:
        """Take many examples, then settle once."""
        for key, (features, is_wanted, weight) in examples.items():
            self.forget(key, is_settled=False)
            own = {**features, BIAS: 1.0}
            reach = sum(x * x * _variance(name) for name, x in own.items())
            self.examples[key] = _Example(own, is_wanted, weight, 0.0, reach)
            self._set(self.examples[key])
        self.settle(4 * SWEEPS)

    def forget(self, key: str, *, is_settled: bool = True) -> None:
        """Take an example back; unknown keys are no error."""
        example = self.examples.pop(key, None)
        if example is not None:
            self._move(example, -example.multiple)
            self._is_fresh = False
            if is_settled:
                self.settle()

    def settle(self, n_sweep: int = SWEEPS) -> None:
        """Set every multiple again until none moves much."""
        for _ in range(n_sweep):
            moved = max((self._set(one) for one in self.examples.values()), default=0.0)
            if moved < TOLERANCE:
                break
        self._is_fresh = False

    def logit(self, features: Features) -> float:
        """How much it is wanted: 0 is undecided; the bias, which is the same for all, left out."""
        return sum(x * self.weights.get(name, 0.0) for name, x in features.items())

    def uncertainty(self, features: Features) -> float:
        """The standard deviation of the logit."""
        if not self._is_fresh:
            self._measure()
        variance = 0.0
        for name, x in features.items():
            variance += x * x / (1 / _variance(name) + self._curvature.get(name, 0.0))
        return math.sqrt(variance)

    def _set(self, example: _Example) -> float:
        """Solve for one multiple: it equals the weight times what is left to explain."""
        own = sum(x * self.weights.get(name, 0.0) for name, x in example.features.items())
        rest = own - example.multiple * example.reach
        target = 1.0 if example.is_wanted else 0.0
        low, high = sorted((example.weight * target, example.weight * (target - 1.0)))
        multiple = example.multiple
        for _ in range(30):
            p = _sigmoid(rest + multiple * example.reach)
            value = multiple - example.weight * (target - p)
            slope = 1.0 + example.weight * p * (1 - p) * example.reach
            if value > 0:
                high = multiple
            else:
                low = multiple
            step = multiple - value / slope
            multiple_next = step if low < step < high else (low + high) / 2
            if abs(multiple_next - multiple) < 1e-9:
                break
            multiple = multiple_next
        change = multiple - example.multiple
        example.multiple = multiple
        self._move(example, change)
        return abs(change)

    def _move(self, example: _Example, change: float) -> None:
        weights = self.weights
        for name, x in example.features.items():
            weights[name] = weights.get(name, 0.0) + change * x * _variance(name)

    def _measure(self) -> None:
        curvature: dict[str, float] = {}
        for example in self.examples.values():
            p = _sigmoid(sum(x * self.weights.get(n, 0.0) for n, x in example.features.items()))
            for name, x in example.features.items():
                curvature[name] = curvature.get(name, 0.0) + example.weight * p * (1 - p) * x * x
        self._curvature = curvature
        self._is_fresh = True


def _variance(name: str) -> float:
    return WORD_VARIANCE if name.startswith("word:") else NAME_VARIANCE


def _sigmoid(value: float) -> float:
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-min(value, 500.0)))
    e = math.exp(max(value, -500.0))
    return e / (1.0 + e)
