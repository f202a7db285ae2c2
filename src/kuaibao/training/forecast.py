"""What a run will need, before it begins: memory by counting, time by a few measured parts.

A recipe for large devices can be asked on a small machine: only as many samples of a batch are
computed as fit it, and the whole is reckoned from them.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kuaibao.loading.arena import large_arena
from kuaibao.training.distributed import World
from kuaibao.training.errors import RecipeError
from kuaibao.training.loop import Trainer
from kuaibao.training.recipe import OptimizerSettings, Recipe
from kuaibao.training.task import Batch, Task

__all__ = ["Devices", "Forecast", "forecast"]

_N_PART = 4
_PATIENCE_S = 10.0
"""A part that would take longer is not computed whole."""
_SHARE_OF_MEMORY = 0.6
"""Of what is free, for measuring."""


@dataclass(frozen=True, kw_only=True)
class Devices:
    """Accelerators that a run is reckoned for."""

    n: int
    peak_flops: float = 312e12
    """Floating-point operations a second of one; an A100's in bfloat16."""
    utilisation: float = 0.4
    """Share of the peak that training reaches."""
    price: float = 0.0
    """Of one for an hour."""


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
    """On this machine."""
    seconds: float
    """Of all steps, without evaluations."""
    flops_per_step: float
    """Floating-point operations, forward and backward, as torch counts them."""
    n_measured: int
    """Samples of a part that were computed; the rest is reckoned."""
    n_sample: int
    n_epoch: float

    @property
    def state_bytes(self) -> int:
        """What FSDP spreads over the devices."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes

    @property
    def total_bytes(self) -> int:
        """Everything together, without the program itself."""
        return self.state_bytes + self.activations_bytes

    def to_json(self) -> dict[str, Any]:
        """All fields, and the total."""
        return {**asdict(self), "total_bytes": self.total_bytes}

    def on(self, devices: Devices, recipe: Recipe) -> dict[str, float]:
        """The run on several devices: bytes of each, hours and cost.

        Activations are those of a device's share of a part. FSDP spreads the state; the layers that
        are gathered for a moment come on top.
        """
        spread = devices.n if recipe.run.parallel == "fsdp" else 1
        flops = self.flops_per_step * recipe.run.steps
        hours = flops / (devices.n * devices.peak_flops * devices.utilisation) / 3600
        return {
            "devices": devices.n,
            "device_bytes": self.state_bytes / spread + self.activations_bytes / devices.n,
            "hours": hours,
            "device_hours": hours * devices.n,
            "cost": hours * devices.n * devices.price,
        }


def forecast(task: Task, recipe: Recipe) -> Forecast:
    """Count a run's memory and measure parts of its steps; the model is trained a little by that.

    Raises:
        RecipeError: Weights, gradients and the optimiser's state don't fit this machine.
    """
    if recipe.run.n_thread:
        torch.set_num_threads(recipe.run.n_thread)
    run = recipe.run
    trained = [p for p in task.model.parameters() if p.requires_grad]
    weights = sum(map(_size, (*task.model.parameters(), *task.model.buffers())))
    gradients = sum(map(_size, trained))
    state = sum(_state_bytes(p, recipe.optimizer) for p in trained)
    free = psutil.virtual_memory().available
    if gradients + state > free:
        raise RecipeError(
            f"gradients and the optimiser's state take {(gradients + state) / 1e9:.1f} GB, and"
            f" {free / 1e9:.1f} GB are free",
            hint="Measure on a larger machine, or name a smaller model.",
        )
    with World.join() as world, large_arena():
        trainer = Trainer(task, recipe, world)
        room = _SHARE_OF_MEMORY * (free - gradients - state)
        part = _measured(trainer, math.ceil(run.batch_size / run.accumulate / world.size), room)
        started = time.perf_counter()
        trainer.optimizer.step()
        seconds = part.seconds * run.accumulate + time.perf_counter() - started
    return Forecast(
        n_parameter=sum(p.numel() for p in task.model.parameters()),
        weights_bytes=weights * (2 if run.ema else 1), gradients_bytes=gradients,
        optimizer_bytes=state, activations_bytes=round(part.kept_bytes),
        seconds_per_step=seconds, seconds=seconds * run.steps,
        flops_per_step=part.flops * run.accumulate, n_measured=part.n_measured,
        n_sample=task.n_sample, n_epoch=run.steps * run.batch_size / task.n_sample,
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Needs of a whole part, from its samples that were computed."""

    n_measured: int
    seconds: float
    kept_bytes: float
    flops: float


