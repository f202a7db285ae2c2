"""The loop: order, steps, evaluation, checkpoints, divergence; exact when it is resumed.

Every draw follows from (seed, step): data order from an epoch's permutation, random choices in a
batch and dropout from generators seeded anew at each step. So a run that was killed goes on bit for
bit, and needs to remember nothing but its tensors and its step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kuaibao.loading.arena import large_arena
from kuaibao.training.averaging import move_average, swapped
from kuaibao.training.batches import HostBatches
from kuaibao.training.distributed import World, placed_like, whole
from kuaibao.training.errors import DivergenceError
from kuaibao.training.optimizers import learning_rate, make_optimizer
from kuaibao.training.precision import fastest_precision
from kuaibao.training.profile import Clock, Profile
from kuaibao.training.recipe import Recipe
from kuaibao.training.state import (
    RunState,
    latest_checkpoint,
    load_state,
    remove_old,
    save_state,
)
from kuaibao.training.task import Task
from kuaibao.training.tensorboard import EventWriter

__all__ = ["Trainer", "TrainingResult", "train"]

SPIKE = 4.0
"""A loss so many times the median of the latest ones is no training any more."""
_N_RECENT = 50
_N_PENDING = 20


@dataclass
class TrainingResult:
    """What a run came to."""

    state: RunState
    profile: Profile
    model_folder: Path | None
    is_finished: bool


Progress = Callable[[int, int, Mapping[str, float]], None]
"""(step, steps, figures)"""


def train(
    task: Task,
    recipe: Recipe,
    *,
    resume: bool = False,
    profile_samples: int = 0,
    progress: Progress = lambda step, steps, figures: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train a task by its recipe.

    Args:
        task: Model and data.
        recipe: How.
        resume: Go on from the newest checkpoint that verifies, if there is one.
        profile_samples: Train so many samples, measure each part of the step, and stop; nothing
            is saved.
        progress: Told after each step.
        should_stop: Asked after each step; when true, a checkpoint is written and the run ends.

    Raises:
        DivergenceError: The loss is no number, or shot up.
        TrainingStateError: The run's folder belongs to another recipe, or can't be written.
    """
    if recipe.run.n_thread:
        torch.set_num_threads(recipe.run.n_thread)
    with World.join(recipe.run.parallel) as world, large_arena():
        # Only the call holds the trainer: what it wraps the model in must go before the group.
        if profile_samples:
            return Trainer(task, recipe, world).profile(profile_samples)
        return Trainer(task, recipe, world, resume=resume).run(progress, should_stop)


