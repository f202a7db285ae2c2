"""The table, the picture and the verdicts: what of the claims shows, with paired intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from kuaibao.files import atomic_path, write_json, write_text
from kuaibao.pegasus.metrics import Interval, bootstrap
from kuaibao.pegasus.reproduction.plan import (
    MASKED_WORDS,
    NONE,
    RATIOS,
    Pretraining,
    Scale,
    Trial,
    gap_sentences,
)
from kuaibao.pegasus.reproduction.runner import KINDS, Outcome
from kuaibao.text import STRATEGIES

__all__ = ["Finding", "findings", "write_report"]

Verdict = Literal["shows", "does not show", "the reverse shows"]


@dataclass(frozen=True)
class Finding:
    """One comparison: ROUGE-1 F1 of the first less that of the second, over the same documents."""

    claim: str
    first: str
    second: str
    n_pairs: int
    n_seed: int
    difference: Interval
    verdict: Verdict


def mean_scores(
    outcomes: Sequence[Outcome], pretraining: Pretraining, n_pairs: int, kind: str
) -> tuple[list[float], int]:
    """Each test document's score, averaged over the seeds, and how many seeds there are."""
    rows = [o.scores[kind] for o in outcomes
            if o.trial.pretraining == pretraining and o.trial.n_pairs == n_pairs]  # fmt: skip
    return [sum(column) / len(column) for column in zip(*rows, strict=True)], len(rows)


def findings(outcomes: Sequence[Outcome], scale: Scale) -> list[Finding]:
    """Every comparison whose two sides are finished."""
    best = gap_sentences("ind-orig")
    wanted = [(f"(a) gap sentences beat {other.name}", best, other, n)
              for n in scale.n_pairs for other in (NONE, MASKED_WORDS)]  # fmt: skip
    wanted += [(f"(b) ind-orig beats {s}", best, gap_sentences(s), scale.compared_at)
               for s in STRATEGIES if s != "ind-orig"]  # fmt: skip
    wanted += [("(c) 30 % beats 60 %", best, gap_sentences("ind-orig", 0.6), scale.compared_at)]
    return [found for claim in wanted if (found := _compare(outcomes, *claim)) is not None]


def _compare(
    outcomes: Sequence[Outcome], claim: str, first: Pretraining, second: Pretraining, n_pairs: int
) -> Finding | None:
    ours, n = mean_scores(outcomes, first, n_pairs, "rouge1")
    theirs, m = mean_scores(outcomes, second, n_pairs, "rouge1")
    if not ours or not theirs or n != m:
        return None
    gap = bootstrap([a - b for a, b in zip(ours, theirs, strict=True)])
    verdict: Verdict = (
        "shows" if gap.low > 0 else "the reverse shows" if gap.high < 0 else "does not show"
    )
    return Finding(claim, first.name, second.name, n_pairs, n, gap, verdict)


def write_report(
    outcomes: Sequence[Outcome], left: Sequence[Trial], scale: Scale, folder: Path
) -> Path:
    """Write `reproduction.md`, `.json` and `.svg`; gives the first.

    Args:
        outcomes: What is finished.
        left: What is not.
        scale: Of the plan.
        folder: Where they go.
    """
    found = findings(outcomes, scale)
    table = _table(outcomes)
    write_json(folder / "reproduction.json", {
        "scale": asdict(scale), "finished": len(outcomes), "left": [t.name for t in left],
        "table": table, "findings": [asdict(f) for f in found],
        "training_seconds": sum(o.seconds for o in outcomes),
    })  # fmt: skip
    has_picture = bool(outcomes) and _draw(outcomes, scale, folder / "reproduction.svg")
    text = _markdown(table, found, outcomes, left, scale, has_picture)
    write_text(folder / "reproduction.md", text)
    return folder / "reproduction.md"