def _measured(trainer: Trainer, n_whole: int, room: float) -> _Part:
    """Doubles the samples until they are the whole part, or too many for this machine."""
    hosts = _spread_parts(trainer)
    longest = max(hosts, key=lambda host: sum(tensor.numel() for tensor in host.values()))
    n, before = 1, 0
    _differentiate(trainer, _first(trainer, longest, n))  # the first time is slower
    while True:
        batches = [_first(trainer, host, n) for host in hosts]
        started = time.perf_counter()
        for batch in batches:
            _differentiate(trainer, batch)
        seconds = (time.perf_counter() - started) / len(batches)
        kept = _kept_bytes(trainer, _first(trainer, longest, n))
        following = min(2 * n, n_whole)
        is_too_much = following / n * seconds > _PATIENCE_S or following / n * kept > room
        if n == n_whole or (n > 1 and is_too_much):
            break
        n, before = following, kept
    flops = sum(_operations(trainer, batch) for batch in batches) / len(batches)
    # What does not grow with the samples (weights cast by autocast, masks) counts once.
    grown = (kept - before) / (n - n // 2) * (n_whole - n)
    return _Part(n, seconds * n_whole / n, kept + grown, flops * n_whole / n)


def _spread_parts(trainer: Trainer) -> list[Batch]:
    """Parts from all over an epoch: batches of like lengths differ much."""
    n_step = max(1, trainer.task.n_sample // trainer.recipe.run.batch_size)
    return [trainer.batches.get(step, 0) for step in sorted({i * n_step // _N_PART
                                                             for i in range(_N_PART)})]  # fmt: skip


def _first(trainer: Trainer, host: Batch, n: int) -> Batch:
    """The first samples of a part, padded as the whole part is."""
    return {name: tensor[:n].to(trainer.device) for name, tensor in host.items()}


def _loss(trainer: Trainer, batch: Batch) -> Tensor:
    with trainer.autocast():
        return trainer.scaler.scale(trainer.task.loss(trainer.wrapped, batch))


def _differentiate(trainer: Trainer, batch: Batch) -> None:
    loss = _loss(trainer, batch)
    loss.backward()
    float(loss.detach())  # waits for the device


def _operations(trainer: Trainer, batch: Batch) -> int:
    with FlopCounterMode(display=False) as counter:
        _differentiate(trainer, batch)
    return counter.get_total_flops()


def _kept_bytes(trainer: Trainer, batch: Batch) -> int:
    """Bytes of the distinct tensors that a forward pass keeps besides the weights."""
    own = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def give(tensor: Tensor) -> Tensor:
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, give):
        # The loss holds its graph, so that no storage is given out twice.
        loss = _loss(trainer, batch)
    total = sum(kept.values())
    del loss
    return total


def _state_bytes(parameter: nn.Parameter, settings: OptimizerSettings) -> int:
    """AdamW keeps two averages; Adafactor rows' and columns' means of what has two dimensions."""
    item = parameter.element_size()
    if settings.name == "adamw":
        return 2 * parameter.numel() * item
    if parameter.dim() < 2:
        return parameter.numel() * item
    *_, n_row, n_column = parameter.shape
    return parameter.numel() // (n_row * n_column) * (n_row + n_column) * item


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
