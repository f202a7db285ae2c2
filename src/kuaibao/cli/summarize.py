"""`kuaibao summarize`: the sentences that best stand for a text, or a model's own."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.sources.documents import Document
    from kuaibao.pegasus.summarizer import PegasusSummarizer
    from kuaibao.text import Summary

app = typer.Typer()

MAX_BYTES = 50 * 1024 * 1024
_PAGES = ("text/html", "application/xhtml+xml")
_SUFFIX_OF_TYPE = {"application/pdf": ".pdf", **dict.fromkeys(_PAGES, ".html")}


@app.command()
def summarize(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL|-", help="Text, Markdown, HTML or PDF; - reads standard input."
        ),
    ],
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            "-s",
            help="lead, random, ind-orig, ind-uniq, seq-orig, seq-uniq; or a model's folder.",
        ),
    ] = "ind-orig",
    sentences: Annotated[
        int | None, typer.Option("--sentences", "-n", help="How many sentences; at most all.")
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(help="Share of the sentences from 0 to 1 (0.3 if not given).")
    ] = None,
    seed: Annotated[int, typer.Option(help="For the strategy random.")] = 0,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A summarising model's folder, or a hub id.")
    ] = "",
    preset: Annotated[
        str, typer.Option(help="Of a model: beams and lengths of xsum, cnn_dailymail, arxiv, …")
    ] = "",
    beams: Annotated[int | None, typer.Option(help="Of a model: beams that are followed.")] = None,
    length_penalty: Annotated[
        float | None, typer.Option(help="Of a model: larger favours longer summaries.")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Of a model: tokens of the summary at most.")
    ] = None,
    long: Annotated[
        str,
        typer.Option(help="Of a model, for long texts: extract, chunks, extrapolate, truncate."),
    ] = "",
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="A paper's five parts: background, innovation, model, experiments, results.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Choose the sentences that best stand for the rest, or let a model write its own.

    Each chosen sentence comes with its number and its place (characters from `start` to `end`) in
    the text that was read; a written one with the source sentences that support it, and with the
    numbers and names that the source lacks. Without a model nothing but the base is needed.
    """  # fmt: skip
    from kuaibao.text import check_strategy, summarize

    if not model and _is_model(strategy):
        model = strategy
    decoding = {"num_beams": beams, "length_penalty": length_penalty, "max_target": max_length,
                "long_documents": long or None}  # fmt: skip
    _check_options(model, preset, decoding, ratio)
    if model:
        writer = _load(model, preset, decoding)
        document = _read(source)
        _write(source, document, writer, sentences, paper, as_json)
        return
    check_strategy(strategy)
    document = _read(source)
    if paper:
        _show_paper(source, document, {}, as_json)
        return
    summary = summarize(
        document.text, strategy=strategy, n_sentences=sentences, ratio=ratio, seed=seed
    )
    if as_json:
        typer.echo(json.dumps(_to_json(source, document, summary), ensure_ascii=False))
    else:
        for sentence in summary.sentences:
            typer.echo(" ".join(sentence.text.split()))
        if not summary.sentences:
            typer.echo(f"{source}: no sentences were found", err=True)


def _is_model(strategy: str) -> bool:
    return (Path(strategy) / "config.json").is_file()


def _check_options(model: str, preset: str, decoding: dict[str, Any], ratio: float | None) -> None:
    """A setting that would be ignored is refused."""
    from kuaibao.errors import InputError

    names = {"num_beams": "--beams", "length_penalty": "--length-penalty",
             "max_target": "--max-length", "long_documents": "--long"}  # fmt: skip
    of_model = [names[k] for k, v in decoding.items() if v is not None]
    of_model += ["--preset"] if preset else []
    if of_model and not model:
        raise InputError(f"{of_model[0]} is for a model", hint="Name one with --model.")
    if model and ratio is not None:
        raise InputError("--ratio is for choosing sentences, not for a model")


def _load(model: str, preset: str, decoding: dict[str, Any]) -> PegasusSummarizer:
    from kuaibao.pegasus.summarizer import load_summarizer

    return load_summarizer(model, preset=preset, **decoding)


