"""The papers as RIS, for reference managers: a tag a line, a record from `TY` to `ER`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kuaibao.bulletin.model import Issue
from kuaibao.bulletin.publishing.references import Author, Reference, references_of

__all__ = ["render_ris"]

_KINDS = {"article": "JOUR", "proceedings": "CPAPER", "other": "GEN"}
_HAN = re.compile("[\u3400-\u9fff]")


def render_ris(issue: Issue) -> bytes:
    """One record a paper, in print order; an empty issue gives an empty file."""
    records = (
        "".join(f"{tag}  - {value}\r\n" for tag, value in _lines(paper))
        for paper in references_of(issue)
    )
    return "\r\n".join(records).encode("utf-8")


def _lines(paper: Reference) -> Iterator[tuple[str, str]]:
    yield "TY", _KINDS[paper.kind]
    known = paper.identifiers
    tags = [
        ("TI", paper.title),
        *(("AU", _author(author)) for author in paper.authors),
        ("T2", paper.venue),
        ("PY", f"{paper.year:04d}" if paper.year else ""),
        ("DA", _date(paper)),
        ("DO", known.get("doi", "")),
        ("SN", known.get("issn", "") or known.get("isbn", "")),
        ("AN", f"arXiv:{known['arxiv']}" if "arxiv" in known else ""),
        ("UR", paper.url),
        ("LA", paper.language),
        ("AB", paper.abstract),
    ]
    yield from ((tag, value) for tag, value in tags if value)
    yield "ER", ""


def _author(author: Author) -> str:
    """`Family, Given`, as the format wants it; bodies and Chinese names as they are."""
    name = author.name
    if author.is_body or "," in name or " " not in name or _HAN.search(name):
        return name
    given, _, family = name.rpartition(" ")
    return f"{family}, {given}"


def _date(paper: Reference) -> str:
    """`2020/06/03/`: what the source did not tell stays empty."""
    if not paper.year or not paper.month:
        return ""
    return f"{paper.year:04d}/{paper.month:02d}/{f'{paper.day:02d}' if paper.day else ''}/"
