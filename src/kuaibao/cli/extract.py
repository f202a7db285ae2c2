"""`kuaibao extract`: what a saved page or PDF says, without network."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def extract(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Saved pages or PDFs; - for standard input."),
    ],
    url: Annotated[
        str, typer.Option(help="Where the page came from; relative links resolve against it.")
    ] = "",
    content_type: Annotated[
        str, typer.Option(help="The Content-Type header it came with, for its charset.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document a file, each on one line.")
    ] = False,
) -> None:
    """Title, text, authors, date, language and site of saved pages; PDFs too.

    Exit status 2 if a file cannot be opened; what could not be read is told in `problems`.
    """
    from kuaibao.bulletin.reading.pages import MAX_BYTES, Page, extract_page
    from kuaibao.bulletin.sources.files import read_bytes
    from kuaibao.errors import InputError

    exit_code = 0
    for path in files:
        try:
            is_pipe = str(path) == "-"
            data = (
                sys.stdin.buffer.read(MAX_BYTES + 1) if is_pipe else read_bytes(path, MAX_BYTES + 1)
            )
        except InputError as error:
            if len(files) == 1:
                raise
            page, exit_code = Page(problems=(error.message,)), error.exit_code
        else:
            page = extract_page(data, url=url, content_type=content_type)
        document = page.to_json()
        if as_json:
            named = {"file": str(path)} if len(files) > 1 else {}
            typer.echo(json.dumps({**named, **document}, ensure_ascii=False))
            continue
        typer.echo(f"{page.title or '(no title)'}\n")
        told = (", ".join(page.authors), document["published"], page.site, page.language)
        typer.echo(" · ".join(part for part in told if part) + "\n")
        typer.echo(page.text + "\n")
        for problem in page.problems:
            typer.echo(f"{path}: {problem}", err=True)
    raise typer.Exit(exit_code)
