"""Kind `semantic-scholar`: papers by words, newest first; a key raises the allowance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources.asking import conclude, guarded, newest_first
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

__all__ = ["SemanticScholarSettings", "SemanticScholarSource"]

FIELDS = "title,abstract,authors,venue,publicationDate,year,externalIds,url,fieldsOfStudy"


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class SemanticScholarSettings(SourceSettings):
    """What to ask Semantic Scholar for."""

    query: str
    """Words, with `+`, `|`, `-` and quotes as its bulk search knows them."""
    fields_of_study: str = ""
    """Such as `Computer Science`."""
    key_env: str = ""
    """Name of the environment variable that holds the key."""
    base_url: str = "https://api.semanticscholar.org"
    """Of the interface."""


@dataclass(frozen=True)
class SemanticScholarSource:
    """Semantic Scholar."""

    source_id: str
    settings: SemanticScholarSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "semantic-scholar"
    settings_type: ClassVar[type[SemanticScholarSettings]] = SemanticScholarSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask for the newest papers."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        url = address(
            self.settings.base_url, "graph/v1/paper/search/bulk", query=self.settings.query,
            fields=FIELDS, sort="publicationDate:desc",
            fieldsOfStudy=self.settings.fields_of_study,
        )  # fmt: skip
        key = secret(context, self.settings.key_env)
        document = ask_json(context, url, headers={"x-api-key": key} if key else None)
        entries = [self._entry(paper, context) for paper in items_of(document, "data")]
        return conclude(context, newest_first(entries, self.settings), dict(context.state))

    def _entry(self, paper: dict[str, Any], context: SourceContext) -> Entry:
        doi = text_at(paper, "externalIds", "DOI").lower()
        arxiv = text_at(paper, "externalIds", "ArXiv")
        people, studies = paper.get("authors"), paper.get("fieldsOfStudy")
        names = [text_at(p, "name") for p in people] if isinstance(people, list) else []
        return Entry(
            source_id=self.source_id,
            entry_id=text_at(paper, "paperId") or doi,
            kind=self.settings.item_kind or "paper",
            title=one_line(text_at(paper, "title")),
            url=text_at(paper, "url") or (f"https://doi.org/{doi}" if doi else ""),
            authors=tuple(name for name in names if name),
            published=partial_day(text_at(paper, "publicationDate") or text_at(paper, "year")),
            language=self.settings.language,
            summary=text_at(paper, "abstract"),
            categories=tuple(str(s) for s in studies) if isinstance(studies, list) else (),
            identifiers=tuple((s, v) for s, v in (("doi", doi), ("arxiv", arxiv)) if v),
            venue=one_line(text_at(paper, "venue")),
            licence=self.settings.licence,
            retrieved=context.now,
        )
