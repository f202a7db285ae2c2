"""Kind `arxiv`: new papers by category or query, through the search interface, RSS or OAI-PMH.

One request in three seconds to all of arxiv.org, one at a time: the fetcher's limiter keeps that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from pydantic import model_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, ask, conclude, guarded, newest_first
from kuaibao.bulletin.sources.feed import entries_of
from kuaibao.bulletin.sources.feeds import parse_feed
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date
from kuaibao.bulletin.sources.json_api import address, partial_day
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["ArxivSettings", "ArxivSource"]

_ATOM = "{http://www.w3.org/2005/Atom}"
_OWN = "{http://arxiv.org/schemas/atom}"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RECORD = "{http://arxiv.org/OAI/arXiv/}"
_HOSTS = {"api": "https://export.arxiv.org/api", "rss": "https://rss.arxiv.org/rss",
          "oai": "https://oaipmh.arxiv.org"}  # fmt: skip
_NUMBER = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(v\d+)?")
_ANNOUNCED = re.compile(
    r"^\s*arXiv:\S+\s+Announce Type:\s*(\S+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)
LAGS_AFTER = timedelta(days=5)
"""Weekends and holidays make gaps of four days; more means that the index is behind."""


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class ArxivSettings(SourceSettings):
    """What to ask arXiv for."""

    categories: list[str] = field(default_factory=list)
    """Such as `cs.CL`, `cs.DL`; any of them."""
    query: str = ""
    """In arXiv's search language (`abs:"digital library" AND cat:cs.DL`); only `via = "api"`."""
    via: Literal["api", "rss", "oai"] = "api"
    """`api` searches, `rss` gives today's announcements, `oai` harvests by day."""
    max_pages: int = 5
    """Of a harvest, in one run."""
    base_url: str = ""
    """Of a mirror; arXiv's own if not given."""

    @model_validator(mode="after")
    def _something_is_asked(self) -> ArxivSettings:
        if not self.categories and not self.query:
            raise ValueError("give categories or query")
        if self.query and self.via != "api":
            raise ValueError('query works only with via = "api"')
        return self


