"""What a run will need, before it begins: memory by counting, time by a few measured steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kuaibao.training.distributed import World
from kuaibao.training.loop import Trainer
from kuaibao.training.recipe import Recipe
from kuaibao.training.task import Task

__all__ = ["Forecast", "forecast"]

_N_STEP = 3


@dataclass(frozen=True)
class Forecast:
    """Needs of one process."""

    n_parameter: int
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    """What one part of a batch keeps for the gradient."""
    seconds_per_step: float
    seconds: float
    """Of all steps, without evaluations."""
    n_sample: int
    n_epoch: float

    @property
    def total_bytes(self) -> int:
        """Everything together, without the program itself."""
        return (
            self.weights_bytes + self.gradients_bytes + self.optimizer_bytes
            + self.activations_bytes
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All fields, and the total."""
        return {**self.__dict__, "total_bytes": self.total_bytes}


def forecast(task: Task, recipe: Recipe) -> Forecast:
    """Count a run's memory and measure its steps; the task's model is trained a little by that."""
    if recipe.run.n_thread:
        torch.set_num_threads(recipe.run.n_thread)
    with World.join() as world:
        trainer = Trainer(task, recipe, world)
        activations = _kept_bytes(trainer)
        trainer.step(0)
        started = time.perf_counter()
        for step in range(1, 1 + _N_STEP):
            trainer.step(step)
        seconds = (time.perf_counter() - started) / _N_STEP
        state = [t for s in trainer.optimizer.state.values() for t in s.values()]
    model: nn.Module = task.model
    trained = sum(_size(p) for p in model.parameters() if p.requires_grad)
    weights = sum(map(_size, (*model.parameters(), *model.buffers())))
    run = recipe.run
    return Forecast(
        n_parameter=sum(p.numel() for p in model.parameters()),
        weights_bytes=weights * (2 if run.ema else 1), gradients_bytes=trained,
        optimizer_bytes=sum(_size(t) for t in state if isinstance(t, Tensor)),
        activations_bytes=activations, seconds_per_step=seconds, seconds=seconds * run.steps,
        n_sample=task.n_sample, n_epoch=run.steps * run.batch_size / task.n_sample,
    )  # fmt: skip


def _kept_bytes(trainer: Trainer) -> int:
    """Bytes of the distinct tensors that one forward pass keeps, besides the weights."""
    own = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def give(tensor: Tensor) -> Tensor:
        return tensor

    host = trainer.batches.get(0, 0)
    batch = {k: v.to(trainer.device) for k, v in host.items()}
    with torch.autograd.graph.saved_tensors_hooks(note, give), trainer.autocast():
        # The loss holds its graph, so that no storage is given out twice.
        loss = trainer.task.loss(trainer.wrapped, batch)
    total = sum(kept.values())
    del loss
    return total


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