def _write(
    source: str, document: Document, writer: PegasusSummarizer, n_sentence: int | None,
    paper: bool, as_json: bool,
) -> None:  # fmt: skip
    from kuaibao.pegasus.support import support_summary
    from kuaibao.text import detect_language, key_phrases, sentence_texts

    (summary,) = writer.write([document.text])
    written = support_summary(sentence_texts(summary)[:n_sentence], document.text)
    own = {"model": writer.name, "sentences": [asdict(sentence) for sentence in written]}
    if paper:
        _show_paper(source, document, own, as_json)
        return
    if as_json:
        answer = {
            "source": source, "title": document.title,
            "language": detect_language(document.text), "strategy": "pegasus", **own,
            "decoding": asdict(writer.decoding),
            "key_phrases": [phrase.text for phrase in key_phrases(document.text, n=5)],
            "text": document.text,
        }  # fmt: skip
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for sentence in written:
        typer.echo(sentence.text)
        for kind, found in (("number", sentence.unsupported_numbers),
                            ("name", sentence.unsupported_names)):  # fmt: skip
            for claim in found:
                typer.echo(f"  {kind} not in the source: {claim}", err=True)
        if not sentence.support:
            typer.echo("  no sentence of the source supports this", err=True)
    if not written:
        typer.echo(f"{source}: the model wrote nothing", err=True)


def _show_paper(source: str, document: Document, own: dict[str, Any], as_json: bool) -> None:
    """The five parts of a paper in its own sentences, with a model's summary before them."""
    from kuaibao.bulletin.writing import paper_fields
    from kuaibao.text import split_sentences

    parts = paper_fields(split_sentences(document.text))
    if as_json:
        fields = {name: [asdict(s) for s in sentences] for name, sentences in parts}
        answer = {"source": source, "title": document.title, **own, "fields": fields,
                  "text": document.text}  # fmt: skip
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for sentence in own.get("sentences", ()):
        typer.echo(sentence["text"])
    for name, sentences in parts:
        typer.echo(f"{name}: " + " ".join(" ".join(s.text.split()) for s in sentences))
    if not parts:
        typer.echo(f"{source}: no sentence tells of a part of a paper", err=True)


def _to_json(source: str, document: Document, summary: Summary) -> dict[str, object]:
    from kuaibao.text import detect_language, key_phrases

    return {
        "source": source,
        "title": document.title,
        "language": detect_language(document.text),
        "strategy": summary.strategy,
        "n_sentences": summary.n_sentence,
        "sentences": [asdict(sentence) for sentence in summary.sentences],
        "key_phrases": [phrase.text for phrase in key_phrases(document.text, n=5)],
        "text": document.text,
    }


def _read(source: str) -> Document:
    from kuaibao.bulletin.sources.files import read_bytes
    from kuaibao.errors import InputError

    if source == "-":
        return _document(sys.stdin.buffer.read(MAX_BYTES), ".txt", "")
    if source.startswith(("http://", "https://")):
        return _fetch(source)
    try:
        return _document(read_bytes(Path(source), MAX_BYTES), Path(source).suffix.lower(), "")
    except InputError as error:
        if str(source) in error.message:
            raise
        raise InputError(f"{source}: {error.message}", hint=error.hint) from error


def _fetch(url: str) -> Document:
    from kuaibao.fetching import Fetcher

    with Fetcher() as fetcher:
        response = fetcher.get(url, obey_robots=True)
    kind = response.content_type.partition(";")[0].strip().lower()
    return _document(response.body, _SUFFIX_OF_TYPE.get(kind, ".txt"), response.url)


def _document(data: bytes, suffix: str, url: str) -> Document:
    from kuaibao.bulletin.reading.extract import main_text
    from kuaibao.bulletin.sources.documents import Document, read_document, text_of

    if data.startswith(b"%PDF-"):
        suffix = ".pdf"
    if suffix in (".html", ".htm", ".xhtml"):
        page = read_document(data, suffix)
        return Document(title=page.title, text=main_text(text_of(data), url) or page.text)
    if suffix in (".md", ".markdown", ".pdf"):
        return read_document(data, suffix)
    return Document(text=text_of(data))
