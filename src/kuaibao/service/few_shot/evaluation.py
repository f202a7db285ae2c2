"""How good a template is on solved tasks, with an interval.

`exact` and `rouge_l` look at what is written; `likelihood` at the geometric mean probability of the
right answer's tokens, which tells small models apart where neither writes the right words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.service.few_shot.template import Example, Template
from kuaibao.service.few_shot.writer import Writes, complete_with, prompt_that_fits
from kuaibao.text import rouge_l, words

__all__ = ["METRICS", "Evaluation", "Metric", "evaluate", "interval", "paired_interval"]

Metric = Literal["exact", "rouge_l", "likelihood"]
METRICS: tuple[Metric, ...] = get_args(Metric)

N_RESAMPLE = 2000
SHARE = 0.95


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A mean with its interval at 95 %."""

    metric: Metric
    scores: tuple[float, ...]
    """Of each task, from 0 to 1."""
    low: float
    high: float

    @property
    def mean(self) -> float:
        """Over the tasks."""
        return sum(self.scores) / len(self.scores)

    def to_json(self) -> dict[str, Any]:
        """Without the single scores."""
        return {
            "metric": self.metric, "n": len(self.scores), "mean": self.mean,
            "low": self.low, "high": self.high,
        }  # fmt: skip


async def evaluate(
    template: Template, tasks: Sequence[Example], writer: Writes, *, metric: Metric = "exact",
    is_pool: bool = False, progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:  # fmt: skip
    """Measure a template.

    Args:
        template: With its present selection.
        tasks: Solved by people; not among the examples unless `is_pool`.
        writer: The model.
        metric: One of `METRICS`.
        is_pool: The tasks are the template's own examples: each is then left out of its prompt.
        progress: Told how many tasks are done.

    Raises:
        InputError: There is no task, or one does not fit the model.
    """
    if not tasks:
        raise InputError("there is nothing to evaluate on")
    scores: list[float] = []
    for i, task in enumerate(tasks):
        without = i if is_pool else None
        scores.append(await _score(template, task, writer, metric, without))
        progress(i + 1)
    low, high = interval(scores, is_binary=metric == "exact")
    return Evaluation(metric=metric, scores=tuple(scores), low=low, high=high)


async def _score(
    template: Template, task: Example, writer: Writes, metric: Metric, without: int | None
) -> float:
    if metric == "likelihood":
        answer = " " + task.output.strip()
        shown = template.shown_for(task.input, without=without)
        prompt = prompt_that_fits(template, task.input, shown, writer, writer.count(answer) + 1)
        total, n_token = await writer.score(prompt, answer)
        return math.exp(total / max(1, n_token))
    said = await complete_with(template, task.input, writer, without=without)
    if metric == "exact":
        return float(_plain(said) == _plain(task.output))
    return rouge_l(words(task.output), words(said)).f1


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .。!！")


def interval(scores: Sequence[float], *, is_binary: bool = False) -> tuple[float, float]:
    """Where the mean lies with 95 %: Wilson's for 0 and 1, else by bootstrap (percentiles)."""
    if is_binary:
        return _wilson(sum(scores), len(scores))
    low, high = np.quantile(_resampled(scores), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def paired_interval(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Where the mean difference of the same tasks' scores lies with 95 %, by bootstrap."""
    return interval([a - b for a, b in zip(one, other, strict=True)])


def _wilson(n_hit: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson 1927: holds for few tasks and for shares near 0 and 1."""
    share, spread = n_hit / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _resampled(scores: Sequence[float]) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    generator = np.random.default_rng(len(scores))
    return values[generator.integers(len(values), size=(N_RESAMPLE, len(values)))].mean(1)
