"""`kuaibao evaluate`: score summaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.pegasus.evaluation import Evaluation, SummaryWriter

app = typer.Typer(help="Score summaries and models.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Score summaries and models."""


@app.command()
def summaries(
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS.jsonl", help="One object a line: document, summary.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model's folder, or an extractive strategy.")
    ] = "ind-orig",
    sentences: Annotated[
        int | None, typer.Option("--sentences", "-n", help="For a strategy: how many.")
    ] = None,
    split: Annotated[str, typer.Option(help="Only the pairs of this split.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many pairs.")] = None,
    preset: Annotated[str, typer.Option(help="For a model: beams and lengths of a data set.")] = "",
    beams: Annotated[int | None, typer.Option(help="For a model: beams.")] = None,
    stem: Annotated[bool, typer.Option(help="Compare English words by their stems.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """ROUGE-1/2/Lsum with 95 % intervals, novelty, coverage, density, repetition, faithfulness.

    Chinese is scored by characters.
    """
    from kuaibao.cli.progress import progress_bar
    from kuaibao.pegasus.evaluation import evaluate_summaries
    from kuaibao.pegasus.pairs import read_pairs

    rows = read_pairs(pairs, split=split)[:limit]
    writer = _writer(model, sentences, preset, beams)
    with progress_bar("Summarising", total=len(rows)) as advance:
        evaluation = evaluate_summaries(writer, rows, use_stemmer=stem, progress=advance)
    if as_json:
        typer.echo(json.dumps(evaluation.to_json(), ensure_ascii=False))
    else:
        _show(evaluation)


def _writer(model: str, sentences: int | None, preset: str, beams: int | None) -> SummaryWriter:
    from kuaibao.pegasus.evaluation import Extractive
    from kuaibao.pegasus.summarizer import load_summarizer
    from kuaibao.text import check_strategy

    if Extractive.is_strategy(model):
        return Extractive(model, n_sentences=sentences)
    if not Path(model).exists() and "/" not in model:
        check_strategy(model)
    return load_summarizer(model, preset=preset, num_beams=beams)


def _show(evaluation: Evaluation) -> None:
    unit = "characters" if evaluation.language == "zh" else "words"
    typer.echo(f"{evaluation.model}: {evaluation.n} pairs, ROUGE by {unit}")
    for name, interval in evaluation.figures.items():
        typer.echo(f"  {name:17} {interval.mean:8.4f}  [{interval.low:.4f}, {interval.high:.4f}]")
