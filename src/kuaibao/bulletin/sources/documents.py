"""Documents on disk as values: Markdown, HTML and PDF give title, text, authors, date."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.sources.deadlines import parse_deadline
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.errors import InputError

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = [
    "Document",
    "markdown_text",
    "read_document",
    "read_html",
    "read_markdown",
    "read_pdf",
    "text_of",
]

MAX_TEXT_BYTES = 5 * 1024 * 1024
PDF_S = 60.0
_SAMPLE = 20_000
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x81\x8d\x8f\x90\x9d\ufffd]")
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"(?m)^#[ \t]+(.+?)[ \t#]*$|^([^\n]+)\n=+[ \t]*$")
_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".txt": "markdown", ".html": "html",
             ".htm": "html", ".xhtml": "html", ".pdf": "pdf"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a document says of itself; empty where it says nothing."""

    title: str = ""
    text: str = ""
    authors: tuple[str, ...] = ()
    published: PartialDate | None = None
    language: str = ""
    url: str = ""
    summary: str = ""
    categories: tuple[str, ...] = ()
    licence: str = ""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Front matter that has no field here."""


def read_document(data: bytes, suffix: str) -> Document:
    """Read a document by its suffix.

    Raises:
        InputError: The suffix is of no kind that is read, or the PDF cannot be.
    """
    kind = _SUFFIXES.get(suffix.lower())
    if kind == "pdf":
        return read_pdf(data)
    text = text_of(data[:MAX_TEXT_BYTES])
    if kind == "html":
        return read_html(text)
    if kind == "markdown":
        return read_markdown(text)
    raise InputError(f"'{suffix}' is no kind of document that is read")


def text_of(data: bytes) -> str:
    """The bytes as text, whatever their encoding.

    Raises:
        InputError: They are no text: a picture, an archive, a program.
    """
    text = decode(data).text
    sample = text[:_SAMPLE]
    n_odd = len(_NO_TEXT.findall(sample))
    if n_odd * 50 > len(sample):
        raise InputError(
            "this is no text: it holds bytes that no writing has",
            hint="Give plain text, Markdown, HTML or PDF.",
        )
    return text


def markdown_text(markdown: str) -> str:
    """The prose of Markdown without its marks; listings and tables, no sentences, fall out."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"maxNesting": 40}).enable("table")
    prose: list[Token] = []
    depth = 0
    for token in reader.parse(markdown):
        depth += token.nesting if token.type.startswith("table_") else 0
        is_table = depth > 0 or token.type == "table_close"
        if not is_table and token.type not in ("fence", "code_block"):
            prose.append(token)
    return plain_text(reader.renderer.render(prose, reader.options, {}))


def read_markdown(text: str) -> Document:
    """Markdown with or without front matter (YAML between `---`)."""
    front, body = _front_matter(text.lstrip("\ufeff"))
    heading = _HEADING.search(body)
    title = str(front.pop("title", "") or "")
    if not title and heading:
        title = plain_text(markdown_text(heading.group(1) or heading.group(2) or ""))
        if not body[: heading.start()].strip():
            body = body[heading.end() :]
    content = markdown_text(body)
    authors = front.pop("authors", front.pop("author", ()))
    categories = front.pop("categories", front.pop("tags", front.pop("keywords", ())))
    return Document(
        title=one_line(title),
        text=content,
        authors=_names(authors),
        published=_date_of(front.pop("date", front.pop("published", None))),
        language=str(front.pop("language", front.pop("lang", "")) or "").lower(),
        url=str(front.pop("url", front.pop("link", front.pop("source", ""))) or ""),
        summary=one_line(str(front.pop("summary", front.pop("description", "")) or "")),
        categories=_names(categories),
        licence=str(front.pop("licence", front.pop("license", "")) or ""),
        more=front,
    )


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT.match(text)
    if match is None or len(match.group(1)) > 50_000:
        return {}, text
    from kuaibao.bulletin.sources.yaml_files import read_yaml

    try:
        front = read_yaml(match.group(1))
    except InputError:
        return {}, text
    if not isinstance(front, dict):
        return {}, text
    return {str(k).lower(): v for k, v in front.items()}, text[match.end() :]


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"\s*[,;，；、]\s*", value)
    if not isinstance(value, list | tuple):
        return ()
    names = (v.get("name", "") if isinstance(v, dict) else v for v in value)
    return tuple(one_line(str(name)) for name in names if name)[:200]


