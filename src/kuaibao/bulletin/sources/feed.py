"""Kind `feed`: RSS, RDF, Atom and JSON Feed, from an address or a file of the bulletin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urljoin

from pydantic import model_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Enclosure, Entry, ItemKind
from kuaibao.bulletin.sources.asking import ask, conclude, guarded, newest_first
from kuaibao.bulletin.sources.feeds import MAX_BYTES, Feed, FeedEntry, Text, parse_feed
from kuaibao.bulletin.sources.feeds.dates import partial_date
from kuaibao.bulletin.sources.files import read_bytes
from kuaibao.bulletin.sources.identifiers import identifiers_in
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.errors import KuaibaoError

__all__ = ["FeedSettings", "FeedSource", "entries_of"]


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class FeedSettings(SourceSettings):
    """Either an address or a file."""

    url: str = ""
    """http(s) address of the feed."""
    path: str = ""
    """A saved feed, from the folder of bulletin.toml."""
    base_url: str = ""
    """Where a saved feed came from: its relative links resolve against it."""
    venue: str = ""
    """Name of the publisher; the feed's title if not given."""

    @model_validator(mode="after")
    def _one_place(self) -> FeedSettings:
        if bool(self.url) == bool(self.path):
            raise ValueError("give either url or path")
        return self


class UnreadableFeedError(KuaibaoError):
    """The answer is no feed."""


@dataclass(frozen=True)
class FeedSource:
    """A feed."""

    source_id: str
    settings: FeedSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "feed"
    settings_type: ClassVar[type[FeedSettings]] = FeedSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Ask once; 304 means that nothing is new."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        if self.settings.path:
            data = read_bytes(self.base_dir / self.settings.path, MAX_BYTES + 1)
            feed = parse_feed(data, url=self.settings.base_url)
            state = dict(context.state)
        else:
            answer, state = ask(context, self.settings.url, max_bytes=MAX_BYTES)
            if answer.is_unchanged:
                return conclude(context, (), state, message="unchanged (304)")
            feed = parse_feed(answer.body, url=answer.url, content_type=answer.content_type)
        if not feed.entries and not feed.format:
            raise UnreadableFeedError("; ".join(feed.problems) or "this is no feed")
        entries = entries_of(feed, self.source_id, self.settings, context)
        return conclude(context, newest_first(entries, self.settings), state, feed.problems)


def entries_of(
    feed: Feed,
    source_id: str,
    settings: SourceSettings,
    context: SourceContext,
    *,
    kind: ItemKind = "news",
) -> list[Entry]:
    """The entries of a read feed as the bulletin keeps them: plain text, absolute links."""
    venue = getattr(settings, "venue", "") or one_line(_plain(feed.title))
    made = [_entry(raw, feed, source_id, settings, venue, context, kind) for raw in feed.entries]
    unique = {entry.entry_id: entry for entry in reversed(made) if entry.entry_id}
    return list(reversed(unique.values()))


def _entry(
    raw: FeedEntry,
    feed: Feed,
    source_id: str,
    settings: SourceSettings,
    venue: str,
    context: SourceContext,
    kind: ItemKind,
) -> Entry:
    title = one_line(_plain(raw.title))
    summary = _plain(raw.summary)
    content = max((_plain(text) for text in raw.content), key=len, default="")
    language = raw.language or next((t.language for t in raw.content if t.language), "")
    return Entry(
        source_id=source_id,
        entry_id=raw.id or raw.link or title or summary[:200],
        kind=settings.item_kind or kind,
        title=title or one_line(summary)[:120],
        url=raw.link or next((link.href for link in raw.links if link.href), ""),
        authors=tuple(one_line(p.name or p.email) for p in raw.authors if p.name or p.email),
        published=partial_date(raw.published, raw.published_text),
        updated=partial_date(raw.updated, raw.updated_text),
        language=_tag(language or feed.language or settings.language),
        summary=summary,
        content=content if content != summary else "",
        categories=tuple(dict.fromkeys(one_line(c.label or c.term) for c in raw.categories)),
        enclosures=tuple(
            Enclosure(
                url=_join(raw.link or feed.link, link.href),
                media_type=link.type,
                size_bytes=int(link.length) if _is_size(link.length) else None,
                title=link.title,
            )
            for link in raw.enclosures
            if link.href
        ),
        identifiers=identifiers_in(raw.id, raw.link, *(link.href for link in raw.links)),
        venue=venue,
        licence=settings.licence
        or next((link.href for link in raw.links if link.rel == "license"), ""),
        retrieved=context.now,
    )


def _plain(text: Text) -> str:
    return plain_text(text.value) if text.is_html else text.value.strip()


def _tag(language: str) -> str:
    tag = language.strip().lower().replace("_", "-")
    return tag if len(tag) <= 35 and tag.replace("-", "").isalnum() else ""


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _join(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return href
