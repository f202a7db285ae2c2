"""The losses of a run as a table, as a picture and as a page that needs no other file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from kuaibao.files import atomic_path, write_json, write_text
from kuaibao.training.state import RunState

__all__ = ["write_report"]


def write_report(folder: Path, state: RunState) -> None:
    """Write `metrics.json`, and where matplotlib is installed `curve.png` and `curve.html`."""
    write_json(
        folder / "metrics.json",
        {"step": state.step, "losses": state.losses, "evaluations": state.evaluations,
         "best_step": state.best_step, "n_unit": state.n_unit, "seconds": state.seconds},
    )  # fmt: skip
    try:
        figure = _figure(state)
    except ModuleNotFoundError:
        return
    with atomic_path(folder / "curve.png") as path:
        figure.savefig(path, format="png")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    write_text(folder / "curve.html", _page(folder.name, state, svg[svg.index("<svg") :]))


def _figure(state: RunState) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*state.losses, strict=True), label="training", linewidth=0.8, alpha=0.7)
    if state.evaluations:
        steps = [step for step, _ in state.evaluations]
        axes.plot(steps, [f["loss"] for _, f in state.evaluations], "o-", label="held out")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats)")
    axes.legend()
    return figure


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
svg { width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
tr.best { font-weight: 600; }
"""


def _page(name: str, state: RunState, svg: str) -> str:
    """The curve, and the held-out figures as a table."""
    summary = f"{state.step:,} steps, {state.n_unit:,} units, {state.seconds:,.0f} s."
    if state.losses:
        summary += f" Last training loss {state.losses[-1][1]:.4f}."
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}: loss</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(name)}</h1>\n<p>{summary}</p>\n"
        f'<figure role="img" aria-label="Loss by step" style="margin:0">{svg}</figure>\n'
        f"{_table(state.evaluations, state.best_step)}</body></html>\n"
    )


def _table(evaluations: Sequence[tuple[int, Mapping[str, float]]], best_step: int) -> str:
    if not evaluations:
        return ""
    names = list(evaluations[0][1])
    head = "".join(f"<th scope=col>{escape(n.replace('_', ' '))}</th>" for n in ("step", *names))
    rows = "".join(
        f"<tr{' class=best' if step == best_step else ''}><td>{step:,}</td>"
        + "".join(f"<td>{figures[n]:.4f}</td>" for n in names)
        + "</tr>\n"
        for step, figures in evaluations
    )
    return f"<h2>Held out</h2>\n<table><tr>{head}</tr>\n{rows}</table>\n"
