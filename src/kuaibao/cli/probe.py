"""`kuaibao probe`: what a model's layers know of a set's classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def probe(
    model: Annotated[str, typer.Option("--model", "-m", help="A model's folder, or a hub id.")],
    data: Annotated[
        str,
        typer.Option(
            "--data", "-d", help="digits, mnist, emoji, or a folder whose sub-folders are classes."
        ),
    ],
    layers: Annotated[str, typer.Option(help="Such as 0,4,8; all if not given.")] = "",
    pool: Annotated[str, typer.Option(help="mean, quadrants, rows or last.")] = "mean",
    labels_per_class: Annotated[
        int, typer.Option(min=0, help="Fit on so many of each class, five draws; 0: all.")
    ] = 0,
    masks: Annotated[
        int, typer.Option(min=0, help="For BERT: so many masked views of a picture vote.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Training pictures at most; 0: all.")] = 0,
    c: Annotated[float, typer.Option("--c", help="Inverse strength of the penalty.")] = 1.0,
    plot: Annotated[Path | None, typer.Option(help="Accuracy over depth, as PNG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Linear probe (logistic regression) on each layer's features.

    The best layer is chosen on held-out pictures; the figure told is of the test pictures.
    """
    from kuaibao.cli.progress import progress_bar
    from kuaibao.errors import InputError, did_you_mean
    from kuaibao.files import hash_value
    from kuaibao.image_gpt import load_image_gpt, plot_layers, prepare, probe_layers
    from kuaibao.image_gpt.datasets.packages import cache_folder
    from kuaibao.image_gpt.features import POOLS

    if pool not in POOLS:
        raise InputError(f"no pool '{pool}'", hint=did_you_mean(pool, POOLS))
    loaded = load_image_gpt(model)
    place = hash_value(
        [data, str(Path(data).resolve()), loaded.palette.centers.tolist(), loaded.size]
    )
    packed = prepare(
        data, cache_folder() / "packed" / place[:20], size=loaded.size, grey=loaded.is_grey,
        palette=loaded.palette,
    )  # fmt: skip
    wanted = [_number(part) for part in layers.split(",")] if layers else None
    with progress_bar("Probing") as advance:
        report = probe_layers(
            loaded, packed, layers=wanted, pool=pool, c=c, labels_per_class=labels_per_class,
            n_mask=masks, n_train=limit, progress=lambda done, total: advance(done),
        )  # fmt: skip
    if plot is not None:
        plot_layers({model: report}, plot, title=data)
    if as_json:
        typer.echo(json.dumps({"model": model, "data": data, **report.to_json()}))
        return
    typer.echo(f"{report.n_train} training, {report.n_test} test pictures, {pool} pool")
    for s in report.layers:
        mark = "  <- best on validation" if s is report.best else ""
        typer.echo(f"  layer {s.layer:3}  {s.test:6.1%}  [{s.low:.1%}, {s.high:.1%}]{mark}")
    for message in packed.skipped[:5]:
        typer.echo(f"skipped: {message}", err=True)


def _number(text: str) -> int:
    from kuaibao.errors import InputError

    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"--layers takes numbers with commas, got {text!r}") from error
