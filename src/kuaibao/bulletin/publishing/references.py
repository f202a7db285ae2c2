"""The papers of an issue as references, cleaned once for every bibliographic form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kuaibao.bulletin.model import Entry, Issue
from kuaibao.bulletin.publishing.catalogue import local_time
from kuaibao.bulletin.publishing.cleaning import clean_line, safe_url

__all__ = ["Author", "Reference", "references_of"]

_PROCEEDINGS = re.compile(
    r"\b(proc\.|proceedings|conference|workshop|symposium|congress)|会议|大会|论文集", re.IGNORECASE
)
_AND = re.compile(r"\band\b|&", re.IGNORECASE)


@dataclass(frozen=True)
class Author:
    """Who wrote a paper."""

    name: str
    """As the source spells it."""

    @property
    def is_body(self) -> bool:
        """An institution or a group: its name has no family part."""
        return bool(_AND.search(self.name)) or self.name.count(",") > 2


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A paper as a bibliography holds it."""

    kind: Literal["article", "proceedings", "other"]
    title: str
    authors: tuple[Author, ...]
    venue: str
    year: int | None
    month: int | None
    day: int | None
    identifiers: dict[str, str]
    """By scheme in lower case (`doi`, `arxiv`, `isbn`, `issn`, …), the first of each."""
    url: str
    language: str
    abstract: str
    """As the source offers it; for programs, since an abstract may be under its own licence."""
    identity: tuple[str, str]
    """Source and number there: what is left where no word can name it."""


def references_of(issue: Issue) -> Iterator[Reference]:
    """One reference a paper, in print order."""
    for section in issue.sections:
        for item in section.items:
            if item.item.lead.kind == "paper":
                yield _reference(item.item.lead)


def _reference(paper: Entry) -> Reference:
    venue = clean_line(paper.venue)
    year, month, day = _date(paper)
    identifiers: dict[str, str] = {}
    for scheme, value in paper.identifiers:
        if clean_line(value):
            identifiers.setdefault(clean_line(scheme).lower(), clean_line(value))
    return Reference(
        kind="other" if not venue else "proceedings" if _PROCEEDINGS.search(venue) else "article",
        title=clean_line(paper.title),
        authors=tuple(Author(name) for one in paper.authors if (name := clean_line(one))),
        venue=venue, year=year, month=month, day=day, identifiers=identifiers,
        url=safe_url(paper.url), language=clean_line(paper.language),
        abstract=clean_line(paper.summary), identity=(paper.source_id, paper.entry_id),
    )  # fmt: skip


def _date(paper: Entry) -> tuple[int | None, int | None, int | None]:
    """As far as the source told it."""
    moment = paper.published or paper.updated
    if not moment:
        return None, None, None
    value, precision = local_time(moment), moment.precision
    return (
        value.year,
        value.month if precision != "year" else None,
        value.day if precision not in ("year", "month") else None,
    )
