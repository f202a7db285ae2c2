"""`kuaibao ask`: questions over a bulletin's archive, answered with citations."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="A folder with bulletin.toml, or the archive's file or address."
        ),
    ] = Path(),
    answerer: Annotated[
        str,
        typer.Option(
            help="An installed answerer, such as few-shot (a running text service); none: the "
            "archive's own sentences."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Answer a question from the archive, with the items that support the answer."""
    from kuaibao.bulletin.store import Store
    from kuaibao.bulletin.writing import answer_question, find_answerer
    from kuaibao.cli.search import archive_of

    engine = find_answerer(answerer) if answerer else None
    with Store.open(archive_of(folder)) as store:
        found = answer_question(store, question, engine)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    if not found.text:
        typer.echo("The archive does not tell.")
        return
    typer.echo(found.text)
    for one in found.citations:
        typer.echo(f"  [{one.number}] {one.title}  {one.day}  {one.url}")
    for warning in found.warnings:
        typer.echo(f"  ! {warning}", err=True)
