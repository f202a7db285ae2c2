"""The losses of a run as a picture and as a table."""

from __future__ import annotations

from pathlib import Path

from kuaibao.files import atomic_path, write_json
from kuaibao.training.state import RunState

__all__ = ["write_report"]


def write_report(folder: Path, state: RunState) -> None:
    """Write `metrics.json`, and `curve.png` where matplotlib is installed."""
    write_json(
        folder / "metrics.json",
        {"step": state.step, "losses": state.losses, "evaluations": state.evaluations,
         "best_step": state.best_step, "n_unit": state.n_unit, "seconds": state.seconds},
    )  # fmt: skip
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*state.losses, strict=True), label="training", linewidth=0.8, alpha=0.7)
    if state.evaluations:
        steps = [step for step, _ in state.evaluations]
        axes.plot(steps, [f["loss"] for _, f in state.evaluations], "o-", label="held out")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats)")
    axes.legend()
    with atomic_path(folder / "curve.png") as path:
        FigureCanvasAgg(figure).print_png(path)
