"""Kind `crossref`: newly registered works by words, journal (ISSN) or member."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import conclude, guarded, newest_first
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.bulletin.sources.json_api import address, ask_json, items_of, text_at
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["CrossrefSettings", "CrossrefSource"]


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class CrossrefSettings(SourceSettings):
    """What to ask Crossref for."""

    query: str = ""
    """Words of the bibliographic record."""
    issn: list[str] = field(default_factory=list)
    """Journals; any of them."""
    filter: str = ""
    """More conditions in Crossref's form: `type:journal-article,has-abstract:true`."""
    days: int = 14
    """Works registered within so many days."""
    mailto: str = ""
    """Your address: Crossref then answers from its faster pool."""
    base_url: str = "https://api.crossref.org"
    """Of the interface."""


@dataclass(frozen=True)
class CrossrefSource:
    """Crossref."""

    source_id: str
    settings: CrossrefSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "crossref"
    settings_type: ClassVar[type[CrossrefSettings]] = CrossrefSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest works."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        since = f"{context.now - timedelta(days=self.settings.days):%Y-%m-%d}"
        conditions = [f"from-created-date:{since}", *(f"issn:{i}" for i in self.settings.issn)]
        conditions += [self.settings.filter] if self.settings.filter else []
        url = address(
            self.settings.base_url, "works", query=self.settings.query, filter=",".join(conditions),
            sort="created", order="desc", rows=min(self.settings.limit, 500),
            mailto=self.settings.mailto,
        )  # fmt: skip
        works = items_of(ask_json(context, url), "message", "items")
        entries = [self._entry(work, context) for work in works]
        return conclude(context, newest_first(entries, self.settings), dict(context.state))

    def _entry(self, work: dict[str, Any], context: SourceContext) -> Entry:
        doi = text_at(work, "DOI").lower()
        people = work.get("author")
        subjects = work.get("subject")
        return Entry(
            source_id=self.source_id,
            entry_id=doi or text_at(work, "URL"),
            kind=self.settings.item_kind or "paper",
            title=one_line(plain_text(text_at(work, "title", 0))),
            url=text_at(work, "URL") or f"https://doi.org/{doi}",
            authors=_names(people if isinstance(people, list) else []),
            published=_first_date(work),
            language=text_at(work, "language").lower() or self.settings.language,
            summary=_abstract(text_at(work, "abstract")),
            categories=tuple(str(s) for s in subjects) if isinstance(subjects, list) else (),
            identifiers=identifiers_in(f"doi:{doi}") if doi else (),
            venue=one_line(text_at(work, "container-title", 0) or text_at(work, "publisher")),
            licence=text_at(work, "license", 0, "URL") or self.settings.licence,
            retrieved=context.now,
        )


def _names(people: list[Any]) -> tuple[str, ...]:
    names = (
        one_line(f"{text_at(p, 'given')} {text_at(p, 'family')}") or text_at(p, "name")
        for p in people
    )
    return tuple(name for name in names if name)


def _abstract(jats: str) -> str:
    """Crossref's abstracts are JATS; their heading is the word "Abstract"."""
    text = plain_text(jats.replace("<jats:", "<").replace("</jats:", "</"))
    return text.removeprefix("Abstract").strip()


def _first_date(work: dict[str, Any]) -> PartialDate | None:
    for name in ("published", "published-online", "published-print", "issued", "created"):
        parts = work.get(name)
        numbers = parts.get("date-parts", [[]]) if isinstance(parts, dict) else [[]]
        first = numbers[0] if isinstance(numbers, list) and numbers else []
        if not isinstance(first, list) or not first or not all(isinstance(n, int) for n in first):
            continue
        filled = (*first, 1, 1)[:3]
        try:
            value = datetime(filled[0], filled[1], filled[2], tzinfo=UTC)
        except ValueError:
            continue
        precision = ("year", "month", "day")[min(len(first), 3) - 1]
        return PartialDate(value=value, precision=precision, zone="")
    return None
