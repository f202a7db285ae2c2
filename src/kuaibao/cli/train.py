"""`kuaibao train`: a recipe becomes a model's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.training import TrainingResult

app = typer.Typer()


@app.command()
def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.toml", help="What is trained, on what.")
    ],
    profile_samples: Annotated[
        int,
        typer.Option(help="Train so many samples, print where the time went, and stop."),
    ] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint of the run.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Train a model from a recipe: corpus, tokens, shards, training, evaluation, folder.

    A run that was killed goes on with --resume, bit for bit. The best model by held-out loss lies
    in the run's folder under `model`.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from kuaibao.training import find_task, load_recipe, write_report
    from kuaibao.training import train as run_training

    chosen = load_recipe(recipe)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn(), TextColumn("{task.fields[figures]}"))  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        number = bar.add_task("Preparing", total=None, figures="")

        def prepare(what: str, done: int, total: int) -> None:
            bar.update(number, description=what, completed=done, total=total or None)

        def tell(step: int, steps: int, figures: Mapping[str, float]) -> None:
            shown = " ".join(f"{k} {v:.4g}" for k, v in figures.items())
            bar.update(number, description="Training", completed=step, total=steps, figures=shown)

        task = find_task(chosen, prepare)
        result = run_training(
            task, chosen, resume=resume, profile_samples=profile_samples, progress=tell
        )
    if result.is_finished:
        write_report(chosen.run_folder, result.state)
    if as_json:
        typer.echo(json.dumps(_to_json(result, task.sample_unit)))
    else:
        _show(result, task.sample_unit)


def _to_json(result: TrainingResult, unit: str) -> dict[str, object]:
    state = result.state
    return {
        "finished": result.is_finished,
        "step": state.step,
        "loss": state.losses[-1][1] if state.losses else None,
        "evaluation": state.evaluations[-1][1] if state.evaluations else None,
        "best_step": state.best_step,
        "unit": unit,
        "profile": result.profile.to_json(),
        "model": str(result.model_folder) if result.model_folder else None,
    }


def _show(result: TrainingResult, unit: str) -> None:
    profile = result.profile.to_json()
    if result.state.losses:
        typer.echo(f"step {result.state.step}: loss {result.state.losses[-1][1]:.4f}")
    for step, figures in result.state.evaluations[-1:]:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        typer.echo(f"held out at step {step}: {shown}")
    typer.echo(f"{profile['units_per_second']:.0f} {unit} a second")
    for name, share in profile["shares"].items():
        typer.echo(f"  {name:10} {share:6.1%}")
    if result.model_folder:
        typer.echo(f"model: {result.model_folder}")
