"""`kuaibao dedupe`: join records that tell one story, each join with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

STAGES = ("read", "identifiers", "addresses", "titles", "texts")


@app.command()
def dedupe(
    file: Annotated[
        Path,
        typer.Argument(metavar="RECORDS.jsonl", help="One JSON object a line (or one JSON array)."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find the records that tell one story: identifiers, addresses, titles with authors, texts.

    Fields by their usual names: id, title, authors, doi, arxiv, pmid, url, abstract or text, date.
    """
    from kuaibao.bulletin.reading.dedupe import group_records, read_records
    from kuaibao.cli.progress import progress_bar

    with progress_bar("Joining records", total=None) as tell:
        found = group_records(read_records(file), lambda stage, n: tell(n))
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for ids, joins in zip(found.groups, found.joins, strict=True):
        typer.echo(" = ".join(str(one) for one in ids))
        for join in joins:
            typer.echo(f"    {join.left} = {join.right}: {join.reason}")
    typer.echo(f"{found.n_record} records, {len(found.groups)} groups of two and more", err=True)
