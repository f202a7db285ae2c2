"""`kuaibao summarize`: the sentences of a text that best stand for the rest of it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.sources.documents import Document
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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Choose the sentences that best stand for the rest, in English or Chinese.

    Each sentence comes with its number and its place (characters from `start` to `end`) in the
    text that was read. No model is needed.
    """  # fmt: skip
    from kuaibao.text import check_strategy, summarize

    check_strategy(strategy)
    document = _read(source)
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

    if source == "-":
        return _document(sys.stdin.buffer.read(MAX_BYTES), ".txt", "")
    if source.startswith(("http://", "https://")):
        return _fetch(source)
    return _document(read_bytes(Path(source), MAX_BYTES), Path(source).suffix.lower(), "")


def _fetch(url: str) -> Document:
    from kuaibao.fetching import Fetcher

    with Fetcher() as fetcher:
        response = fetcher.get(url, obey_robots=True)
    kind = response.content_type.partition(";")[0].strip().lower()
    return _document(response.body, _SUFFIX_OF_TYPE.get(kind, ".txt"), response.url)


def _document(data: bytes, suffix: str, url: str) -> Document:
    from kuaibao.bulletin.reading.extract import main_text
    from kuaibao.bulletin.sources.documents import Document, read_document
    from kuaibao.bulletin.sources.feeds.decoding import decode

    if suffix in (".html", ".htm", ".xhtml"):
        page = read_document(data, suffix)
        return Document(title=page.title, text=main_text(decode(data).text, url) or page.text)
    if suffix in (".md", ".markdown", ".pdf"):
        return read_document(data, suffix)
    return Document(text=decode(data).text)
