"""`kuaibao reproduce`: a paper's claims, run on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Run a paper's claims on this machine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Run a paper's claims on this machine."""


@app.command()
def pegasus(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of models and figures; it is gone on with.")
    ] = Path("runs/reproduce-pegasus"),
    scale: Annotated[
        str, typer.Option(help="full (three hours of two free cores) or small (ten minutes).")
    ] = "full",
    budget: Annotated[
        float, typer.Option(min=0.0, help="Stop after so many minutes; 0: at the end.")
    ] = 0.0,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="JSONL with splits; the descriptions of this system's archive if not given."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the report; that of --out if not given.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: torch's own number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """PEGASUS: gap sentences against masked words and nothing, six strategies, four ratios.

    Every training goes on where it was; run again after a kill or after --budget. The report is
    written anew each time, with what is finished.
    """  # fmt: skip
    from kuaibao.cli.progress import progress_bars
    from kuaibao.pegasus.debian import debian_cache, fetch_debian_pairs
    from kuaibao.pegasus.reproduction import find_scale, findings, reproduce, write_report

    chosen = find_scale(scale)
    file = pairs or fetch_debian_pairs(debian_cache())
    with progress_bars() as tell:
        outcomes, left = reproduce(
            chosen, file, out / scale, budget_s=60 * budget, n_thread=threads, progress=tell
        )
    path = write_report(outcomes, left, chosen, report or out / scale)
    if as_json:
        answer = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        typer.echo(json.dumps({**answer, "report": str(path)}))
        return
    typer.echo(f"{len(outcomes)} trials finished, {len(left)} left; report: {path}")
    for found in findings(outcomes, chosen):
        gap = found.difference
        typer.echo(
            f"{found.claim} at {found.n_pairs} examples: {100 * gap.mean:+.1f} "
            f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] ROUGE-1: {found.verdict}"
        )
