"""The loop: order, steps, evaluation, checkpoints, divergence; exact when it is resumed.

Every draw follows from (seed, step): data order from an epoch's permutation, random choices in a
batch and dropout from generators seeded anew at each step. So a run that was killed goes on bit for
bit, and needs to remember nothing but its tensors and its step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.training.distributed import World
from kuaibao.training.errors import DivergenceError
from kuaibao.training.optimizers import learning_rate, make_optimizer
from kuaibao.training.recipe import Recipe
from kuaibao.training.state import (
    RunState,
    latest_checkpoint,
    load_state,
    remove_old,
    save_state,
)
from kuaibao.training.task import Batch, Task

__all__ = ["Profile", "TrainingResult", "sample_order", "train"]

SPIKE = 4.0
"""A loss so many times the median of the latest ones is no training any more."""
_N_RECENT = 50


@dataclass
class Profile:
    """Where the time of a run's steps went, in seconds."""

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


@dataclass
class TrainingResult:
    """What a run came to."""

    state: RunState
    profile: Profile
    model_folder: Path | None
    is_finished: bool


Progress = Callable[[int, int, Mapping[str, float]], None]
"""(step, steps, figures)"""

EpochOrder = Callable[[int, np.random.Generator], NDArray[np.int64]]
"""(epoch, chance drawn from seed and epoch) → the order of all its samples"""


def sample_order(
    n_sample: int, seed: int, start: int, n: int, epoch_order: EpochOrder | None = None
) -> NDArray[np.int64]:
    """The indices of the `n` samples after the first `start` ones of a run.

    Each epoch is a permutation of its own, drawn from (seed, epoch); a task may order it by its own
    `epoch_order`, such as in batches of like lengths.
    """
    parts: list[NDArray[np.int64]] = []
    while n > 0:
        epoch, place = divmod(start, n_sample)
        generator = np.random.default_rng([seed, 1, epoch])
        order = (
            generator.permutation(n_sample)
            if epoch_order is None
            else epoch_order(epoch, generator)
        )
        part = order[place : place + n]
        parts.append(part)
        start, n = start + len(part), n - len(part)
    return np.concatenate(parts)


def train(
    task: Task,
    recipe: Recipe,
    *,
    resume: bool = False,
    profile_samples: int = 0,
    progress: Progress = lambda step, steps, figures: None,
) -> TrainingResult:
    """Train a task by its recipe.

    Args:
        task: Model and data.
        recipe: How.
        resume: Go on from the newest checkpoint that verifies, if there is one.
        profile_samples: Train so many samples, measure each part of the step, and stop; nothing
            is saved.
        progress: Told after each step.

    Raises:
        DivergenceError: The loss is no number, or shot up.
        TrainingStateError: The run's folder belongs to another recipe.
    """
    if recipe.run.n_thread:
        torch.set_num_threads(recipe.run.n_thread)
    with World.join() as world:
        trainer = _Trainer(task, recipe, world)
        if profile_samples:
            return trainer.profile(profile_samples)
        if resume:
            trainer.resume()
        return trainer.run(progress)