class Trainer:
    """One run with what its steps share."""

    def __init__(self, task: Task, recipe: Recipe, world: World, *, resume: bool = False) -> None:
        self.device = world.device
        if recipe.run.precision == "auto":
            chosen = world.agreed(lambda: fastest_precision(self.device))
            recipe = replace(recipe, run=replace(recipe.run, precision=chosen))
        self.task, self.recipe, self.world = task, recipe, world
        self.model: nn.Module = task.model.to(self.device).train()
        if recipe.run.recompute:
            task.model.recompute = True
        self.outline = world.outline(self.model)
        self.wrapped = world.wrap(self.model)
        if recipe.run.compile:
            self.wrapped.compile(backend=recipe.run.compile)  # in place: names stay its own
        self.optimizer = make_optimizer(self.model, recipe.optimizer)
        self.state = RunState()
        self.measured = Profile()
        self.average: dict[str, Tensor] = {}
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.run.precision == "fp16")
        if recipe.run.ema:
            self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.batches = HostBatches(task, recipe, world)
        if resume:
            self.resume()

    @property
    def checkpoints(self) -> Path:
        """Where they lie."""
        return self.recipe.run_folder / "checkpoints"

    def resume(self) -> None:
        """Load the newest checkpoint that verifies."""
        newest = self.world.agreed(lambda: str(latest_checkpoint(self.checkpoints) or ""))
        if not newest:
            return
        self.state, average = load_state(
            Path(newest), self.model, self.optimizer, self.recipe.fingerprint()
        )
        for name, tensor in average.items():
            self.average[name] = placed_like(tensor, self.average[name])
        if self.state.scaler:
            self.scaler.load_state_dict(self.state.scaler)

    def profile(self, n_sample: int) -> TrainingResult:
        """Train some samples with a clock at each part."""
        self.step(0)  # not counted: it loads and compiles what the others use
        self.measured, self.state.n_unit = Profile(), 0
        for step in range(1, 1 + max(1, math.ceil(n_sample / self.recipe.run.batch_size))):
            self.step(step)
        return TrainingResult(self.state, self.measured, None, is_finished=False)

    def run(self, progress: Progress, should_stop: Callable[[], bool]) -> TrainingResult:
        """All steps that are left."""
        run, state = self.recipe.run, self.state
        started, before = time.perf_counter(), state.seconds
        curves = EventWriter(self.recipe.run_folder / "tensorboard") if self._writes else None
        pending: list[tuple[int, Tensor]] = []
        figures: dict[str, float] = {}
        is_stopped = False
        while state.step < run.steps and not is_stopped and not self._is_stale():
            loss = self.step(state.step)
            state.step += 1
            pending.append((state.step, loss))
            state.seconds = before + time.perf_counter() - started
            is_stopped = self.world.size == 1 and should_stop()
            is_last = state.step == run.steps or is_stopped
            is_evaluated = state.step % run.evaluate_every == 0 or state.step == run.steps
            is_saved = is_last or state.step % run.checkpoint_every == 0
            # Losses are looked at together and seldom: looking waits for the device.
            if is_evaluated or is_saved or len(pending) >= _N_PENDING:
                figures = self._note(pending, curves)
                pending = []
            if is_evaluated:
                figures |= self._evaluate()
                if curves:
                    curves.scalars(state.step, {f"held_out/{k}": v for k, v in figures.items()})
            if is_saved:
                self._save()
            progress(state.step, run.steps, figures)
        is_finished = not is_stopped or state.step == run.steps
        folder = self.recipe.run_folder / "model"
        return TrainingResult(
            state, self.measured, folder if folder.is_dir() else None, is_finished=is_finished
        )

    @property
    def _writes(self) -> bool:
        return self.world.rank == 0

    def _is_stale(self) -> bool:
        """Whether the held-out loss got no better for longer than the recipe's patience."""
        latest = [step for step, _ in self.state.evaluations]
        n_since = sum(step > self.state.best_step for step in latest)
        return bool(self.recipe.run.patience) and n_since >= self.recipe.run.patience

    def step(self, step: int) -> Tensor:
        """One optimiser step; gives the mean loss without waiting for it."""
        settings, run = self.recipe.optimizer, self.recipe.run
        clock = Clock(self.measured.seconds)
        total = torch.zeros((), device=self.device)
        for part in range(run.accumulate):
            with clock.of("data"):
                host = self.batches.get(step, part)
            with clock.of("transfer"):
                batch = {k: v.to(self.device, non_blocking=True) for k, v in host.items()}
            torch.manual_seed(self.batches.seed(step, part))
            with self.world.no_sync(self.wrapped, part < run.accumulate - 1):
                with clock.of("forward"), self.autocast():
                    loss = self.task.loss(self.wrapped, batch) / run.accumulate
                with clock.of("backward"):
                    self.scaler.scale(loss).backward()
            total += loss.detach()
            n_unit = self.task.n_unit(host) * self.world.size
            self.measured.n_unit += n_unit
            self.state.n_unit += n_unit
        with clock.of("optimizer"):
            rate = learning_rate(settings, step, run.steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.scaler.unscale_(self.optimizer)
            if settings.clip_norm:
                nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.optimizer.zero_grad(set_to_none=True)
            if run.ema:
                move_average(self.average, self.model, run.ema)
        self.measured.n_step += 1
        self.measured.n_sample += run.batch_size
        return self.world.mean(total)

    def autocast(self) -> Any:
        """The context in which losses are computed."""
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
        precision = self.recipe.run.precision
        return torch.autocast(self.device.type, kinds[precision], enabled=precision != "fp32")

    def _note(
        self, pending: list[tuple[int, Tensor]], curves: EventWriter | None
    ) -> dict[str, float]:
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
            if curves:
                rate = learning_rate(self.recipe.optimizer, step - 1, self.recipe.run.steps)
                curves.scalars(step, {"loss": loss, "learning_rate": rate})
        return {"loss": self.state.losses[-1][1]}

    def _last_good(self) -> str:
        path = latest_checkpoint(self.checkpoints)
        where = f"The last good checkpoint is {path}. " if path else "There is no checkpoint yet. "
        return where + "Lower the learning rate, lengthen the warm-up, or clip the gradient."

    def _evaluate(self) -> dict[str, float]:
        """Measure on held-out samples; the best model so far is saved."""
        self.model.eval()
        state = self.state
        with swapped(self.model, self.average):
            with torch.no_grad():
                figures = self.task.evaluate(self.wrapped if self.outline else self.model)
            state.evaluations.append((state.step, figures))
            if figures["loss"] < state.best_loss:
                state.best_loss, state.best_step = figures["loss"], state.step
                model = self._whole_model()
                if self._writes:
                    self.task.save(model, self.recipe.run_folder / "model")
        self.model.train()
        return dict(figures)

    def _whole_model(self) -> nn.Module:
        if self.outline is None:
            return self.model
        tensors = {name: whole(t).detach() for name, t in self.model.state_dict().items()}
        self.outline.load_state_dict(tensors, assign=True)
        return self.outline

    def _save(self) -> None:
        state = self.state
        state.scaler = dict(self.scaler.state_dict())
        save_state(
            self.checkpoints, state, self.model, self.optimizer, self.average,
            self.recipe.fingerprint(), is_writer=self._writes,
        )  # fmt: skip
        if self._writes:
            remove_old(self.checkpoints, self.recipe.run.keep, state.best_step)