def _date_of(value: Any) -> PartialDate | None:
    if isinstance(value, datetime):
        known = value.tzinfo is not None
        moment = value.astimezone(UTC) if known else value.replace(tzinfo=UTC)
        return PartialDate(value=moment, zone="UTC" if known else "")
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return PartialDate(value=midnight, precision="day", zone="")
    text = str(value).strip() if value else ""
    if "年" in text:
        return parse_deadline(text)
    return partial_date(parse_date(text), text) or (parse_deadline(text) if text else None)


def read_html(text: str) -> Document:
    """A saved page: what its head says, and all of its text (not only the article's)."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(text)
    meta: dict[str, str] = {}
    for node in tree.css("meta")[:300]:
        name = node.attributes.get("name") or node.attributes.get("property") or ""
        meta.setdefault(name.lower(), node.attributes.get("content") or "")
    authors = [
        node.attributes.get("content") or "" for node in tree.css("meta[name=citation_author]")
    ]
    head = tree.css_first("title")
    heading = tree.css_first("h1")
    title = meta.get("citation_title") or meta.get("og:title") or (head.text() if head else "")
    root = tree.css_first("html")
    canonical = tree.css_first("link[rel=canonical]")
    found = next((meta[n] for n in _DATE_NAMES if meta.get(n)), "")
    return Document(
        title=one_line(title or (heading.text() if heading else "")),
        text=plain_text(text),
        authors=tuple(one_line(a) for a in authors) or _names(meta.get("author", "")),
        published=_date_of(found),
        language=((root.attributes.get("lang") or "") if root else "").lower(),
        url=(canonical.attributes.get("href") or "") if canonical else meta.get("og:url", ""),
        summary=one_line(meta.get("description") or meta.get("og:description") or ""),
        categories=_names(meta.get("keywords", "")),
    )


_DATE_NAMES = ("article:published_time", "citation_publication_date", "citation_date",
               "dc.date", "dcterms.date", "date")  # fmt: skip


def read_pdf(data: bytes) -> Document:
    """Title, authors and text of a PDF, read in a process of its own that can be stopped.

    Raises:
        InputError: It is damaged, locked, or takes too long.
    """
    try:
        run = subprocess.run(
            [sys.executable, "-m", "kuaibao.bulletin.sources.pdf_worker"],
            input=data, capture_output=True, timeout=PDF_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputError(f"this PDF took more than {PDF_S:g} s to read") from error
    if run.returncode != 0:
        raise InputError("this PDF is damaged or locked")
    found: dict[str, Any] = json.loads(run.stdout)
    return Document(
        title=one_line(found["title"]) or _first_line(found["text"]),
        text=found["text"],
        authors=_names(found["author"]),
        published=_pdf_date(found["created"]),
        categories=_names(found["keywords"]),
    )


def _first_line(text: str) -> str:
    lines = (one_line(line) for line in text.splitlines()[:20])
    return next((line for line in lines if len(line) > 8), "")[:200]


def _pdf_date(text: str) -> PartialDate | None:
    """`D:20200617093000+08'00'` (ISO 32000, 7.9.4)."""
    match = re.match(r"D?:?(\d{4})(\d\d)?(\d\d)?", text)
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        value = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    except ValueError:
        return None
    return PartialDate(value=value, zone="",
                       precision="day" if day else "month" if month else "year")  # fmt: skip
