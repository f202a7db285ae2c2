"""`kuaibao evaluate`: score summaries, text and choices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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


@app.command()
def text(
    corpus: Annotated[
        list[str],
        typer.Argument(metavar="CORPUS...", help="Files, folders, debian:descriptions, …"),
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A folder; else the shipped one.")
    ] = "",
    held_out: Annotated[
        float, typer.Option(help="Share held out, as in training; 0: all of it is.")
    ] = 0.02,
    max_tokens: Annotated[int, typer.Option(min=2, help="Of the held-out text.")] = 50_000,
    baselines: Annotated[bool, typer.Option(help="Fit 5-grams on what is not held out.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Bits a byte on held-out text, beside zlib, xz and Kneser-Ney 5-grams."""
    from kuaibao.cli.progress import progress_bar
    from kuaibao.gpt.documents import iterate_documents, resolve_source
    from kuaibao.gpt.evaluation import evaluate_text

    loaded, words = _decoder(model)
    documents = list(iterate_documents([resolve_source(name, Path()) for name in corpus]))
    kept = [d for d in documents if not held_out or d.is_held_out(held_out)]
    training = [d for d in documents if held_out and not d.is_held_out(held_out)]
    with progress_bar("Reading", total=max_tokens) as advance:
        found = evaluate_text(loaded, words, kept, training if baselines else (),
                              max_tokens=max_tokens, progress=advance)  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    typer.echo(f"{found.n_byte:,} bytes, {found.n_token:,} tokens held out; bits a byte:")
    for name in ("model", "kneser_ney", "xz", "zlib"):
        value = getattr(found, name)
        typer.echo(f"  {name:12} " + ("-" if value is None else f"{value:.3f}"))


@app.command()
def choices(
    questions: Annotated[
        str,
        typer.Argument(
            metavar="QUESTIONS",
            help="JSONL (prompt, options, answer), debian:sections or debian:summaries.",
        ),
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A folder; else the shipped one.")
    ] = "",
    shots: Annotated[
        list[int] | None,
        typer.Option("--shots", "-k", help="Examples before a question; may repeat."),
    ] = None,
    examples: Annotated[
        Path | None, typer.Option(help="JSONL that examples are drawn from; else the questions.")
    ] = None,
    training_text: Annotated[
        list[str] | None,
        typer.Option(
            help="Look for the questions in this corpus (13 words); debian:… know their own."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of examples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Zero-, one- and few-shot accuracy: options compared by their likelihood."""
    from kuaibao.cli.progress import progress_bar
    from kuaibao.gpt.documents import iterate_documents, resolve_source
    from kuaibao.gpt.few_shot import evaluate_choices, find_overlaps, read_choices
    from kuaibao.gpt.tasks import debian_choices

    if questions.startswith("debian:"):
        rows, pool = debian_choices(questions.removeprefix("debian:"))
        training_text = training_text or ["debian:descriptions"]
    else:
        rows, pool = read_choices(Path(questions)), []
    rows = rows[:limit]
    pool = read_choices(examples) if examples else pool
    loaded, words = _decoder(model)
    overlaps = None
    if training_text:
        paths = [resolve_source(name, Path()) for name in training_text]
        asked = [row.prompt + row.options[row.answer] for row in rows]
        # Questions of Debian's archive are made of documents that training holds out.
        is_split = questions.startswith("debian:")
        documents = (d for d in iterate_documents(paths) if not (is_split and d.is_held_out(0.02)))
        overlaps = find_overlaps(asked, (d.text for d in documents))
    results: list[dict[str, object]] = []
    for n_shot in shots or [0]:
        with progress_bar(f"{n_shot} shots", total=len(rows)) as advance:
            found = evaluate_choices(loaded, words, rows, n_shot=n_shot, examples=pool, seed=seed,
                                     overlaps=overlaps, progress=advance)  # fmt: skip
        results.append(found.to_json())
        if not as_json:
            shown = "  ".join(f"{k} {v:.3f}" for k, v in found.accuracy.items())
            typer.echo(f"{n_shot:3} shots: {shown}  (chance {found.chance:.3f}, n {found.n})")
            if found.clean is not None:
                shown = "  ".join(f"{k} {v:.3f}" for k, v in found.clean.items())
                typer.echo(f"    clean: {shown}  (n {found.n_clean})")
    if as_json:
        typer.echo(json.dumps(results))


@app.command()
def harness(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="As lm_eval names them.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A folder; else the shipped one.")
    ] = "",
    include: Annotated[
        Path | None, typer.Option(help="A folder with YAML files of your own tasks.")
    ] = None,
    shots: Annotated[
        int | None, typer.Option("--shots", "-k", min=0, help="Examples before a question.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many a task.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Tasks of EleutherAI's harness (pip install lm_eval); most fetch their data from a hub."""
    from kuaibao.gpt.harness import evaluate_harness

    loaded, words = _decoder(model)
    found = evaluate_harness(loaded, words, tasks, include_path=include, n_shot=shots, limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, figures in found.items():
        shown = "  ".join(f"{k} {v:.4g}" for k, v in figures.items())
        typer.echo(f"{name}: {shown}")


def _decoder(model: str) -> tuple[Any, Any]:
    from kuaibao.errors import InputError
    from kuaibao.transformer import load_pretrained
    from kuaibao.transformer.shipped import shipped_model
    from kuaibao.transformer.tokenizers import load_tokenizer

    folder = model or str(shipped_model("gpt-small"))
    loaded = load_pretrained(folder)
    if loaded.config.is_encoder_decoder:
        raise InputError("this model writes summaries", hint="kuaibao evaluate summaries")
    return loaded, load_tokenizer(folder)


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
