"""`kuaibao headline`: headlines for texts, drafted by a model for an editor."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

MAX_CHARACTERS = 20_000


@app.command()
def headline(
    files: Annotated[list[Path], typer.Argument(help="Texts; '-' reads standard input.")],
    headliner: Annotated[
        str, typer.Option(help="An installed one; few-shot asks a running text service.")
    ] = "few-shot",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Draft a headline for each text, with a warning for what the text does not say."""
    from kuaibao.bulletin.model import DraftSentence
    from kuaibao.bulletin.writing import check_sentence, find_headliner
    from kuaibao.errors import InputError
    from kuaibao.text import detect_language

    writer = find_headliner(headliner)
    rows: list[dict[str, object]] = []
    for file in files:
        try:
            read = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} can't be read: {error}") from error
        text = read[:MAX_CHARACTERS]
        line = writer.headline(text, language=detect_language(text))
        checked = check_sentence(DraftSentence(text=line), text)
        rows.append({"file": str(file), "headline": line, "warnings": list(checked.warnings)})
        if not as_json:
            typer.echo(line)
            for warning in checked.warnings:
                typer.echo(f"  ! {warning}", err=True)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
