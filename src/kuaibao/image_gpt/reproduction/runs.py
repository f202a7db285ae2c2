"""Training runs of a study: cut by a budget, gone on with, snapshots on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kuaibao.errors import KuaibaoError
from kuaibao.files import write_json
from kuaibao.image_gpt.task import ImageGPTTask, make_task
from kuaibao.training import Recipe, train

__all__ = ["Budget", "OutOfBudgetError", "remembered", "run_recipe"]

Tell = Callable[[str, int, int], None]


class OutOfBudgetError(KuaibaoError):
    """The time is up; the same command goes on from here."""

    exit_code = 75


@dataclass
class Budget:
    """Wall time that may be used; work is cut into pieces, and none is begun that would not fit."""

    seconds: float = float("inf")
    started: float = field(default_factory=time.monotonic)
    longest: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds of the longest piece of each kind so far."""

    def note(self, kind: str, seconds: float) -> None:
        """Remember how long a piece took."""
        self.longest[kind] = max(seconds, self.longest.get(kind, 0.0))

    def check(self, kind: str = "") -> None:
        """Raise `OutOfBudgetError` if the next piece of a kind would not fit."""
        left = self.seconds - (time.monotonic() - self.started)
        if left < self.longest.get(kind, 0.0) or left < 0:
            raise OutOfBudgetError(
                f"the budget of {self.seconds / 60:.0f} minutes is used up",
                hint="Run the same command again: it goes on where it was.",
            )


def remembered(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds, or what is made and written there."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    value = make()
    write_json(path, value)
    return value


def run_recipe(
    recipe: Recipe, budget: Budget, tell: Tell, *, snapshots: Sequence[int] = ()
) -> dict[str, Any]:
    """Train, or go on; gives the run's figures.

    Args:
        recipe: Its folder holds checkpoints and model.
        budget: Looked at after each checkpoint.
        tell: Told (what, step, steps).
        snapshots: Steps whose weights stay under `snapshots/STEP`, with their held-out loss.

    Raises:
        OutOfBudgetError: Cut; the checkpoint is written.
    """
    task = make_task(recipe, tell)
    folder, kind = recipe.run_folder, f"{recipe.model} {recipe.data['pictures']}"
    since = time.monotonic()

    def after(step: int, steps: int, figures: Any) -> None:
        nonlocal since
        tell(recipe.name, step, steps)
        if step in snapshots and not (folder / "snapshots" / str(step) / "figures.json").is_file():
            _snapshot(task, folder / "snapshots" / str(step))
        if step % recipe.run.checkpoint_every == 0:
            budget.note(kind, time.monotonic() - since)
            since = time.monotonic()
            budget.check(kind)

    result = train(task, recipe, resume=True, progress=after)
    step, figures = min(result.state.evaluations, key=lambda e: e[1]["loss"])
    return {
        "best_step": step, "figures": figures, "seconds": result.state.seconds,
        "n_pixel": result.state.n_unit, "evaluations": result.state.evaluations,
        "n_parameter": sum(p.numel() for p in task.model.parameters()),
    }  # fmt: skip


def _snapshot(task: ImageGPTTask, folder: Path) -> None:
    task.model.eval()
    with torch.inference_mode():
        figures = task.evaluate(task.model)
        task.save(task.model, folder)
    task.model.train()
    write_json(folder / "figures.json", figures)
