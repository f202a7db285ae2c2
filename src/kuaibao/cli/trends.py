"""`kuaibao trends`: rising and falling topics of the archive."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    pass

app = typer.Typer()


@app.command()
def trends(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="A folder with bulletin.toml, or the archive's file or address."
        ),
    ] = Path(),
    months: Annotated[int, typer.Option(min=1, max=120, help="So many months up to --until.")] = 12,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day; today if not given."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a page with plots there (HTML).")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the page: en or zh.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Key phrases, what rises and falls by month, what goes together, a map of the last month."""
    from kuaibao.bulletin.reading.trends import find_trends, trends_page
    from kuaibao.bulletin.store import Store, items_since
    from kuaibao.cli.progress import progress_bar
    from kuaibao.cli.search import archive_of
    from kuaibao.files import write_text

    last = (until or datetime.now(UTC)).date()
    first = (last - timedelta(days=31 * (months - 1))).replace(day=1)
    with Store.open(archive_of(folder)) as store, progress_bar("Counting phrases") as tell:

        def chosen():
            for n, item in enumerate(items_since(store, first), 1):
                moment = item.lead.published or item.lead.updated
                if moment is not None and first <= moment.day <= last:
                    yield item
                if n % 200 == 0:
                    tell(n)

        found = find_trends(chosen(), n_month=months)
    if out is not None:
        write_text(out, trends_page(found, language=language))
        typer.echo(f"written: {out}", err=True)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
    elif out is None:
        typer.echo(f"{sum(found.n_item)} items in {len(found.months)} months")
        for name, rows in (
            ("rising", found.rising),
            ("falling", found.falling),
            ("often", found.phrases),
        ):
            for one in rows[:10]:
                typer.echo(f"{name:8} {one.phrase}  {' '.join(map(str, one.counts))}")
        for pair in found.together[:10]:
            typer.echo(f"together {pair.a} + {pair.b}  {pair.n_item}")
