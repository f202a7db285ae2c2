"""What a feed says, whatever its format: plain values, no rules.

Named tuples rather than dataclasses: a feed of 2,000 entries makes 20,000 of these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

__all__ = ["Category", "Feed", "FeedEntry", "Link", "Person", "Text"]

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class Link(NamedTuple):
    """A link with its relation; an enclosure is a link with `rel="enclosure"`."""

    href: str = ""
    rel: str = "alternate"
    type: str = ""
    title: str = ""
    length: str = ""
    """As the feed wrote it; not always a number."""
    hreflang: str = ""

    def to_json(self) -> dict[str, str]:
        """The fields that are not empty."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value}


class Text(NamedTuple):
    """A text with its media type."""

    value: str
    type: str = "text/plain"
    language: str = ""
    base: str = ""

    @property
    def is_html(self) -> bool:
        """The value is markup."""
        return self.type in HTML_TYPES


class Person(NamedTuple):
    """An author."""

    name: str = ""
    email: str = ""
    href: str = ""


class Category(NamedTuple):
    """A term of a vocabulary."""

    term: str = ""
    scheme: str = ""
    label: str = ""


class FeedEntry(NamedTuple):
    """One entry as its feed gave it; dates in UTC."""

    id: str = ""
    title: Text = Text("")
    link: str = ""
    links: tuple[Link, ...] = ()
    summary: Text = Text("")
    content: tuple[Text, ...] = ()
    authors: tuple[Person, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    categories: tuple[Category, ...] = ()
    published_text: str = ""
    """The date as the feed wrote it."""
    updated_text: str = ""
    language: str = ""

    @property
    def enclosures(self) -> tuple[Link, ...]:
        """The links that are files."""
        return tuple(link for link in self.links if link.rel == "enclosure")


class Feed(NamedTuple):
    """A feed and what was wrong with it."""

    title: Text = Text("")
    link: str = ""
    id: str = ""
    language: str = ""
    updated: datetime | None = None
    published: datetime | None = None
    entries: tuple[FeedEntry, ...] = ()
    problems: tuple[str, ...] = ()
    format: str = ""
    """`rss20`, `atom10`, `jsonfeed11`, …; empty if it is no feed."""
    parser: str = ""
    """Which path read it: `fast`, `tolerant` or `json`."""

    def to_json(self) -> dict[str, Any]:
        """The document of `kuaibao feed parse`: dates are ISO 8601 in UTC."""
        return {
            "feed": {
                "title": self.title.value,
                "link": self.link,
                "id": self.id,
                "language": self.language,
                "updated": _iso(self.updated or self.published),
                "format": self.format,
            },
            "entries": [_entry_json(entry) for entry in self.entries],
            "problems": list(self.problems),
        }


def _entry_json(entry: FeedEntry) -> dict[str, Any]:
    enclosures = [link.to_json() for link in entry.enclosures]
    for enclosure in enclosures:
        del enclosure["rel"]
    return {
        "id": entry.id,
        "title": entry.title.value,
        "title_type": entry.title.type,
        "link": entry.link,
        "links": [link.to_json() for link in entry.links],
        "summary": entry.summary.value,
        "summary_type": entry.summary.type,
        "content": [text._asdict() for text in entry.content],
        "authors": [_filled(person) for person in entry.authors],
        "published": _iso(entry.published),
        "updated": _iso(entry.updated),
        "categories": [_filled(category) for category in entry.categories],
        "enclosures": enclosures,
    }


def _filled(value: Person | Category) -> dict[str, str]:
    return {name: text for name, text in value._asdict().items() if text}


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%04Y-%m-%dT%H:%M:%SZ") if moment else None