class _Trainer:
    """One run with what its steps share."""

    def __init__(self, task: Task, recipe: Recipe, world: World) -> None:
        self.task, self.recipe, self.world = task, recipe, world
        self.device = world.device
        self.model: nn.Module = task.model.to(self.device).train()
        self.wrapped = world.wrap(self.model)
        self.optimizer = make_optimizer(self.model, recipe.optimizer)
        self.state = RunState()
        self.measured = Profile()
        self.average: dict[str, Tensor] = {}
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.run.precision == "fp16")
        if recipe.run.ema:
            self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    @property
    def checkpoints(self) -> Path:
        return self.recipe.run_folder / "checkpoints"

    def resume(self) -> None:
        """Load the newest checkpoint that verifies."""
        path = latest_checkpoint(self.checkpoints)
        if path is not None:
            self.state, average = load_state(
                path, self.model, self.optimizer, self.recipe.fingerprint()
            )
            self.average = average or self.average

    def profile(self, n_sample: int) -> TrainingResult:
        """Train some samples with a clock at each part."""
        steps = max(1, math.ceil(n_sample / self.recipe.run.batch_size))
        for step in range(steps):
            self._step(step)
        return TrainingResult(self.state, self.measured, None, is_finished=False)

    def run(self, progress: Progress) -> TrainingResult:
        """All steps that are left."""
        run, state = self.recipe.run, self.state
        started, before = time.perf_counter(), state.seconds
        pending: list[tuple[int, Tensor]] = []
        stale = 0
        figures: dict[str, float] = {}
        while state.step < run.steps:
            loss = self._step(state.step)
            state.step += 1
            pending.append((state.step, loss))
            state.seconds = before + time.perf_counter() - started
            is_last = state.step == run.steps
            is_evaluated = is_last or state.step % run.evaluate_every == 0
            # Losses are looked at together and seldom: looking waits for the device.
            if is_evaluated or len(pending) >= 20 or state.step % run.checkpoint_every == 0:
                self._note(pending)
                figures = {"loss": state.losses[-1][1]}
                pending = []
            if is_evaluated:
                stale = 0 if self._evaluate() else stale + 1
                figures = figures | state.evaluations[-1][1]
            if is_last or state.step % run.checkpoint_every == 0:
                self._save()
            progress(state.step, run.steps, figures)
            if run.patience and stale >= run.patience:
                break
        return TrainingResult(state, self.measured, self._finish(), is_finished=True)

    def _batches(self, step: int) -> Iterator[Batch]:
        """The parts of a step's batch that fall to this process."""
        run, world = self.recipe.run, self.world
        order = sample_order(
            self.task.n_sample, self.recipe.seed, step * run.batch_size, run.batch_size,
            getattr(self.task, "epoch_order", None),
        )  # fmt: skip
        own = np.array_split(order, run.accumulate * world.size)
        for part in range(run.accumulate):
            place = part * world.size + world.rank
            generator = np.random.default_rng([self.recipe.seed, 2, step, place])
            torch.manual_seed(hash((self.recipe.seed, step, place)) % 2**63)
            yield self.task.batch(own[place], generator)

    def _step(self, step: int) -> Tensor:
        """One optimiser step; gives the mean loss without waiting for it."""
        settings = self.recipe.optimizer
        clock = _Clock(self.measured.seconds)
        total = torch.zeros((), device=self.device)
        n_part = self.recipe.run.accumulate
        batches = iter(self._batches(step))
        for part in range(n_part):
            with clock.of("data"):
                host = next(batches)
            with clock.of("transfer"):
                batch = {k: v.to(self.device, non_blocking=True) for k, v in host.items()}
            with clock.of("forward"), self.world.no_sync(self.wrapped, part < n_part - 1):
                with self._autocast():
                    loss = self.task.loss(self.wrapped, batch) / n_part
            with clock.of("backward"):
                self.scaler.scale(loss).backward()
            total += loss.detach()
            self.measured.n_unit += self.task.n_unit(host)
            self.state.n_unit += self.task.n_unit(host)
        with clock.of("optimizer"):
            rate = learning_rate(settings, step, self.recipe.run.steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.scaler.unscale_(self.optimizer)
            if settings.clip_norm:
                nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.optimizer.zero_grad(set_to_none=True)
            self._move_average()
        self.measured.n_step += 1
        self.measured.n_sample += self.recipe.run.batch_size
        return self.world.mean(total)

    def _autocast(self) -> Any:
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
        precision = self.recipe.run.precision
        return torch.autocast(self.device.type, kinds[precision], enabled=precision != "fp32")

    @torch.no_grad()
    def _move_average(self) -> None:
        decay = self.recipe.run.ema
        for name, tensor in self.model.state_dict().items() if decay else ():
            if tensor.is_floating_point():
                self.average[name].lerp_(tensor, 1 - decay)

    def _note(self, pending: list[tuple[int, Tensor]]) -> None:
        """Read the losses of the latest steps; stop if training fell apart."""
        for step, tensor in pending:
            loss = float(tensor)
            recent = sorted(value for _, value in self.state.losses[-_N_RECENT:])
            median = recent[len(recent) // 2] if recent else loss
            is_spike = len(recent) == _N_RECENT and loss > SPIKE * median
            if not math.isfinite(loss) or is_spike:
                raise DivergenceError(
                    f"step {step}: the loss is {loss:.4g}, lately it was {median:.4g}",
                    hint=self._last_good(),
                )
            self.state.losses.append((step, loss))

    def _last_good(self) -> str:
        path = latest_checkpoint(self.checkpoints)
        where = f"The last good checkpoint is {path}. " if path else "There is no checkpoint yet. "
        return where + "Lower the learning rate, lengthen the warm-up, or clip the gradient."

    def _evaluate(self) -> bool:
        """Measure on held-out samples; gives whether it was the best so far."""
        self.model.eval()
        with torch.inference_mode(), self._averaged():
            figures = self.task.evaluate(self.model)
        self.model.train()
        state = self.state
        state.evaluations.append((state.step, figures))
        if figures["loss"] < state.best_loss:
            state.best_loss, state.best_step = figures["loss"], state.step
            if self.world.rank == 0:
                with self._averaged():
                    self.task.save(self.model, self.recipe.run_folder / "model")
            return True
        return False

    def _averaged(self) -> Any:
        """The averaged weights in the model's place, if there are any."""
        return _Swapped(self.model, self.average)

    def _save(self) -> None:
        if self.world.rank != 0:
            return
        save_state(
            self.checkpoints, self.state, self.model, self.optimizer, self.average,
            self.recipe.fingerprint(),
        )  # fmt: skip
        remove_old(self.checkpoints, self.recipe.run.keep, self.state.best_step)

    def _finish(self) -> Path | None:
        folder = self.recipe.run_folder / "model"
        return folder if folder.is_dir() else None


class _Swapped:
    """Other weights in a model's place for the length of a block."""

    def __init__(self, model: nn.Module, weights: Mapping[str, Tensor]) -> None:
        self.model, self.weights = model, weights
        self.own: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        if self.weights:
            self.own = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
            self.model.load_state_dict(dict(self.weights))

    def __exit__(self, *_: object) -> None:
        if self.weights:
            self.model.load_state_dict(self.own)


class _Clock:
    """Adds the seconds of a block to a table."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.name = ""
        self.started = 0.0

    def of(self, name: str) -> _Clock:
        self.name = name
        return self

    def __enter__(self) -> None:
        self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self.started
        self.seconds[self.name] = self.seconds.get(self.name, 0.0) + spent
