"""`kuaibao train`: a recipe becomes a model's folder."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.training import Devices, Forecast, Recipe, TrainingResult

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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much memory and time it needs, and stop.")
    ] = False,
    gpus: Annotated[
        int, typer.Option(min=0, help="Of a dry run: reckon the run for so many GPUs, too.")
    ] = 0,
    gpu_tflops: Annotated[
        float,
        typer.Option(min=0.1, help="Of a dry run: a GPU's peak in 10^12 operations a second."),
    ] = 312.0,
    gpu_hour: Annotated[
        float, typer.Option(min=0.0, help="Of a dry run: the price of a GPU's hour, in any money.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Train a model from a recipe: corpus, tokens, shards, training, evaluation, folder.

    A run that was killed or stopped (Ctrl-C) goes on with --resume, bit for bit. The best model by
    held-out loss lies in the run's folder under `model`. Several processes: torchrun.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from kuaibao.training import (
        Devices,
        end_process,
        find_task,
        forecast,
        load_recipe,
        write_report,
    )
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
        if dry_run:
            bar.stop()
            devices = Devices(n=gpus, peak_flops=gpu_tflops * 1e12, price=gpu_hour)
            _show_forecast(forecast(task, chosen), chosen, devices, as_json=as_json)
            return
        with _stopped_by_signals() as came:
            result = run_training(
                task, chosen, resume=resume, profile_samples=profile_samples, progress=tell,
                should_stop=lambda: bool(came),
            )  # fmt: skip
    if os.environ.get("RANK", "0") == "0":
        if result.is_finished:
            write_report(chosen.run_folder, result.state)
        if as_json:
            typer.echo(json.dumps(_to_json(result, task.sample_unit)))
        else:
            _show(result, task.sample_unit)
    if os.environ.get("WORLD_SIZE", "1") != "1":
        end_process()


@contextmanager
def _stopped_by_signals() -> Generator[list[int]]:
    """The signals that came; a second one of a kind ends at once, as usual."""
    came: list[int] = []
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, usual[signal.Signals(number)])

    for number in usual:
        signal.signal(number, note)
    try:
        yield came
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _show_forecast(found: Forecast, recipe: Recipe, devices: Devices, *, as_json: bool) -> None:
    reckoned = found.on(devices, recipe) if devices.n else {}
    if as_json:
        typer.echo(json.dumps({**found.to_json(), "gpus": reckoned or None}))
        return
    for name in ("weights", "gradients", "optimizer", "activations", "total"):
        typer.echo(f"{name:12} {getattr(found, name + '_bytes') / 1e6:10,.1f} MB")
    typer.echo(f"{found.n_parameter:,} parameters, {found.n_sample:,} samples, "
               f"{found.n_epoch:.2f} epochs, "
               f"{found.flops_per_step:.3g} operations a step")  # fmt: skip
    typer.echo(f"{found.seconds_per_step:.3f} s a step, {recipe.run.steps} steps: "
               f"{_time(found.seconds)} on this machine, reckoned from {found.n_measured} "
               "samples of a part")  # fmt: skip
    if not reckoned:
        return
    cost = f", cost {reckoned['cost']:,.0f}" if devices.price else ""
    typer.echo(f"{devices.n} GPUs at {devices.utilisation:.0%} of {devices.peak_flops / 1e12:g} "
               f"TFLOP/s: {_time(reckoned['hours'] * 3600)}, {reckoned['device_bytes'] / 1e9:,.1f} "
               f"GB each, {reckoned['device_hours']:,.0f} GPU-hours{cost}")  # fmt: skip


def _time(seconds: float) -> str:
    hours = seconds / 3600
    if hours < 1:
        return f"{seconds / 60:.1f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:,.1f} days"


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
