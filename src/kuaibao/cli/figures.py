"""`kuaibao figures`: sort an item's pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.image_gpt import ImageGPT

app = typer.Typer()


@app.command()
def figures(
    pictures: Annotated[
        list[Path] | None, typer.Argument(metavar="PICTURES", help="Files and folders.")
    ] = None,
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A model's folder; the small one of the source tree."),
    ] = "",
    choose: Annotated[
        str,
        typer.Option(help="The editor's word: the pictures are of this kind. Retrains the probe."),
    ] = "",
    choices: Annotated[Path, typer.Option(help="Where the editor's choices are kept.")] = Path(
        "figure-choices.npz"
    ),
    train: Annotated[
        Path | None,
        typer.Option(help="Fit the probe anew on a folder whose sub-folders are the kinds."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Kinds (chart, diagram, formula, logo, photograph, screenshot), near-identical pictures, lead.

    With --choose the probe learns from the editor; the next call uses it.
    """
    import torch

    from kuaibao.errors import InputError
    from kuaibao.image_gpt import load_image_gpt, read_picture
    from kuaibao.image_gpt.cover import find_model
    from kuaibao.image_gpt.figures import (
        add_choice,
        figure_features,
        load_probe,
        read_choices,
        sort_figures,
    )

    name = find_model(model)
    loaded = load_image_gpt(name)
    if train is not None:
        _train(loaded, Path(name), train, as_json)
        return
    if not pictures:
        raise InputError("no pictures are named", hint="kuaibao figures FOLDER")
    probe = load_probe(Path(name))
    if choose:
        values = figure_features(loaded, [read_picture(path) for path in pictures])
        n = max(add_choice(choices, row, choose) for row in values)
        typer.echo(json.dumps({"kind": choose, "choices": n}) if as_json else f"{n} choices")
        return
    extra, labels = read_choices(choices, probe.features.shape[1])
    with torch.inference_mode(False):
        probe = probe.with_choices(extra, labels)
    found = sort_figures(pictures, loaded, probe)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for f in found.figures:
        same = f"  same as {f.same_as}" if f.same_as else ""
        typer.echo(f"{f.kind:11} {f.probability:4.0%}  {f.width:5} × {f.height:<5} {f.file}{same}")
    typer.echo(f"lead: {found.lead or '—'} ({found.reason})")
    for message in found.skipped:
        typer.echo(f"skipped: {message}", err=True)


def _train(model: ImageGPT, folder: Path, examples: Path, as_json: bool) -> None:
    from kuaibao.cli.progress import progress_bar
    from kuaibao.image_gpt.figures import save_probe
    from kuaibao.image_gpt.figures.training import train_figure_probe

    with progress_bar("Reading examples") as advance:
        probe, figures = train_figure_probe(model, examples, progress=advance)
    save_probe(probe, folder)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        accuracy, n = figures["accuracy"], figures["n_test"]
        typer.echo(f"{figures['n_train']} examples; {accuracy:.1%} right on {n} held out")
