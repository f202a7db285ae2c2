"""Kind `openalex`: works by search and filter (a key is needed; its allowance is told as quota)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.asking import conclude, guarded, newest_first
from kuaibao.bulletin.sources.identifiers import arxiv_in, doi_in
from kuaibao.bulletin.sources.json_api import (
    address,
    ask_json,
    items_of,
    partial_day,
    secret,
    text_at,
)
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["OpenAlexSettings", "OpenAlexSource", "text_of_index"]


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class OpenAlexSettings(SourceSettings):
    """What to ask OpenAlex for."""

    query: str = ""
    """Words of title, abstract and full text."""
    filter: str = ""
    """More conditions in OpenAlex's form: `topics.id:T10286,type:article`."""
    days: int = 14
    """Works published within so many days."""
    key_env: str = ""
    """Name of the environment variable that holds the key."""
    base_url: str = "https://api.openalex.org"
    """Of the interface."""


@dataclass(frozen=True)
class OpenAlexSource:
    """OpenAlex."""

    source_id: str
    settings: OpenAlexSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "openalex"
    settings_type: ClassVar[type[OpenAlexSettings]] = OpenAlexSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest works."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        since = f"{context.now - timedelta(days=self.settings.days):%Y-%m-%d}"
        conditions = [f"from_publication_date:{since}", self.settings.filter]
        url = address(
            self.settings.base_url, "works", search=self.settings.query,
            filter=",".join(c for c in conditions if c), sort="publication_date:desc",
            **{"per-page": min(self.settings.limit, 200)},
            api_key=secret(context, self.settings.key_env),
        )  # fmt: skip
        works = items_of(ask_json(context, url), "results")
        entries = [self._entry(work, context) for work in works]
        return conclude(context, newest_first(entries, self.settings), dict(context.state))

    def _entry(self, work: dict[str, Any], context: SourceContext) -> Entry:
        doi = doi_in(text_at(work, "doi"))
        landing = text_at(work, "primary_location", "landing_page_url")
        arxiv = arxiv_in(landing) or arxiv_in(text_at(work, "best_oa_location", "landing_page_url"))
        pairs = (("doi", doi), ("arxiv", arxiv), ("openalex", text_at(work, "id")))
        authorships = work.get("authorships")
        people = authorships if isinstance(authorships, list) else []
        return Entry(
            source_id=self.source_id,
            entry_id=text_at(work, "id") or doi,
            kind=self.settings.item_kind or "paper",
            title=one_line(text_at(work, "title") or text_at(work, "display_name")),
            url=landing or (f"https://doi.org/{doi}" if doi else text_at(work, "id")),
            authors=tuple(n for p in people for n in (text_at(p, "author", "display_name"),) if n),
            published=partial_day(text_at(work, "publication_date")),
            language=text_at(work, "language") or self.settings.language,
            summary=text_of_index(work.get("abstract_inverted_index")),
            categories=_topics(work),
            identifiers=tuple((scheme, value) for scheme, value in pairs if value),
            venue=text_at(work, "primary_location", "source", "display_name"),
            licence=text_at(work, "primary_location", "license") or self.settings.licence,
            retrieved=context.now,
        )


def text_of_index(index: Any, limit: int = 20_000) -> str:
    """An abstract from its inverted index: each word has the places where it stands."""
    if not isinstance(index, dict):
        return ""
    words: dict[int, str] = {}
    for word, places in index.items():
        for place in places if isinstance(places, list) else ():
            if isinstance(place, int) and 0 <= place < limit:
                words[place] = str(word)
    return one_line(" ".join(words[place] for place in sorted(words)))


def _topics(work: dict[str, Any]) -> tuple[str, ...]:
    topics = work.get("topics")
    names = (text_at(t, "display_name") for t in topics) if isinstance(topics, list) else ()
    return tuple(name for name in names if name)
