"""`kuaibao search`: find items in the archive of a bulletin."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.store import Found

app = typer.Typer()


@app.command()
def search(
    query: Annotated[
        str,
        typer.Argument(
            help='Words, "a phrase", -not, begin*, title:word, author:name, a OR b; kind:, '
            "source:, language:, since:, until:."
        ),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="A folder with bulletin.toml, or the archive's file or address."
        ),
    ] = Path(),
    kind: Annotated[
        list[str] | None, typer.Option(help="news, article, tool, paper, conference; repeatable.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="A source's id; repeatable.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="en, zh …; repeatable.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many items.")] = 20,
    offset: Annotated[int, typer.Option(min=0, max=100_000, help="Pass over so many.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Search the archive: Chinese words of any length exactly, traditional or simplified."""
    import time

    from kuaibao.bulletin.store import Store, search_archive

    with Store.open(archive_of(folder)) as store:
        started = time.perf_counter()
        found = search_archive(
            store,
            query,
            limit=limit,
            offset=offset,
            kinds=kind or (),
            sources=source or (),
            languages=language or (),
            since=since.date() if since else None,
            until=until.date() if until else None,
        )
        took_ms = 1000 * (time.perf_counter() - started)
    if as_json:
        document = {
            "query": query,
            "took_ms": round(took_ms, 1),
            "results": [_result(f) for f in found],
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for one in found:
        result = _result(one)
        typer.echo(f"{result['date'] or '':10}  {result['title']}  [{result['source']}]")
        typer.echo(f"            {result['snippet']}")
        typer.echo(f"            {result['url']}")
    typer.echo(f"{len(found)} found in {took_ms:.0f} ms", err=True)


def archive_of(folder: Path) -> str:
    """Where a bulletin's archive lies.

    Raises:
        InputError: There is none yet.
    """
    from kuaibao.bulletin.config import CONFIG_NAME, load_config
    from kuaibao.errors import InputError

    if "://" in str(folder).replace(":/", "://", 1) and not folder.exists():
        return str(folder).replace(":/", "://", 1)  # Path folds the slashes of an address
    if folder.is_file() and folder.name != CONFIG_NAME and folder.suffix != ".toml":
        return str(folder)
    where = load_config(folder).database
    if "://" not in where and not Path(where).exists():
        raise InputError(
            f"{where}: no archive yet", hint="Run `kuaibao build` or `kuaibao watch` first."
        )
    return where


def _result(found: Found) -> dict[str, Any]:
    entry = found.entry
    moment = entry.published or entry.updated
    length = {"year": 4, "month": 7}.get(moment.precision, 10) if moment else 0
    return {
        "id": found.item_id,
        "title": entry.title,
        "url": entry.url,
        "source": entry.source_id,
        "kind": entry.kind,
        "language": entry.language,
        "authors": list(entry.authors),
        "date": moment.value.date().isoformat()[:length] if moment else None,
        "snippet": found.snippet,
        "score": round(found.score, 4),
    }
