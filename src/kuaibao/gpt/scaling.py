"""Loss against compute, as GPT-3's paper shows it (figure 3.1), at the scale of one's own machine.

Sizes S, M and L learn the same text for the same tokens; their held-out losses along the way are
points, and a power law is fitted to those that no cheaper point beats: L = a · C^-b.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kuaibao.errors import InputError
from kuaibao.files import atomic_path, write_json, write_text
from kuaibao.gpt.corpus import TokenCorpus, prepare_corpus
from kuaibao.gpt.documents import resolve_source
from kuaibao.gpt.task import GPTTask
from kuaibao.training import OptimizerSettings, Recipe, RunSettings, train
from kuaibao.transformer import TransformerConfig, build_model

__all__ = ["SIZES", "Fit", "Point", "ScalingPlan", "fit_power_law", "frontier", "run_scaling",
           "write_scaling_report"]  # fmt: skip

SIZES: dict[str, tuple[int, int, int]] = {"S": (2, 96, 3), "M": (4, 160, 5), "L": (6, 256, 8)}
"""Layers, width and heads."""
PETAFLOP_DAY = 1e15 * 86_400
GPT3_EXPONENT = 0.048
"""Of the paper's fit, L = 2.57 · C^-0.048 with C in petaflop-days."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class ScalingPlan:
    """What is trained."""

    corpus: tuple[str, ...] = ("debian:descriptions",)
    sizes: tuple[str, ...] = ("S", "M", "L")
    steps: int = 480
    batch_size: int = 8
    sequence_length: int = 256
    vocab_size: int = 4096
    learning_rate: float = 2e-3
    n_evaluation: int = 12
    seed: int = 0

    def steps_between(self) -> int:
        """Steps from one evaluation to the next."""
        return max(1, self.steps // self.n_evaluation)


@dataclass(frozen=True)
class Point:
    """A held-out loss after so much computing."""

    size: str
    n_parameter: int
    """Without embeddings, as the paper counts."""
    n_token: int
    flop: float
    """6 a parameter and token."""
    loss: float
    bits_per_byte: float
    is_last: bool


@dataclass(frozen=True)
class Fit:
    """L = coefficient · (C in petaflop-days)^-exponent."""

    coefficient: float
    exponent: float
    r_squared: float
    """Of the logarithms."""


def run_scaling(
    plan: ScalingPlan, out: Path, *, budget_s: float = 0.0, n_thread: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> tuple[list[Point], list[str]]:  # fmt: skip
    """Train what is not finished; gives the points so far and the sizes that are left.

    Args:
        plan: Sizes and tokens.
        out: Runs are kept here, and gone on with.
        budget_s: Stop after so many seconds; 0 for the end.
        n_thread: CPU threads; 0 leaves torch's own number.
        progress: Told what is done.

    Raises:
        InputError: The corpus can't be read.
        TrainingStateError: `out` holds runs of another plan.
    """
    ends = time.monotonic() + (budget_s or math.inf)
    paths = [resolve_source(name, Path()) for name in plan.corpus]
    corpus = prepare_corpus(paths, out / "corpus", vocab_size=plan.vocab_size, progress=progress)
    points: list[Point] = []
    left: list[str] = []
    for size in plan.sizes:
        task, recipe = _trial(plan, size, corpus, out, n_thread)

        def tell(step: int, steps: int, figures: Any, size: str = size) -> None:
            progress(f"Size {size}", step, steps)

        result = train(task, recipe, resume=True, progress=tell,
                       should_stop=lambda: time.monotonic() > ends)  # fmt: skip
        n = _n_parameter(task.model.config)
        per_step = plan.batch_size * plan.sequence_length
        points += [
            Point(size, n, step * per_step, 6.0 * n * step * per_step, figures["loss"],
                  figures.get("bits_per_byte", math.nan), step == plan.steps)
            for step, figures in result.state.evaluations
        ]  # fmt: skip
        if not result.is_finished:
            left.append(size)
    return points, left


def _trial(
    plan: ScalingPlan, size: str, corpus: TokenCorpus, out: Path, n_thread: int
) -> tuple[GPTTask, Recipe]:
    if size not in SIZES:
        raise InputError(f"no size '{size}'", hint=f"Known: {', '.join(SIZES)}.")
    n_layer, n_embd, n_head = SIZES[size]
    words = corpus.tokenizer
    config = TransformerConfig(
        n_layer=n_layer, n_embd=n_embd, n_head=n_head, n_positions=plan.sequence_length,
        vocab_size=words.vocab_size, eos_id=words.eos_id, start_id=words.eos_id,
    )  # fmt: skip
    task = GPTTask(build_model(config, seed=plan.seed), corpus, plan.sequence_length)
    every = plan.steps_between()
    recipe = Recipe(
        task="gpt", name=size, folder=out, out=size, seed=plan.seed,
        model={"size": size}, data={"plan": [plan.vocab_size, plan.sequence_length]},
        optimizer=OptimizerSettings(
            learning_rate=plan.learning_rate, warmup_steps=max(1, plan.steps // 20),
            min_learning_rate=plan.learning_rate / 10, weight_decay=0.1,
        ),
        run=RunSettings(steps=plan.steps, batch_size=plan.batch_size, evaluate_every=every,
                        checkpoint_every=every, keep=1, n_thread=n_thread),
    )  # fmt: skip
    return task, recipe


def _n_parameter(config: TransformerConfig) -> int:
    """Weights of the blocks: 12 · layers · width², the paper's count."""
    return 12 * config.n_layer * config.n_embd**2


def frontier(points: Sequence[Point]) -> list[Point]:
    """Points that no point of as little computing beats, cheapest first."""
    best = math.inf
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.flop, p.loss)):
        if point.loss < best:
            best = point.loss
            kept.append(point)
    return kept


def fit_power_law(points: Sequence[Point]) -> Fit | None:
    """A line through logarithms of compute and loss; None for fewer than three points."""
    if len(points) < 3:
        return None
    x = np.log([p.flop / PETAFLOP_DAY for p in points])
    y = np.log([p.loss for p in points])
    slope, start = np.polyfit(x, y, 1)
    rest = y - (slope * x + start)
    spread = ((y - y.mean()) ** 2).sum()
    r_squared = 1.0 - (rest**2).sum() / spread if spread else 1.0
    return Fit(float(np.exp(start)), float(-slope), float(r_squared))


def write_scaling_report(
    points: Sequence[Point], left: Sequence[str], plan: ScalingPlan, folder: Path
) -> Path:
    """`scaling.md` with the table, `scaling.png` with the plot, `scaling.json` with all points."""
    folder.mkdir(parents=True, exist_ok=True)
    best = frontier(points)
    fit = fit_power_law(best)
    write_json(folder / "scaling.json", {
        "plan": asdict(plan), "points": [asdict(p) for p in points], "left": list(left),
        "fit": None if fit is None else asdict(fit),
    })  # fmt: skip
    lines = [
        "# Loss against compute", "",
        f"The same text ({', '.join(plan.corpus)}) and tokens for each size; loss in nats a token "
        "on held-out documents; compute is 6 FLOP a parameter and token, embeddings not counted.",
        "", "| size | layers x width | parameters | tokens | FLOP | loss | bits a byte |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for p in points:
        if p.is_last:
            n_layer, n_embd, _ = SIZES[p.size]
            lines.append(f"| {p.size} | {n_layer} x {n_embd} | {p.n_parameter:,} | {p.n_token:,} | "
                         f"{p.flop:.2e} | {p.loss:.3f} | {p.bits_per_byte:.3f} |")  # fmt: skip
    if left:
        lines += ["", f"Not finished: {', '.join(left)}. Run again to go on."]
    if fit is not None:
        lines += [
            "",
            f"Fitted to the {len(best)} points that no cheaper one beats: "
            f"L = {fit.coefficient:.2f} · C^-{fit.exponent:.3f} with C in petaflop-days "
            f"(r² {fit.r_squared:.3f}). GPT-3's paper has C^-{GPT3_EXPONENT}, over many more "
            "orders of magnitude.",
            "", "![Loss against compute](scaling.png)",
        ]  # fmt: skip
    write_text(folder / "scaling.md", "\n".join(lines) + "\n")
    _plot(points, best, fit, folder / "scaling.png")
    return folder / "scaling.md"


def _plot(points: Sequence[Point], best: Sequence[Point], fit: Fit | None, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for size in dict.fromkeys(p.size for p in points):
        own = [p for p in points if p.size == size]
        axes.plot([p.flop for p in own], [p.loss for p in own], marker="o", markersize=3,
                  label=f"{size}: {own[0].n_parameter:,} parameters")  # fmt: skip
    if fit is not None:
        x = np.geomspace(best[0].flop, best[-1].flop, 50)
        y = fit.coefficient * (x / PETAFLOP_DAY) ** -fit.exponent
        axes.plot(x, y, "k--", linewidth=1, label=f"C^-{fit.exponent:.3f}")
    axes.set(xscale="log", yscale="log", xlabel="compute (FLOP)",
             ylabel="held-out loss (nats a token)")  # fmt: skip
    axes.legend(frameon=False, fontsize=8)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=130)
