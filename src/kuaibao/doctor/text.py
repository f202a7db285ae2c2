"""The report for a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["print_report"]


def print_report(report: dict[str, Any], console: Console) -> None:
    """Verdict, evidence, shares and advice."""
    verdict = report["verdict"]
    color = {"healthy": "green", "undecided": "yellow"}.get(verdict, "red")
    console.print(f"\n[bold]Verdict:[/bold] [bold {color}]{verdict}[/]")
    for line in report["evidence"]:
        console.print(f"  • {line}", highlight=False, markup=False)
    _print_shares(report, console)
    _print_memory(report, console)
    for warning in report["warnings"]:
        console.print(f"  ! {warning}", style="yellow", highlight=False, markup=False)
    _print_advice(report, console)


def _print_shares(report: dict[str, Any], console: Console) -> None:
    if not report["stalls"]:
        return
    table = Table(title="Where a step's time goes", title_justify="left")
    table.add_column("class")
    table.add_column("share", justify="right")
    table.add_column("range", justify="right")
    table.add_column("")
    ordered = sorted(report["stalls"].items(), key=lambda item: -item[1]["mid"])
    for name, share in ordered:
        if share["mid"] < 0.005:
            continue
        spread = f"{share['low']:.0%} – {share['high']:.0%}"
        table.add_row(name, f"{share['mid']:.1%}", spread, "█" * round(40 * share["mid"]))
    console.print(table)
    rates = report["rates"]
    ladder_was_climbed = report["ladder"]["S1_host_batch"] is not None
    console.print(
        f"  {rates['samples_per_s']:.4g} samples/s now; {rates['compute_samples_per_s']:.4g} if "
        f"data cost nothing; {rates['preparation_samples_per_s']:.4g} that one process prepares"
        # Cores are probed for the ablation; a run that is only watched knows nothing of them.
        + (f"; {rates['cores']:.2g} cores to be had" if ladder_was_climbed else ""),
        highlight=False,
    )


def _print_memory(report: dict[str, Any], console: Console) -> None:
    memory = report["memory"]
    forecast = memory["forecast"]
    if memory["batch_bytes"]:
        console.print(
            f"  memory: {forecast['n_batches_held']} batches of "
            f"{memory['batch_bytes'] / 1e6:.4g} MB held = {forecast['queued_bytes'] / 1e6:.4g} MB",
            highlight=False,
        )


def _print_advice(report: dict[str, Any], console: Console) -> None:
    if not report["advice"]:
        if report["verdict"] == "healthy":
            console.print("  Nothing to cure.", style="green")
        return
    table = Table(title="Advice", title_justify="left", show_lines=True)
    for column in ("cure", "predicted", "achieved", "what to do, and why"):
        table.add_column(column)
    for one in report["advice"]:
        table.add_row(
            one["cure"],
            _speedup(one["predicted_speedup"]),
            _speedup(one["achieved_speedup"]) if one["achieved_speedup"] else "",
            f"{one['what']}\n{one['why']}" + _checks(one),
        )
    console.print(table)
    for one in report["advice"]:
        if one["patch"]:
            console.print(one["patch"], highlight=False, markup=False)


def _checks(one: dict[str, Any]) -> str:
    if not one["checks"]:
        return ""
    return "\nchecked: " + ", ".join(f"{k} {v}" for k, v in one["checks"].items())


def _speedup(value: dict[str, float]) -> str:
    return f"{value['mid']:.2f}x ({value['low']:.2f} – {value['high']:.2f})"
