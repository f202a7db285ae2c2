"""`kuaibao complete`: go on with a picture, or draw one from nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()


@app.command()
def complete(
    model: Annotated[str, typer.Option("--model", "-m", help="A model's folder, or a hub id.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The contact sheet, a PNG.")],
    picture: Annotated[
        Path | None,
        typer.Argument(metavar="PICTURE", help="What is gone on with; none draws from nothing."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, max=256, help="So many of each.")] = 8,
    keep: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the picture that is kept."),
    ] = 0.5,
    temperature: Annotated[
        list[float] | None,
        typer.Option("--temperature", "-t", help="Repeatable: one row each; 1 if not given."),
    ] = None,
    top_k: Annotated[int, typer.Option(min=0, help="Only so many likeliest colours; 0: all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Only the likeliest up to this probability.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Makes them repeatable.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Complete the lower part of a picture, as the paper shows it, on a contact sheet.

    Each row shows what was given, the completions, and the original.
    """
    import numpy as np
    import torch

    from kuaibao.cli.progress import progress_bar
    from kuaibao.image_gpt import complete as go_on
    from kuaibao.image_gpt import (
        contact_sheet,
        load_image_gpt,
        read_picture,
        resize,
        sample_pictures,
        write_sheet,
    )
    from kuaibao.image_gpt.objectives import bits_per_dimension, picture_log_likelihoods

    loaded = load_image_gpt(model)
    temperatures = temperature or [1.0]
    n_position = loaded.size**2
    n_given = min(n_position - 1, round(keep * loaded.size) * loaded.size) if picture else 0
    tokens = np.zeros((1, n_position), dtype=np.int64)
    if picture is not None:
        pixels = resize(read_picture(picture), loaded.size, grey=loaded.is_grey)
        tokens = loaded.palette.encode(pixels[None])
    rows: list[Any] = []
    total = len(temperatures) * (n_position - n_given)
    with progress_bar("Drawing pixels", total=total) as advance:
        for i, t in enumerate(temperatures):
            done = i * (n_position - n_given)
            settings: dict[str, Any] = {
                "temperature": t, "top_k": top_k, "top_p": top_p, "seed": seed,
                "progress": lambda k, done=done: advance(done + k),
            }  # fmt: skip
            if picture is None:
                rows.append(sample_pictures(loaded, n, **settings))
            else:
                rows.append(go_on(loaded, tokens, n_given, n, **settings)[0])
    given = np.repeat(tokens, len(rows), 0) if picture is not None else None
    write_sheet(contact_sheet(loaded, rows, given=given, n_given=n_given), out)
    channels = loaded.palette.n_channel
    found = [
        [bits_per_dimension(-float(x) / n_position, channels)
         for x in picture_log_likelihoods(loaded.decoder, torch.from_numpy(row))]
        for row in rows
    ]  # fmt: skip
    answer: dict[str, Any] = {"sheet": str(out), "size": loaded.size, "n_given": n_given,
              "temperatures": temperatures, "bits_per_dimension": found}  # fmt: skip
    if picture is not None:
        (own,) = picture_log_likelihoods(loaded.decoder, torch.from_numpy(tokens))
        answer["original_bits_per_dimension"] = bits_per_dimension(
            -float(own) / n_position, channels
        )
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(str(out))