def _table(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    keys = dict.fromkeys((o.trial.pretraining, o.trial.n_pairs) for o in outcomes)
    rows: list[dict[str, Any]] = []
    for pretraining, n_pairs in keys:
        row: dict[str, Any] = {"pretraining": pretraining.name, "n_pairs": n_pairs}
        for kind in KINDS:
            scores, row["n_seed"] = mean_scores(outcomes, pretraining, n_pairs, kind)
            row[kind] = asdict(bootstrap(scores))
        rows.append(row)
    return sorted(rows, key=lambda row: (row["n_pairs"], row["pretraining"]))


def _markdown(
    table: list[dict[str, Any]], found: list[Finding], outcomes: Sequence[Outcome],
    left: Sequence[Trial], scale: Scale, has_picture: bool,
) -> str:  # fmt: skip
    total = len(outcomes) + len(left)
    lines = [
        "# PEGASUS's claims, run here", "",
        f"Written by `kuaibao reproduce pegasus --scale {scale.name}`: {len(outcomes)} of {total} "
        f"trials are finished" + (f", {len(left)} are left." if left else "."),
        "", f"Models of {scale.n_layer} + {scale.n_layer} layers, width {scale.n_embd}, "
        f"{scale.vocab_size:,} ids; {scale.pretrain_steps} pre-training steps and "
        f"{scale.finetune_steps} fine-tuning steps of {scale.batch_size} samples for each; "
        f"greedy search on the same {scale.n_test} test documents; ROUGE F1 with stemming, "
        "averaged over seeds, 95 % bootstrap intervals over documents.", "",
    ]  # fmt: skip
    if has_picture:
        lines += ["![ROUGE-1 by pre-training and number of examples](reproduction.svg)", ""]
    lines += ["| pre-training | examples | seeds | ROUGE-1 | ROUGE-2 | ROUGE-Lsum |",
              "|---|---|---|---|---|---|"]  # fmt: skip
    for row in table:
        cells = [_cell(row[kind]) for kind in KINDS]
        lines.append(f"| {row['pretraining']} | {row['n_pairs']:,} | {row['n_seed']} | "
                     + " | ".join(cells) + " |")  # fmt: skip
    lines += ["", "| claim | examples | seeds | difference in ROUGE-1 | verdict |",
              "|---|---|---|---|---|"]  # fmt: skip
    for f in found:
        lines.append(f"| {f.claim} | {f.n_pairs:,} | {f.n_seed} | {_cell(asdict(f.difference))} | "
                     f"{f.verdict} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def _cell(interval: dict[str, float]) -> str:
    mean, low, high = (100 * interval[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _draw(outcomes: Sequence[Outcome], scale: Scale, path: Path) -> bool:
    """ROUGE-1 against examples, and the bars of strategies and ratios."""
    try:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return False
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    left, middle, right = figure.subplots(1, 3)
    for pretraining in (gap_sentences("ind-orig"), MASKED_WORDS, NONE):
        points = [(n, _interval(outcomes, pretraining, n)) for n in scale.n_pairs]
        shown = [(n, interval) for n, interval in points if interval is not None]
        if shown:
            values = [100 * i.mean for _, i in shown]
            spread = [[100 * (i.mean - i.low) for _, i in shown],
                      [100 * (i.high - i.mean) for _, i in shown]]  # fmt: skip
            left.errorbar([n for n, _ in shown], values, yerr=spread, marker="o", capsize=3,
                          label=pretraining.name)  # fmt: skip
    left.set_xscale("log")
    left.set_xlabel("fine-tuning examples")
    left.set_ylabel("ROUGE-1 F1")
    left.set_title("(a) what came before")
    if left.get_legend_handles_labels()[0]:
        left.legend()
    for axes, title, bars in (
        (middle, "(b) strategy", [(s, gap_sentences(s)) for s in STRATEGIES]),
        (right, "(c) gap-sentence ratio",
         [(f"{round(100 * r)} %", gap_sentences("ind-orig", r)) for r in RATIOS]),
    ):  # fmt: skip
        for name, pretraining in bars:
            interval = _interval(outcomes, pretraining, scale.compared_at)
            if interval is not None:
                spread = [[100 * (interval.mean - interval.low)],
                          [100 * (interval.high - interval.mean)]]  # fmt: skip
                axes.bar(name, 100 * interval.mean, yerr=spread, capsize=3, color="tab:blue")
        axes.set_title(title)
        axes.tick_params(axis="x", rotation=30)
    with atomic_path(path) as part:
        figure.savefig(part, format="svg", metadata={"Date": None})
    return True


def _interval(
    outcomes: Sequence[Outcome], pretraining: Pretraining, n_pairs: int
) -> Interval | None:
    scores, _ = mean_scores(outcomes, pretraining, n_pairs, "rouge1")
    return bootstrap(scores) if scores else None