@dataclass(frozen=True)
class ArxivSource:
    """arXiv, asked in one of three ways."""

    source_id: str
    settings: ArxivSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "arxiv"
    settings_type: ClassVar[type[ArxivSettings]] = ArxivSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask once; a search index that is days behind is said to lag."""
        ways = {"api": self._search, "rss": self._announcements, "oai": self._harvest}
        return guarded(context, ways[self.settings.via])

    @property
    def _base_url(self) -> str:
        return self.settings.base_url or _HOSTS[self.settings.via]

    def _search(self, context: SourceContext) -> SourceResult:
        wanted = " OR ".join(f"cat:{name}" for name in self.settings.categories)
        parts = [f"({part})" for part in (self.settings.query, wanted) if part]
        url = address(
            self._base_url, "query", search_query=" AND ".join(parts),
            sortBy="submittedDate", sortOrder="descending",
            max_results=min(self.settings.limit, 500),
        )  # fmt: skip
        answer = context.fetcher.get(url)
        root = _xml(answer.body)
        if root.tag != f"{_ATOM}feed":
            raise LayoutError("arXiv's search no longer answers with Atom")
        entries = [self._found(e, context) for e in root.findall(f"{_ATOM}entry")]
        if len(entries) == 1 and entries[0].title == "Error":
            raise LayoutError(f"arXiv refuses the query: {entries[0].summary}")
        result = conclude(context, newest_first(entries, self.settings), dict(context.state))
        return _note_lag(result, entries, context.now)

    def _found(self, element: Any, context: SourceContext) -> Entry:
        def text(name: str) -> str:
            return one_line(element.findtext(name) or "")

        published, updated = text(f"{_ATOM}published"), text(f"{_ATOM}updated")
        authors = [
            one_line(a.findtext(f"{_ATOM}name") or "") for a in element.findall(f"{_ATOM}author")
        ]
        categories = [c.get("term", "") for c in element.findall(f"{_ATOM}category")]
        return self._paper(
            context,
            number=_number(text(f"{_ATOM}id")),
            title=text(f"{_ATOM}title"),
            abstract=text(f"{_ATOM}summary"),
            authors=tuple(a for a in authors if a),
            published=partial_date(parse_date(published), published),
            updated=partial_date(parse_date(updated), updated),
            categories=tuple(c for c in categories if c),
            doi=text(f"{_OWN}doi"),
            venue=text(f"{_OWN}journal_ref"),
        )

    def _announcements(self, context: SourceContext) -> SourceResult:
        url = address(self._base_url, "+".join(self.settings.categories))
        answer, state = ask(context, url)
        if answer.is_unchanged:
            return conclude(context, (), state, message="unchanged (304)")
        feed = parse_feed(answer.body, url=answer.url, content_type=answer.content_type)
        if not feed.format:
            raise LayoutError("arXiv no longer answers with RSS")
        found = entries_of(feed, self.source_id, self.settings, context, kind="paper")
        entries = [self._announced(entry) for entry in found]
        return conclude(context, newest_first(entries, self.settings), state, feed.problems)

    def _announced(self, entry: Entry) -> Entry:
        number = _number(entry.entry_id) or _number(entry.url)
        authors = tuple(
            one_line(name) for line in entry.authors for name in re.split(r",\s+|\s+and\s+", line)
        )
        return replace(
            entry,
            entry_id=number or entry.entry_id,
            authors=authors,
            summary=_ANNOUNCED.sub("", entry.summary).strip(),
            identifiers=(("arxiv", number),) if number else entry.identifiers,
            venue="arXiv",
        )

    def _harvest(self, context: SourceContext) -> SourceResult:
        """Page after page of what changed since the last harvest's day; bounded, then resumed."""
        state = dict(context.state)
        entries: dict[str, Entry] = {}
        for category in self.settings.categories:
            since = state.get(f"since:{category}") or f"{context.now - timedelta(days=3):%Y-%m-%d}"
            token = state.get(f"token:{category}", "")
            for _ in range(self.settings.max_pages):
                url = address(self._base_url, "oai", verb="ListRecords", **(
                    {"resumptionToken": token} if token else
                    {"metadataPrefix": "arXiv", "set": _set_of(category), "from": since}
                ))  # fmt: skip
                root = _xml(context.fetcher.get(url).body)
                error = root.find(f"{_OAI}error")
                if error is not None and error.get("code") != "noRecordsMatch":
                    state.pop(f"token:{category}", None)
                    raise LayoutError(f"arXiv's harvest: {error.get('code')} {error.text or ''}")
                for record in root.iter(f"{_RECORD}arXiv"):
                    entry = self._harvested(record, context)
                    entries[entry.entry_id] = entry
                token = one_line(root.findtext(f".//{_OAI}resumptionToken") or "")
                if not token:
                    break
            state[f"token:{category}"] = token
            if not token:
                state[f"since:{category}"] = f"{context.now:%Y-%m-%d}"
        return conclude(context, tuple(entries.values())[: self.settings.limit], state)

    def _harvested(self, record: Any, context: SourceContext) -> Entry:
        def text(name: str) -> str:
            return one_line(record.findtext(f"{_RECORD}{name}") or "")

        authors = [
            one_line(f"{given or ''} {family or ''}")
            for a in record.findall(f"{_RECORD}authors/{_RECORD}author")
            for given in (a.findtext(f"{_RECORD}forenames"),)
            for family in (a.findtext(f"{_RECORD}keyname"),)
        ]
        paper = self._paper(
            context,
            number=text("id"),
            title=text("title"),
            abstract=text("abstract"),
            authors=tuple(a for a in authors if a),
            published=partial_day(text("created")),
            updated=partial_day(text("updated")),
            categories=tuple(text("categories").split()),
            doi=text("doi"),
            venue=text("journal-ref"),
        )
        return replace(paper, licence=text("license") or paper.licence)

    def _paper(
        self,
        context: SourceContext,
        *,
        number: str,
        title: str,
        abstract: str,
        authors: tuple[str, ...],
        published: PartialDate | None,
        updated: PartialDate | None,
        categories: tuple[str, ...],
        doi: str,
        venue: str,
    ) -> Entry:
        pairs = (("arxiv", number), ("doi", doi.lower()))
        return Entry(
            source_id=self.source_id,
            entry_id=number or title,
            kind=self.settings.item_kind or "paper",
            title=title,
            url=f"https://arxiv.org/abs/{number}" if number else "",
            authors=authors,
            published=published,
            updated=updated,
            language=self.settings.language or "en",
            summary=abstract,
            categories=categories,
            identifiers=tuple((scheme, value) for scheme, value in pairs if value),
            venue=venue or "arXiv",
            licence=self.settings.licence,
            retrieved=context.now,
        )


def _xml(data: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise LayoutError("arXiv's answer is no XML") from error


def _number(text: str) -> str:
    match = _NUMBER.search(text)
    return match.group(0) if match else ""


def _set_of(category: str) -> str:
    """ArXiv's sets: `cs.CL` is `cs:cs:CL`, physics archives stand below `physics`."""
    archive, _, subject = category.partition(".")
    own = ("cs", "econ", "eess", "math", "q-bio", "q-fin", "stat")
    group = archive if archive in own else "physics"
    return ":".join(part for part in (group, archive, subject) if part)


def _note_lag(result: SourceResult, entries: list[Entry], now: datetime) -> SourceResult:
    dates = [entry.published.value for entry in entries if entry.published]
    if dates and now - max(dates) > LAGS_AFTER:
        days = (now - max(dates)).days
        return replace(
            result, status="lagging", message=f"arXiv's newest answer is {days} days old"
        )
    return result
