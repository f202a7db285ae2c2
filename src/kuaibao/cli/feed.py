"""`kuaibao feed parse`: read saved feeds of any kind, without network."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.sources.feeds import Feed

app = typer.Typer(help="Read saved feeds.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Read saved feeds."""


@app.command()
def parse(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Saved feeds; - for standard input.")
    ],
    url: Annotated[
        str, typer.Option(help="Where the feed came from; relative links resolve against it.")
    ] = "",
    content_type: Annotated[
        str, typer.Option(help="The Content-Type header it came with, for its charset.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document a file, each on one line.")
    ] = False,
) -> None:
    """Read RSS, RDF, Atom and JSON Feed; ill-formed ones too, with what is wrong in `problems`.

    Exit status 2 if a file cannot be opened; what is no feed is told in `problems`.
    """
    from kuaibao.bulletin.sources.feeds import MAX_BYTES, Feed, parse_feed
    from kuaibao.errors import InputError

    exit_code = 0
    for path in files:
        try:
            data = _read(path, MAX_BYTES + 1)
        except InputError as error:
            if len(files) == 1:
                raise
            feed, exit_code = Feed(problems=(error.message,)), error.exit_code
        else:
            feed = parse_feed(data, url=url, content_type=content_type)
        if as_json:
            named = {"file": str(path)} if len(files) > 1 else {}
            typer.echo(json.dumps({**named, **feed.to_json()}, ensure_ascii=False))
        else:
            _show(path, feed)
    raise typer.Exit(exit_code)


def _read(path: Path, max_bytes: int) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(max_bytes)
    from kuaibao.bulletin.sources.files import read_bytes

    return read_bytes(path, max_bytes)


def _show(path: Path, feed: Feed) -> None:
    typer.echo(f"{path}: {feed.title.value or '(no title)'} [{feed.format or 'no feed'}]")
    for entry in feed.entries:
        moment = entry.published or entry.updated
        day = moment.date().isoformat() if moment else "          "
        typer.echo(f"  {day}  {entry.title.value or entry.summary.value[:80]}  {entry.link}")
    for problem in feed.problems:
        typer.echo(f"  problem: {problem}", err=True)
