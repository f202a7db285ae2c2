"""`kuaibao sources`: how each source fares, which kinds there are, OPML in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.config import BulletinConfig
    from kuaibao.bulletin.sources.checking import Checkup

app = typer.Typer(help="Check sources, import and export OPML.", no_args_is_help=True)
opml = typer.Typer(help="Exchange subscriptions with feed readers.", no_args_is_help=True)
app.add_typer(opml, name="opml")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with bulletin.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write there instead of printing.")]

_MARKS = {"ok": "✓", "silent": "…", "lagging": "…", "skipped": "–", "out_of_quota": "–"}
_WELL = frozenset({"ok", "skipped"})


@app.command()
def check(folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Ask every source once and say how it fares; nothing is stored.

    Exit status 1 if a source is broken, changed its layout, is gone, silent, behind or throttled.
    """
    from kuaibao.bulletin.config import load_config

    config = load_config(folder)
    found = list(_checkups(config))
    if as_json:
        document = {"ok": all(c.health.verdict in _WELL for c in found),
                    "sources": [checkup.to_json() for checkup in found]}  # fmt: skip
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for checkup in found:
            health = checkup.health
            mark = _MARKS.get(health.verdict, "✗")
            typer.echo(f"{mark} {checkup.source_id} ({checkup.kind}): {health.reason}")
            for problem in checkup.problems[:3]:
                typer.echo(f"    {problem}")
    raise typer.Exit(0 if all(c.health.verdict in _WELL for c in found) else 1)


def _checkups(config: BulletinConfig) -> list[Checkup]:
    from datetime import UTC, datetime

    from kuaibao.bulletin.sources.checking import check_sources
    from kuaibao.fetching import Fetcher

    states = _states(config)
    with Fetcher(config.settings.fetching.limits()) as fetcher:
        return list(
            check_sources(
                [entry.source for entry in config.sources],
                fetcher,
                now=datetime.now(UTC),
                base_dir=config.folder,
                state_of=lambda source_id: states.get(source_id, {}),
            )
        )


def _states(config: BulletinConfig) -> dict[str, dict[str, str]]:
    """What is remembered of each source; a store that is not there yet is not made."""
    from kuaibao.bulletin.store import Store

    where = config.database
    if "://" not in where and not Path(where).exists():
        return {}
    with Store.open(where) as store:
        names = [entry.source.source_id for entry in config.sources]
        return {name: store.source_state(name) for name in names}


@app.command()
def status(
    folder: Folder = Path(),
    as_json: AsJson = False,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="As Prometheus reads it (text format).")
    ] = False,
) -> None:
    """How each source fared when it was last asked, and when it is due; nobody is asked now.

    Exit status 1 as with `check`.
    """
    from datetime import UTC, datetime

    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.pipeline.watching import report_sources
    from kuaibao.bulletin.sources.report import metrics_text
    from kuaibao.bulletin.store import Store

    config = load_config(folder)
    with Store.open(config.database) as store:
        found = report_sources(store, config.sources, datetime.now(UTC))
    is_well = all(report.verdict in (*_WELL, "never_asked") for report in found)
    if metrics:
        typer.echo(metrics_text(found), nl=False)
    elif as_json:
        document = {"ok": is_well, "sources": [report.to_json() for report in found]}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for report in found:
            mark = _MARKS.get(report.verdict, "✗")
            reason = report.health.reason if report.health else "never asked"
            typer.echo(f"{mark} {report.source_id} ({report.kind}): {reason}")
    raise typer.Exit(0 if is_well else 1)


@app.command()
def kinds(as_json: AsJson = False) -> None:
    """The kinds of sources and their settings."""
    from kuaibao.bulletin.sources import source_kinds

    found = {name: _settings(point.load()) for name, point in sorted(source_kinds().items())}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for name, settings in found.items():
        typer.echo(name)
        for setting, words in settings.items():
            typer.echo(f"    {setting}: {words}")


def _settings(source_type: Any) -> dict[str, str]:
    from kuaibao.bulletin.sources import SourceSettings

    common: Any = SourceSettings
    fields = {**source_type.settings_type.__pydantic_fields__}
    described = {n: f.description for n, f in common.__pydantic_fields__.items()}
    return {
        name: " ".join((field.description or described.get(name) or "").split())
        for name, field in fields.items()
    }


@opml.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OPML of a feed reader.")],
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Turn an OPML file into [[sources]] tables for bulletin.toml."""
    from kuaibao.bulletin.sources.files import read_bytes
    from kuaibao.bulletin.sources.opml import read_opml

    found = read_opml(read_bytes(file, 10 * 1024 * 1024))
    if as_json:
        tables = [{"title": s.title, "url": s.url, "home": s.home, "folder": s.folder}
                  for s in found]  # fmt: skip
        _give(json.dumps({"sources": tables}, ensure_ascii=False, indent=2), out)
        return
    taken: set[str] = set()
    lines: list[str] = []
    for subscription in found:
        name = _unique(subscription.title or subscription.url, taken)
        lines += ["[[sources]]", f"id = {_toml(name)}", 'kind = "feed"',
                  f"url = {_toml(subscription.url)}", ""]  # fmt: skip
    _give("\n".join(lines), out)


@opml.command("export")
def export_opml(folder: Folder = Path(), out: Out = None) -> None:
    """Write the feeds of a bulletin as OPML."""
    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.sources.feed import FeedSource
    from kuaibao.bulletin.sources.opml import Subscription, write_opml

    config = load_config(folder)
    sources = [entry.source for entry in config.sources]
    feeds = [
        Subscription(url=source.settings.url, title=source.source_id)
        for source in sources
        if isinstance(source, FeedSource) and source.settings.url
    ]
    _give(write_opml(feeds, config.settings.series).decode("utf-8"), out)


def _give(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text)
        return
    from kuaibao.files import write_text

    write_text(out, text)


def _toml(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _unique(title: str, taken: set[str]) -> str:
    import re

    name = re.sub(r"[^\w-]+", "-", title.lower()).strip("-")[:60] or "feed"
    number, made = 2, name
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    taken.add(made)
    return made
