"""An issue as its readers see it: words, dates and addresses ready to print, in one tree.

Every rendering (page, PDF, e-book, mail, feed) takes its text from here, so that they all say the
same and nothing from outside reaches a format uncleaned. `make_view` fills it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from kuaibao.bulletin.publishing.catalogue import Catalogue
from kuaibao.bulletin.publishing.look import Look
from kuaibao.bulletin.publishing.markdown import BodyPart
from kuaibao.text import join_sentences, sentence_gap

__all__ = [
    "ConferenceView",
    "FigureView",
    "IssueView",
    "ItemView",
    "Part",
    "Row",
    "SectionView",
    "Sentence",
    "Source",
]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source sentence that a sentence stands on."""

    number: int
    """Counted from 1, as people count."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence with what supports it."""

    text: str
    sources: tuple[Source, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def gap(self) -> str:
        """What stands before the next sentence."""
        return sentence_gap(self.text)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A labelled part of a summary; the label is empty for plain running text."""

    label: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The sentences as one paragraph."""
        return join_sentences([sentence.text for sentence in self.sentences])


@dataclass(frozen=True, kw_only=True)
class Row:
    """A label with a short value, perhaps a link."""

    label: str
    value: str
    url: str = ""
    language: str = ""
    """Given where the value is not in the language of the issue."""


@dataclass(frozen=True, kw_only=True)
class FigureView:
    """A picture with its caption and source."""

    svg: str
    image: str
    """A data URI; empty if there is an SVG."""
    alt: str
    caption: str
    source: str
    source_url: str

    @property
    def image_type(self) -> str:
        """`png`, `jpeg`, `gif` or `webp`."""
        return self.image.partition("/")[2].partition(";")[0]

    @property
    def image_bytes(self) -> bytes:
        """The picture's file."""
        return base64.b64decode(self.image.partition(",")[2])


@dataclass(frozen=True, kw_only=True)
class ConferenceView:
    """A meeting as it is announced."""

    name: str
    dates: str
    place: str
    deadline: str
    start: str = ""
    """ISO date, for `<time>`."""
    end: str = ""
    day: str = ""
    """The large figure of a calendar leaf: day of the month."""
    month: str = ""


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """An item as it is printed."""

    anchor: str
    number: str
    """`2.3`: third item of the second section."""
    kind: str
    title: str
    original_title: str
    """Empty where it is the same as the title."""
    original_language: str
    url: str
    source: str
    published: str
    published_iso: str
    authors: str
    venue: str
    licence: str
    identifiers: tuple[Row, ...]
    key_phrases: tuple[str, ...]
    parts: tuple[Part, ...]
    cited: tuple[Sentence, ...]
    """Sentences of `body` that have evidence or a doubt to show."""
    facts: tuple[Row, ...]
    body: tuple[BodyPart, ...]
    figures: tuple[FigureView, ...]
    lead_figure: int | None
    """A picture that stands before the text."""
    loose_figures: tuple[int, ...]
    """The others that no fenced block of the body gives a place."""
    conference: ConferenceView | None
    also: tuple[Row, ...]
    signature: str
    is_machine: bool
    text_language: str

    @property
    def lead_text(self) -> str:
        """The running text without labels, for feeds and descriptions."""
        return join_sentences([s.text for part in self.parts for s in part.sentences])


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """A section in print order."""

    anchor: str
    number: int
    kind: str
    title: str
    count: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True, kw_only=True)
class IssueView:
    """A whole issue, ready to print."""

    words: Catalogue
    language: str
    series: str
    title: str
    number: str
    running: str
    number_full: str
    day: str
    day_iso: str
    year: int
    publisher: str
    editors: str
    contact: str
    base_url: str
    disclaimer: str
    content_hash: str
    highlights: tuple[str, ...]
    sections: tuple[SectionView, ...]
    cover: FigureView | None = None
    """The strip at the head."""
    rows: tuple[Row, ...] = field(default=())
    """Publisher, editors and contact, where they are known."""
    look: Look = field(default=Look())
