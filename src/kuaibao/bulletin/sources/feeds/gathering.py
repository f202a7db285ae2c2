"""What the fast path carries along: where it is in the tree, and what it has gathered so far."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kuaibao.bulletin.sources.feeds.dates import parse_date
from kuaibao.bulletin.sources.feeds.document import (
    HTML_TYPES,
    Category,
    FeedEntry,
    Link,
    Person,
    Text,
)
from kuaibao.bulletin.sources.feeds.relative import (
    join,
    looks_like_html,
    resolve_markup,
    safe_base,
)
from kuaibao.bulletin.sources.feeds.xhtml import NotPlainError, inner_markup

__all__ = [
    "CONTEXT",
    "MEDIA_TYPES",
    "NO_ATTRIBUTES",
    "Attributes",
    "DeclinedError",
    "Element",
    "Gathered",
    "Reader",
    "attributes_of",
    "cleaned",
    "flat_text",
]

Element = Any
"""An element of the C parser of `xml.etree`."""
Attributes = Mapping[str, str]

_XML_BASE = "http://www.w3.org/XML/1998/namespace}base"
_XML_LANG = "http://www.w3.org/XML/1998/namespace}lang"
CONTEXT = frozenset({_XML_BASE, _XML_LANG, "base", "lang"})
"""Attributes that hold for what is inside."""
_PLAIN = HTML_TYPES | {"text/plain"}
_C1 = re.compile("[\x80-\x9f]")
_CP1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
MEDIA_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html",
               "xhtml": "application/xhtml+xml"}  # fmt: skip
"""What the formats call the types."""
_NO_TEXT = Text("")
NO_ATTRIBUTES: Attributes = {}
_FAR = 1 << 30
_new_tuple = tuple.__new__  # a third of the time of a named tuple's own constructor


class DeclinedError(Exception):
    """This feed is for the tolerant parser."""


class Gathered:
    """What was gathered of the feed or of one entry."""

    __slots__ = (
        "authors", "categories", "content", "id", "language", "link", "links", "published",
        "published_text", "summary", "summary_depth", "title", "title_depth", "title_kept_depth",
        "updated", "updated_text",
    )  # fmt: skip

    def __init__(self) -> None:
        self.title: Text | None = None
        self.summary: Text | None = None
        self.title_depth = -1
        self.title_kept_depth = self.summary_depth = _FAR
        self.link: str | None = None
        self.id = self.language = self.published_text = self.updated_text = ""
        self.published: datetime | None = None
        self.updated: datetime | None = None
        self.links: list[Link] = []
        self.content: list[Text] = []
        self.authors: list[Person] = []
        self.categories: list[Category] = []

    def entry(self) -> FeedEntry:
        """The entry that this is now."""
        fields = (
            self.id,
            self.title or _NO_TEXT,
            self.link or "",
            tuple(self.links),
            self.summary or _NO_TEXT,
            tuple(self.content),
            tuple(self.authors),
            self.published,
            self.updated,
            tuple(self.categories),
            self.published_text,
            self.updated_text,
            self.language,
        )
        return _new_tuple(FeedEntry, fields)


class Reader:
    """The place in the tree: base, language and depth of the element that is being read."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.language = ""
        self.depth = 0
        self.is_atom = False
        self.problems: list[str] = []

    def enter(self, attributes: Attributes) -> tuple[str, str] | None:
        """Take on the base and the language that an element may have; what `leave` wants back."""
        if not attributes or CONTEXT.isdisjoint(attributes):
            return None
        get = attributes.get
        own, spoken = get(_XML_BASE) or get("base"), get(_XML_LANG, get("lang"))
        if own is None and spoken is None:
            return None
        before = self.base, self.language
        if own:
            joined = safe_base(self.base, own) if self.base else join("", own)
            self.base = joined or self.base
        if spoken is not None:
            self.language = spoken.replace("_", "-")
        return before

    def leave(self, before: tuple[str, str] | None) -> None:
        """Back to where `enter` came from."""
        if before is not None:
            self.base, self.language = before

    def text(self, element: Element, attributes: Attributes, media_type: str) -> Text:
        """A text construct, of this type if it names none; RSS's plain text may be markup."""
        if attributes:
            media_type = _declared_type(attributes, media_type)
        if len(element) == 0 and media_type in _PLAIN:
            value = (element.text or "").strip()
            if "<" in value or "&" in value:
                if media_type == "text/plain" and not self.is_atom and looks_like_html(value):
                    media_type = "text/html"
                if self.base and media_type != "text/plain":
                    value = resolve_markup(value, self.base)
        elif media_type == "application/xhtml+xml":
            value = self._xhtml(element)
        else:
            raise DeclinedError
        if not value.isascii():
            value = cleaned(value)
        return _new_tuple(Text, (value, media_type, self.language, self.base))

    def _xhtml(self, element: Element) -> str:
        try:
            markup = inner_markup(element, is_wrapped=self.is_atom).strip()
            return resolve_markup(markup, self.base)
        except NotPlainError as error:
            raise DeclinedError from error

    def date(self, text: str) -> datetime | None:
        """The moment; what stands where a date belongs and is none is reported."""
        moment = parse_date(text)
        if moment is None and text:
            self.problems.append(f"no date: {text[:60]!r}")
        return moment


def _declared_type(attributes: Attributes, default: str) -> str:
    if len(attributes) == 1 and (known := MEDIA_TYPES.get(attributes.get("type", ""))):
        return known
    if attributes.get("mode"):
        raise DeclinedError
    kind = attributes.get("type", default).lower()
    return MEDIA_TYPES.get(kind, kind)


def attributes_of(element: Element) -> Attributes:
    """The attributes of an element, which makes itself a dictionary when it is asked for none."""
    return element.attrib if element.keys() else NO_ATTRIBUTES


def flat_text(element: Element) -> str:
    """The stripped text of an element without children."""
    if len(element):
        raise DeclinedError
    text: str = (element.text or "").strip()
    return text if text.isascii() else cleaned(text)


def cleaned(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and written again; Windows characters by their numbers."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.translate(_CP1252) if _C1.search(text) else text
