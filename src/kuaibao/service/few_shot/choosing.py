"""How many examples, and which: tried on one half of the tasks, reported on the other.

Of all candidates the one with the fewest examples is taken that is not clearly worse than the best
(the 95 % interval of the paired difference holds 0): a longer prompt costs at every request. The
figure that is reported comes from tasks that had no part in the choice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kuaibao.errors import InputError
from kuaibao.service.few_shot.evaluation import Evaluation, Metric, evaluate, paired_interval
from kuaibao.service.few_shot.template import Example, Selection, Template
from kuaibao.service.few_shot.writer import Writes

__all__ = ["Candidate", "Choice", "choose_examples"]

COUNTS = (0, 1, 2, 4, 8)
N_DRAW = 2
"""Random sets of examples that are tried for each number."""
MIN_TASKS = 4
MAX_CALLS = 4000


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A way to choose examples, with what it reached on the tasks that decide."""

    selection: Selection
    evaluation: Evaluation

    def to_json(self) -> dict[str, Any]:
        """Flat, for reports."""
        own = {"how": self.selection.how, "n_example": self.selection.n_example}
        return own | {"places": list(self.selection.places)} | self.evaluation.to_json()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The selection that was taken."""

    selection: Selection
    test: Evaluation
    """On tasks that had no part in the choice."""
    zero_shot: Evaluation
    """The same tasks without any example."""
    candidates: tuple[Candidate, ...]

    def to_json(self) -> dict[str, Any]:
        """For reports."""
        return {
            "selection": {
                "how": self.selection.how, "n_example": self.selection.n_example,
                "places": list(self.selection.places),
            },
            "test": self.test.to_json(),
            "zero_shot": self.zero_shot.to_json(),
            "candidates": [c.to_json() for c in self.candidates],
        }  # fmt: skip


async def choose_examples(
    template: Template, tasks: Sequence[Example], writer: Writes, *, metric: Metric = "exact",
    counts: Sequence[int] = COUNTS, seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Choice:  # fmt: skip
    """Choose how many examples of the pool are shown, and which.

    Args:
        template: Its `examples` are the pool.
        tasks: Solved, and none of them in the pool; half decides, half tests.
        writer: The model.
        metric: What counts.
        counts: Numbers of examples that are tried.
        seed: Of the split and the draws.
        progress: Told how many calls are done.

    Raises:
        InputError: Too few tasks, tasks of the pool, or too many calls.
    """
    shown = {e.input.strip() for e in template.examples}
    if any(task.input.strip() in shown for task in tasks):
        raise InputError("a task stands among the examples: it would be judged by its own answer")
    if len(tasks) < MIN_TASKS:
        raise InputError(f"{len(tasks)} tasks are too few: at least {MIN_TASKS} are needed")
    selections = list(_selections(len(template.examples), counts, seed))
    if len(selections) * len(tasks) > 2 * MAX_CALLS:
        raise InputError(f"{len(selections)} selections on {len(tasks)} tasks are too many calls")
    order = random.Random(seed).sample(range(len(tasks)), len(tasks))
    half = (len(tasks) + 1) // 2
    deciding, testing = ([tasks[i] for i in part] for part in (order[:half], order[half:]))
    done = 0

    async def tried(selection: Selection, on: Sequence[Example]) -> Evaluation:
        nonlocal done
        before, own = done, replace(template, selection=selection)
        found = await evaluate(
            own, on, writer, metric=metric, progress=lambda n: progress(before + n)
        )
        done = before + len(on)
        return found

    candidates = [Candidate(selection=s, evaluation=await tried(s, deciding)) for s in selections]
    taken = _fewest_as_good(candidates).selection
    test = await tried(taken, testing)
    nothing = Selection(how="first", n_example=0)
    zero_shot = test if taken.n_example == 0 else await tried(nothing, testing)
    return Choice(selection=taken, test=test, zero_shot=zero_shot, candidates=tuple(candidates))


def _selections(n_pool: int, counts: Sequence[int], seed: int) -> Iterator[Selection]:
    for n in sorted({min(n, n_pool) for n in counts}):
        yield Selection(how="first", n_example=n)
        if n == 0:
            continue
        yield Selection(how="nearest", n_example=n)
        for draw in range(N_DRAW if n < n_pool else 0):
            places = random.Random(f"{seed}:{n}:{draw}").sample(range(n_pool), n)
            yield Selection(how="fixed", n_example=n, places=tuple(places))


def _fewest_as_good(candidates: Sequence[Candidate]) -> Candidate:
    best = max(candidates, key=lambda c: c.evaluation.mean)

    def is_as_good(one: Candidate) -> bool:
        low, _ = paired_interval(best.evaluation.scores, one.evaluation.scores)
        return low <= 0

    as_good = [c for c in candidates if is_as_good(c)]
    return min(as_good, key=lambda c: (c.selection.n_example, -c.evaluation.mean))
