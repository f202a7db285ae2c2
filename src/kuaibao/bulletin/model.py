"""The values that flow through a bulletin: Entry → Item → Draft → Issue.

All are frozen: each stage makes a new value from the one before, and the store remembers each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

__all__ = [
    "SECTION_KINDS",
    "Conference",
    "Draft",
    "DraftSentence",
    "Enclosure",
    "Entry",
    "Evidence",
    "Fact",
    "Figure",
    "Issue",
    "IssueItem",
    "IssueSection",
    "Item",
    "ItemKind",
    "PartialDate",
    "SectionKind",
    "Signature",
]

ItemKind = Literal["news", "article", "tool", "paper", "conference"]
"""What an entry is about; it decides which template and which fields an item has."""

SectionKind = Literal["in_depth", "news", "tools", "papers", "conferences"]
SECTION_KINDS: tuple[SectionKind, ...] = ("in_depth", "news", "tools", "papers", "conferences")


@dataclass(frozen=True, kw_only=True)
class PartialDate:
    """A moment as far as its source told it: an hour is never invented."""

    value: datetime
    """Aware, in UTC where the zone is known; midnight where only the day is."""
    precision: Literal["second", "minute", "day", "month", "year"] = "second"
    zone: str = "UTC"
    """As the source gave it (`UTC`, `+08:00`, `AoE`); empty if it gave none."""

    @property
    def day(self) -> date:
        """The calendar day."""
        return self.value.date()


@dataclass(frozen=True, kw_only=True)
class Enclosure:
    """A file that comes with an entry."""

    url: str
    media_type: str = ""
    size_bytes: int | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Conference:
    """A meeting: dates as the source gave them."""

    name: str
    start: date | None = None
    end: date | None = None
    place: str = ""
    deadline: PartialDate | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record as its source gave it; never changed afterwards."""

    source_id: str
    """The source's name in bulletin.toml."""
    entry_id: str
    """Unique within the source."""
    kind: ItemKind = "news"
    title: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()
    published: PartialDate | None = None
    updated: PartialDate | None = None
    language: str = ""
    """BCP 47, lower case; empty if unknown."""
    summary: str = ""
    """Plain text that the source offers as a summary or abstract."""
    content: str = ""
    """Plain text, paragraphs parted by blank lines; empty until full text was read."""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    """Pairs such as ("doi", "10.1000/1"), ("arxiv", "2006.00001v2"), ("isbn", …)."""
    venue: str = ""
    """Journal or proceedings of a paper; the publisher of news."""
    licence: str = ""
    conference: Conference | None = None
    retrieved: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One story: one or more entries that tell it, the first being the one shown."""

    item_id: str
    entries: tuple[Entry, ...]
    section: SectionKind = "news"
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    """Why it is here and ranks so, in words."""

    @property
    def lead(self) -> Entry:
        """The entry that stands for the story."""
        return self.entries[0]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Where in the source text a sentence comes from."""

    sentence: int
    """Index of the source sentence, from 0."""
    start: int
    end: int
    """Character span in the source text."""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftSentence:
    """One sentence of a draft with what supports it."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    warnings: tuple[str, ...] = ()
    """Numbers and names that the source lacks."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A labelled short statement (`version`: `2.13.0`)."""

    label: str
    value: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The text of an item: by a person or a machine, sentence by sentence."""

    item_id: str
    language: str
    title: str
    sentences: tuple[DraftSentence, ...] = ()
    fields: tuple[tuple[str, tuple[DraftSentence, ...]], ...] = ()
    """Labelled parts: for a paper background, innovation, model, experiments, results."""
    facts: tuple[Fact, ...] = ()
    key_phrases: tuple[str, ...] = ()
    strategy: str = ""
    """How the text was made (`ind-orig`, `lead`, a model's name, `person`)."""
    is_machine: bool = True


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who did what to an item; follows from the work done."""

    role: Literal["compiled", "translated", "proofread"]
    person: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture of an item, held in the issue itself: a published page loads nothing."""

    svg: str = ""
    """An SVG document; sanitised again when it is printed."""
    image: str = ""
    """A `data:` URI of a PNG, JPEG, GIF or WebP; used when there is no SVG."""
    alt: str = ""
    """What it shows, for those who can't see it."""
    caption: str = ""
    source: str = ""
    """Who made it, as it is printed under the figure."""
    source_url: str = ""
    licence: str = ""
    replaces: str = ""
    """The text of the fenced block in `body_markdown` that it is drawn from; empty for a figure
    that follows the text."""


@dataclass(frozen=True, kw_only=True)
class IssueItem:
    """An item as it is printed."""

    item: Item
    draft: Draft
    signatures: tuple[Signature, ...] = ()
    body_markdown: str = ""
    """A person's own text (in depth); printed instead of the sentences when there is one."""
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IssueSection:
    """A section in print order."""

    kind: SectionKind
    title: str
    items: tuple[IssueItem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Issue:
    """A numbered issue, frozen: everything that the renderings need."""

    series: str
    title: str
    language: str
    """`en` or `zh`: of headings, dates and punctuation."""
    number: int
    running_number: int
    day: date
    sections: tuple[IssueSection, ...] = ()
    publisher: str = ""
    editors: tuple[str, ...] = ()
    contact: str = ""
    base_url: str = ""
    """Where the issue will be read; empty for a local one."""
    disclaimer: str = ""
    content_hash: str = ""
    """SHA-256 of everything above in canonical JSON."""
    highlights: tuple[str, ...] = field(default=())
    cover: Figure | None = None
    """A strip at the head of the issue."""
