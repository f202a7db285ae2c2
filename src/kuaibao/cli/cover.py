"""`kuaibao cover`: an issue's cover strip from a model's own pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def cover(
    out: Annotated[Path, typer.Option("-o", "--out", help="The strip, a PNG.")] = Path("cover.png"),
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A model's folder; the small one of the source tree."),
    ] = "",
    columns: Annotated[int, typer.Option(min=1, help="Pictures side by side.")] = 12,
    rows: Annotated[int, typer.Option(min=1, help="Rows of them.")] = 2,
    cell: Annotated[int, typer.Option(min=8, max=512, help="Side of each in pixels.")] = 96,
    temperature: Annotated[float, typer.Option("-t", min=0.05, help="Of the draw.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Such as the issue's number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Draw a cover strip: no picture in it was taken from anywhere."""
    from kuaibao.cli.progress import progress_bar
    from kuaibao.image_gpt import load_image_gpt, write_sheet
    from kuaibao.image_gpt.cover import draw_cover, find_model

    name = find_model(model)
    loaded = load_image_gpt(name)
    with progress_bar("Drawing pixels", total=loaded.size**2) as advance:
        made = draw_cover(
            loaded, columns=columns, rows=rows, cell=cell, temperature=temperature, seed=seed,
            progress=advance,
        )  # fmt: skip
    write_sheet(made.picture, out)
    if as_json:
        answer = {"cover": str(out), "width": made.picture.width, "height": made.picture.height,
                  "pictures": len(made.tokens), "drawn": made.n_drawn, "seed": seed,
                  "model": name}  # fmt: skip
        typer.echo(json.dumps(answer))
    else:
        typer.echo(str(out))
