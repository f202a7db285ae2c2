"""What a room brings to be trained: a model, samples, a loss, an evaluation."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.errors import InputError, did_you_mean
from kuaibao.training.recipe import Recipe

__all__ = ["TASKS", "Batch", "Task", "find_task"]

Batch = Mapping[str, Tensor]


class Task(Protocol):
    """One run's model and data; made by a room from a recipe.

    A task may also have `epoch_order(epoch, generator)`, which orders its samples in place of a
    plain permutation.
    """

    model: Any
    """A torch module, in training as it is made."""
    n_sample: int
    """Training samples in an epoch."""
    sample_unit: str
    """What rates are told in: `tokens`."""

    def batch(self, indices: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        """Host tensors of some samples; random choices come from the generator alone."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The mean loss of a batch, without synchronisation."""
        ...

    def n_unit(self, batch: Batch) -> int:
        """How many units a batch has."""
        ...

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Figures on held-out samples; `loss` must be among them."""
        ...

    def save(self, model: nn.Module, folder: Path) -> None:
        """Write what a generator or a server loads."""
        ...


TASKS = {
    "gpt": "kuaibao.gpt.task",
    "image-gpt": "kuaibao.image_gpt.task",
    "pegasus": "kuaibao.pegasus.task",
}
"""Each module has `make_task(recipe, progress) -> Task`."""

Progress = Callable[[str, int, int], None]
"""(what, done, total)"""


def find_task(recipe: Recipe, progress: Progress = lambda what, done, total: None) -> Task:
    """The task that a recipe names, its data prepared.

    Raises:
        InputError: No such task, or its settings or data are wrong.
    """
    if recipe.task not in TASKS:
        raise InputError(f"no task '{recipe.task}'", hint=did_you_mean(recipe.task, TASKS))
    module = importlib.import_module(TASKS[recipe.task])
    return module.make_task(recipe, progress)
