"""The fast path: RSS 0.9x to 2.0, RSS 1.0 and Atom 1.0 that are well-formed, in one walk.

It gives what the tolerant parser gives, or declines: each element is either handled, known to
change nothing that we read, or a reason to leave the whole feed to the tolerant path. Document
types are left to that path before anything is parsed, so there are no entities to expand. The
elements are `xml.etree`'s, which are three times as quick to walk as libxml2's.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.feeds.document import Feed, FeedEntry, Text
from kuaibao.bulletin.sources.feeds.elements import OF_FEEDS, Handler, handler_of
from kuaibao.bulletin.sources.feeds.gathering import (
    CONTEXT,
    NO_ATTRIBUTES,
    Attributes,
    DeclinedError,
    Element,
    Gathered,
    Reader,
    attributes_of,
    flat_text,
)
from kuaibao.bulletin.sources.feeds.vocabulary import RIVALS, Names, is_harmless

__all__ = ["read_quickly"]

_PROLOG = re.compile(r"(?:\s++|<\?(?:[^?]++|\?(?!>))*+\?>|<!--(?:[^-]++|-(?!-))*+-->)*+")
"""What may stand in front of the root but a document type."""
_RDF_ABOUT = "http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_ATOM_FEED = "http://www.w3.org/2005/Atom}feed"
_ATOM_DECLARED = re.compile(r"""["']http://www\.w3\.org/2005/atom["']""", re.IGNORECASE)
_RSS10_DECLARED = re.compile(r"""["']http://purl\.org/rss/1\.0/["']""", re.IGNORECASE)
_TEXT_BYTES = 64 * 1024
"""Of a text that come in one piece."""
_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_NOT_OURS = frozenset({
    "subtitle", "tagline", "description", "rights", "copyright", "info",
})  # fmt: skip
"""Elements of a feed that are not read, whatever they hold."""
_PICTURE = frozenset({"title", "link", "description", "url", "width", "height", "name"})


def read_quickly(
    data: bytes, *, url: str = "", content_type: str = "", max_entries: int = 2000
) -> Feed | None:
    """Read a well-formed feed of usual elements; None if it is not one."""
    decoded = decode(data, content_type)
    text = decoded.text.lstrip("\ufeff")
    prolog = _PROLOG.match(text)
    text = text[prolog.end() :] if prolog else text
    if text.startswith("<!"):  # a document type: nowhere else would XML allow one
        return None
    try:
        walk = _Walk(text, url, max_entries)
        return walk.read(_tree(text), decoded.problems)
    except (expat.ExpatError, UnicodeEncodeError, DeclinedError, ValueError, RecursionError):
        return None


def _tree(text: str) -> Element:
    """The root; names are `address}Local`.

    As `xml.etree` builds it, but texts come from expat whole: it parts them at each reference, of
    which an escaped article has hundreds.
    """
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    parser.buffer_size = _TEXT_BYTES
    builder = TreeBuilder()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(text, True)
    return builder.close()


class _Handlers(dict[str, Handler]):
    """The handler of each tag, looked up by name the first time."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def __missing__(self, tag: str) -> Handler:
        handler = self[tag] = handler_of(self.names[tag])
        return handler


class _Walk:
    """One feed, from its root down to the elements of its entries."""

    def __init__(self, text: str, url: str, max_entries: int) -> None:
        self.names = Names(text)
        self.handlers = _Handlers(self.names)
        self.reader = Reader(url)
        self.max_entries = max_entries
        self.entries: list[FeedEntry] = []
        self.n_entry = 0

    def read(self, root: Element, problems: tuple[str, ...]) -> Feed:
        form = self._format(root)
        self.reader.is_atom = form == "atom10"
        self.reader.enter(root.attrib)
        feed = Gathered()
        feed.language = self.reader.language
        if self.reader.is_atom:
            self._channel(root, feed, 2)
        else:
            self._rss(root, feed)
        problems = (*problems, *self.reader.problems)
        if self.n_entry > self.max_entries:
            left_out = f"only the first {self.max_entries} of {self.n_entry} entries were read"
            problems = (*problems, left_out)
        return Feed(
            title=feed.title or Text(""),
            link=feed.link or "",
            id=feed.id,
            language=feed.language,
            updated=feed.updated,
            published=feed.published,
            entries=tuple(self.entries),
            problems=tuple(dict.fromkeys(problems)),
            format=form,
            parser="fast",
        )

    def _format(self, root: Element) -> str:
        if root.tag == _ATOM_FEED:
            return "atom10"
        name, text = self.names[root.tag], self.names.text
        head = text[: text.find(">")]
        is_rss10 = bool(_RSS10_DECLARED.search(head))
        if name == "rdf:rdf" and not _ATOM_DECLARED.search(head):
            return "rss10" if is_rss10 else "rss090"
        if name == "rss" and not is_rss10:
            version = root.get("version", "")
            return _VERSIONS.get(version) or ("rss20" if version.startswith("2.") else "rss")
        raise DeclinedError

    def _rss(self, root: Element, feed: Gathered) -> None:
        n_channel = 0
        for child in root:
            name = self.names[child.tag]
            before = self.reader.enter(child.attrib)
            if name == "channel":
                n_channel += 1
                if n_channel > 1 or child.get("lastmod") or child.get("href"):
                    raise DeclinedError
                self._channel(child, feed, 3)
            elif name == "item":
                self._entry(child, child.attrib, 3)
            elif name in ("image", "textinput"):
                self._check_picture(child)
            else:
                raise DeclinedError
            self.reader.leave(before)

    def _channel(self, parent: Element, feed: Gathered, depth: int) -> None:
        reader, names = self.reader, self.names
        seen_entry = False
        for child in parent:
            name = names[child.tag]
            attributes = attributes_of(child)
            before = reader.enter(attributes) if attributes else None
            if name in ("item", "entry"):
                seen_entry = True
                self._entry(child, attributes, depth + 1)
            elif name == "language":
                feed.language = flat_text(child)
            elif name in ("image", "textinput"):
                self._check_picture(child)
            elif name in OF_FEEDS:
                if seen_entry and name in ("title", "dc:title"):
                    feed.title_depth = -1
                reader.depth = depth
                handler_of(name)(reader, child, attributes, feed)
            elif name not in _NOT_OURS:
                self._check_unread(name, child)
            if before:
                reader.leave(before)

    def _check_picture(self, element: Element) -> None:
        """A picture or a text field of the feed: read past it if it holds only its own."""
        if any(self.names[child.tag] not in _PICTURE or len(child) for child in element):
            raise DeclinedError

    def _check_unread(self, name: str, element: Element) -> None:
        """An element that changes nothing we read of a feed may be passed over; no other may."""
        if not is_harmless(name) and (len(element) or name in RIVALS):
            raise DeclinedError

    def _entry(self, element: Element, attributes: Attributes, depth: int) -> None:
        self.n_entry += 1
        if self.n_entry > self.max_entries:
            return
        entry = Gathered()
        if attributes:
            if attributes.get("lastmod") or attributes.get("href"):
                raise DeclinedError
            entry.id = attributes.get(_RDF_ABOUT, "")
        reader, handlers = self.reader, self.handlers
        reader.depth = depth
        for child in element:
            handle = handlers[child.tag]
            # `attributes_of`, without the call.
            attributes = child.attrib if child.keys() else NO_ATTRIBUTES
            if attributes and not CONTEXT.isdisjoint(attributes):
                before = reader.enter(attributes)
                handle(reader, child, attributes, entry)
                reader.leave(before)
            else:
                handle(reader, child, attributes, entry)
        self.entries.append(entry.entry())
