"""`kuaibao build`: make an issue from a folder with bulletin.toml."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.pipeline import BuildReport, Progress, Step

app = typer.Typer()

STAGE_NAMES = {
    "fetch": "Asking sources", "items": "Joining stories", "rank": "Ranking",
    "full_text": "Reading pages", "draft": "Drafting", "pictures": "Sorting pictures",
    "layout": "Laying out", "publish": "Publishing",
}  # fmt: skip


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with bulletin.toml.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the issue goes; DIR/out if not given.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The counts of each stage as one JSON document.")
    ] = False,
) -> None:
    """Make an issue: sources, items, ranking, full text, drafts, layout, publishing.

    Run again it does only what is new; a build that was killed goes on where it was.
    """
    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.pipeline import build as build_issue

    config = load_config(folder)
    target = out if out is not None else config.folder / "out"
    with ExitStack() as stack:
        report = build_issue(config, target, progress=_progress(stack))
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        show(report)


def _progress(stack: ExitStack) -> Progress:
    """A bar on standard error where somebody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = stack.enter_context(
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    )
    tasks = {stage: bar.add_task(name, total=None, visible=False)
             for stage, name in STAGE_NAMES.items()}  # fmt: skip

    def tell(step: Step) -> None:
        bar.update(tasks[step.stage], completed=step.done, total=step.total or None, visible=True)

    return tell


def show(report: BuildReport) -> None:
    """The counts, what went wrong, and where the issue lies."""
    counts = report.counts
    rows = (
        ("sources", f"{counts['sources']} asked, {counts['sources_failed']} failed"),
        ("entries", f"{counts['entries']}, {counts['entries_new']} of them new"),
        ("items", f"{counts['items_new']} new, {counts['entries_joined']} entries joined others"),
        ("ranked", f"{counts['items_due']} due, {counts['items_chosen']} chosen"),
        ("full text", f"{counts['pages_read']} pages read, {counts['pages_failed']} failed"),
        ("drafts", f"{counts['drafts_made']} made, {counts['drafts_kept']} kept"),
        ("printed", f"{counts['items_printed']} items in {counts['editions']} editions"),
    )
    if counts["pictures_found"]:
        lead = f"{counts['pictures_found']} found, {counts['pictures_lead']} lead an item"
        rows = (*rows[:-1], ("pictures", lead), rows[-1])
    for name, text in rows:
        typer.echo(f"{name:10} {text}")
    for notice in report.notices:
        typer.echo(f"notice: {notice}", err=True)
    for edition in report.editions:
        typer.echo(f"{edition.language}: {edition.folder}")
        for name in edition.files.values():
            typer.echo(f"    {edition.folder / name}")
