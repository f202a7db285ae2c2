"""The fast path: RSS 0.9x to 2.0, RSS 1.0 and Atom 1.0 that are well-formed, in one walk.

It gives what the tolerant parser gives, or declines: each element is either handled here, known to
change nothing that we read, or a reason to leave the whole feed to the tolerant path. Nothing here
depends on the size of a number in the feed; libxml2 bounds depth (256) and text length (10 MB).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from kuaibao.bulletin.sources.feeds.dates import parse_date
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.feeds.document import (
    HTML_TYPES,
    Category,
    Feed,
    FeedEntry,
    Link,
    Person,
    Text,
)
from kuaibao.bulletin.sources.feeds.relative import (
    MarkupBudget,
    join,
    looks_like_html,
    resolve_markup,
    safe_base,
)
from kuaibao.bulletin.sources.feeds.vocabulary import HARMLESS, HARMLESS_PREFIXES, PREFIXES, RIVALS

__all__ = ["read_quickly"]

Element = Any

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*?\?>")
_XML_NS = "{http://www.w3.org/XML/1998/namespace}"
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_RDF_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_XHTML = "http://www.w3.org/1999/xhtml"
_MAIL = re.compile(
    r"[a-zA-Z0-9_.+-]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9-]+\.)+)"
    r"(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?(?:\?subject=\S+)?"
)
_LOST_AMPERSAND = re.compile(r"&([A-Za-z0-9_]+);")
_C1 = re.compile("[\x80-\x9f]")
_CP1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html",
          "xhtml": "application/xhtml+xml"}  # fmt: skip
_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_PLAIN = HTML_TYPES | {"text/plain"}


class _DeclinedError(Exception):
    """This feed is for the tolerant parser."""


class _Context:
    """What was gathered of the feed or of one entry."""

    __slots__ = (
        "author", "authors", "content", "has_content", "id", "language", "link", "links",
        "published", "published_text", "summary", "summary_depth", "tags", "title", "title_depth",
        "title_kept_depth", "updated", "updated_text",
    )  # fmt: skip

    def __init__(self) -> None:
        self.title: Text | None = None
        self.title_depth = -1
        self.title_kept_depth = 1 << 30
        self.link: str | None = None
        self.links: list[Link] = []
        self.id = self.language = ""
        self.summary: Text | None = None
        self.summary_depth = 1 << 30
        self.content: list[Text] = []
        self.has_content = False
        self.author = ""
        self.authors: list[Person] = []
        self.tags: list[Category] = []
        self.published: datetime | None = None
        self.updated: datetime | None = None
        self.published_text = self.updated_text = ""


def read_quickly(
    data: bytes, *, url: str = "", content_type: str = "", max_entries: int = 2000
) -> Feed | None:
    """Read a well-formed feed of usual elements; None if it is not one."""
    head = data[:4096]
    if b"<!DOCTYPE" in head or b"<!doctype" in head or b"<!ENTITY" in head:
        return None
    decoded = decode(data, content_type)
    text = _DECLARATION.sub("", decoded.text.lstrip("\ufeff"), count=1)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True, collect_ids=False, encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
        reader = _Reader(url, max_entries, has_base=b"base=" in data)
        return reader.read(root)._replace(
            problems=tuple(dict.fromkeys((*decoded.problems, *reader.problems)))
        )
    except (etree.XMLSyntaxError, UnicodeEncodeError, _DeclinedError, ValueError):
        return None


class _Reader:
    def __init__(self, url: str, max_entries: int, *, has_base: bool) -> None:
        self.base = url
        self.max_entries = max_entries
        self.has_base = has_base
        self.is_atom = False
        self.budget = MarkupBudget()
        self.problems: list[str] = []
        self.names: dict[str, str] = {}
        self.entries: list[FeedEntry] = []
        self.n_entry = 0

    def read(self, root: Element) -> Feed:
        name = self.name(root)
        if name not in ("rss", "feed", "rdf:rdf"):
            raise _DeclinedError
        form = self._format(name, root)
        self.is_atom = form == "atom10"
        base, language = self._base(root, self.base), self._language(root, "")
        feed = _Context()
        feed.language = language
        if self.is_atom:
            self._channel(root, feed, base, language, 2)
        else:
            self._rss(root, feed, base, language)
        if self.n_entry > self.max_entries:
            self.problems.append(
                f"only the first {self.max_entries} of {self.n_entry} entries were read"
            )
        return Feed(
            title=feed.title or Text(""),
            link=feed.link or "",
            id=feed.id,
            language=feed.language,
            updated=feed.updated,
            published=feed.published,
            entries=tuple(self.entries),
            format=form,
            parser="fast",
        )

    def _format(self, name: str, root: Element) -> str:
        uris = {uri.lower() for uri in root.nsmap.values() if uri}
        atom = "http://www.w3.org/2005/atom"
        if name == "feed":
            if etree.QName(root).namespace != "http://www.w3.org/2005/Atom":
                raise _DeclinedError
            return "atom10"
        if name == "rdf:rdf":
            if atom in uris:
                raise _DeclinedError
            return "rss10" if "http://purl.org/rss/1.0/" in uris else "rss090"
        version = root.get("version", "")
        if "http://purl.org/rss/1.0/" in uris:
            raise _DeclinedError
        return _VERSIONS.get(version) or ("rss20" if version.startswith("2.") else "rss")

    def _rss(self, root: Element, feed: _Context, base: str, language: str) -> None:
        n_channel = 0
        for child in root:
            name = self.name(child)
            below, spoken = self._base(child, base), self._language(child, language)
            if name == "channel":
                n_channel += 1
                if n_channel > 1 or child.get("lastmod") or child.get("href"):
                    raise _DeclinedError
                self._channel(child, feed, below, spoken, 3)
            elif name == "item":
                self._entry(child, below, spoken, 3)
            elif name in ("image", "textinput"):
                self._check_simple(child)
            else:
                raise _DeclinedError

    def _channel(
        self, parent: Element, feed: _Context, base: str, language: str, depth: int
    ) -> None:
        seen_entry = False
        for child in parent:
            name = self.name(child)
            if name in ("item", "entry"):
                seen_entry = True
                below, spoken = self._base(child, base), self._language(child, language)
                self._entry(child, below, spoken, depth + 1)
                continue
            if name == "language":
                feed.language = _clean(_text(child).strip())
            elif name in ("image", "textinput"):
                self._check_simple(child)
            elif name in ("subtitle", "tagline", "description", "rights", "copyright", "info"):
                continue
            elif name in _FEED_HANDLERS:
                if seen_entry and name in ("title", "dc:title"):
                    feed.title_depth = -1
                self._handle(name, child, feed, base, language, depth)
            else:
                self._check_harmless(name, child)

    def _entry(self, element: Element, base: str, language: str, depth: int) -> None:
        self.n_entry += 1
        if self.n_entry > self.max_entries:
            return
        if element.get("lastmod") or element.get("href"):
            raise _DeclinedError
        entry = _Context()
        entry.id = element.get(_RDF_ABOUT, "")
        for child in element:
            name = self.name(child)
            if name in _HANDLERS:
                self._handle(name, child, entry, base, language, depth)
            else:
                self._check_harmless(name, child)
        self.entries.append(self._finish(entry))

    def _finish(self, entry: _Context) -> FeedEntry:
        for text, moment in ((entry.published_text, entry.published),
                             (entry.updated_text, entry.updated)):  # fmt: skip
            if text and moment is None:
                self.problems.append(f"no date: {text[:60]!r}")
        return FeedEntry(
            entry.id,
            entry.title or Text(""),
            entry.link or "",
            tuple(entry.links),
            entry.summary or Text(""),
            tuple(entry.content),
            tuple(person for person in entry.authors if person != _NOBODY),
            entry.published,
            entry.updated,
            tuple(entry.tags),
            entry.published_text,
            entry.updated_text,
            entry.language,
        )

    # Elements

    def _handle(
        self, name: str, element: Element, into: _Context, base: str, language: str, depth: int
    ) -> None:
        _HANDLERS[name](
            self,
            element,
            into,
            self._base(element, base),
            self._language(element, language),
            depth,
        )

    def name(self, element: Element) -> str:
        """`prefix:local` in lower case, the prefix being the vocabulary's usual one."""
        tag: str = element.tag
        known = self.names.get(tag)
        if known is None:
            uri, _, local = tag.rpartition("}")
            uri = uri[1:].lower()
            if "backend.userland.com/rss" in uri:
                prefix = ""
            else:
                found = PREFIXES.get(uri)
                prefix = (element.prefix or "") if found is None else found
            known = f"{prefix}:{local}".lower() if prefix else local.lower()
            self.names[tag] = known
        return known

    def _base(self, element: Element, base: str) -> str:
        if not self.has_base:
            return base
        own = element.get(f"{_XML_NS}base", element.get("base"))
        if not own:
            return base
        return (safe_base(base, own) or base) if base else join("", own)

    def _language(self, element: Element, language: str) -> str:
        own: str | None = element.get(f"{_XML_NS}lang", element.get("lang"))
        return language if own is None else own.replace("_", "-")

    def _check_simple(self, element: Element) -> None:
        """A picture or a text field of the feed: read past it if it holds only its own."""
        allowed = ("title", "link", "description", "url", "width", "height", "name")
        if any(self.name(child) not in allowed or len(child) for child in element):
            raise _DeclinedError

    def _check_harmless(self, name: str, element: Element) -> None:
        """An element that changes nothing we read may be passed over; any other may not."""
        if name in HARMLESS or name.partition(":")[0] in HARMLESS_PREFIXES:
            return
        if len(element) or name in RIVALS:
            raise _DeclinedError

    def text(self, element: Element, media_type: str, base: str) -> tuple[str, str]:
        """A text construct's value and its type, which may have to be guessed."""
        if media_type == "application/xhtml+xml":
            value = _inline(element, self).strip()
        elif media_type in _PLAIN:
            value = _text(element).strip()
        else:
            raise _DeclinedError
        if not self.is_atom and media_type == "text/plain" and looks_like_html(value):
            media_type = "text/html"
        if media_type in HTML_TYPES:
            resolved = resolve_markup(value, base, media_type, self.budget)
            if resolved is None:
                raise _DeclinedError
            value = resolved
        return _clean(value), media_type


_NOBODY = Person()


def _text(element: Element) -> str:
    if len(element):
        raise _DeclinedError
    return str(element.text or "")


def _value(element: Element) -> str:
    return _clean(_text(element).strip())


def _clean(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and written again; Windows characters by their numbers."""
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return str(text.translate(_CP1252)) if _C1.search(text) else text


def _type(element: Element, default: str) -> str:
    if element.get("mode"):
        raise _DeclinedError
    kind: str = element.get("type", default).lower()
    return _TYPES.get(kind, kind)


def _inline(element: Element, reader: _Reader) -> str:
    """The markup inside an XHTML text construct, without the `div` that Atom wraps it in."""
    children = list(element)
    alone = len(children) == 1 and not (element.text or "").strip()
    if alone and not (children[0].tail or "").strip() and _xhtml_name(children[0]) == "div":
        element = children[0]
        if element.get(f"{_XML_NS}base") or element.get("base"):
            raise _DeclinedError
    return "".join(_markup(element))


def _markup(element: Element) -> Iterator[str]:
    if element.text:
        yield _escape(element.text)
    for child in element:
        name = _xhtml_name(child)
        attributes = "".join(f' {k}="{_quote(v)}"' for k, v in _plain_attributes(child))
        yield f"<{name}{attributes}>"
        yield from _markup(child)
        yield f"</{name}>"
        if child.tail:
            yield _escape(child.tail)


def _xhtml_name(element: Element) -> str:
    uri, _, local = element.tag.rpartition("}")
    name = local.lower()
    if uri[1:] != _XHTML or name in ("svg", "math", "base"):
        raise _DeclinedError
    return name


def _plain_attributes(element: Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if "{" in name or name.lower() in ("base", "lang"):
            raise _DeclinedError
        lower = name.lower()
        yield lower, value.lower() if lower in ("rel", "type") else value


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")


def _quote(text: str) -> str:
    return _escape(text).replace('"', "&quot;")


# Handlers: each has the signature of `Handler` and mirrors what the tolerant parser does.

Handler = Callable[[_Reader, Element, _Context, str, str, int], None]


def _title(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    value, kind = r.text(el, _type(el, "text/plain"), base)
    if not -1 < into.title_depth <= depth and depth <= into.title_kept_depth:
        into.title = Text(value, kind, lang, base)
        into.title_kept_depth = depth
    if value:
        into.title_depth = depth


def _media_title(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    before = into.title_depth
    _title(r, el, into, base, lang, depth)
    into.title_depth = before


def _describe(
    r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int, default: str
) -> None:
    """A second description is the content, if none came before."""
    if into.summary is not None and not into.has_content:
        _content(r, el, into, base, lang, depth)
        return
    value, kind = r.text(el, _type(el, default), base)
    if depth <= into.summary_depth:
        into.summary = Text(value, kind, lang, base)
        into.summary_depth = depth


def _description(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    _describe(r, el, into, base, lang, depth, "text/html")


def _summary(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    _describe(r, el, into, base, lang, depth, "text/plain")


def _content(
    r: _Reader,
    el: Element,
    into: _Context,
    base: str,
    lang: str,
    depth: int,
    default: str = "text/plain",
) -> None:
    if el.get("src"):
        raise _DeclinedError
    into.has_content = True
    value, kind = r.text(el, _type(el, default), base)
    into.content.append(Text(value, kind, lang, base))
    if into.summary is None:
        into.summary = Text(value, kind, lang, base)


def _encoded(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    _content(r, el, into, base, lang, depth, "text/html")


def _link(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    rel = el.get("rel", "alternate").lower()
    kind = el.get("type", "application/atom+xml" if rel == "self" else "text/html").lower()
    href = el.get("url") or el.get("uri") or el.get("href")
    more = (el.get("title", ""), el.get("length", ""), el.get("hreflang", ""))
    if href or el.get("href") is not None:
        href = join(base, href or "")
        into.links.append(Link(href, rel, kind, *more))
        if rel == "alternate" and _TYPES.get(kind, kind) in HTML_TYPES:
            into.link = href
        return
    if len(el):
        raise _DeclinedError
    address = (el.text or "").strip()
    address = _clean(join(base, address) if address else "")
    if "&" in address:
        address = _LOST_AMPERSAND.sub(r"&\g<1>", address.replace("&amp;", "&"))
    into.links.append(Link(address, rel, kind, *more))
    into.link = address


def _identity(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    is_link = el.get("ispermalink", el.get("isPermaLink", "true")) == "true"
    value = _text(el).strip()
    value = _clean(join(base, value) if is_link and value else value)
    into.id = value
    if is_link and into.link is None:
        into.link = value


def _published(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    into.published_text = _value(el)
    into.published = parse_date(into.published_text)


def _updated(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    into.updated_text = _value(el)
    into.updated = parse_date(into.updated_text)


def _author(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    """An author's text is parted into name and address; Atom's come parted."""
    if len(el) == 0:
        into.author = _value(el)
        into.authors.append(_person(into.author))
        return
    if (el.text or "").strip():
        raise _DeclinedError
    fields = {"name": "", "email": "", "href": ""}
    for child in el:
        name = r.name(child).rpartition(":")[2]
        name = "href" if name in ("uri", "url", "homepage") else name
        if name in fields and not (child.tail or "").strip():
            value = _value(child)
            fields[name] = join(r._base(child, base), value) if name == "href" else value
        else:
            raise _DeclinedError
    into.authors.append(Person(**fields))


def _person(text: str) -> Person:
    """`mail (name)`, `name <mail>`, or a name."""
    match = _MAIL.search(text)
    if match is None:
        return Person(text)
    mail = match.group(0)
    name = text.replace(mail, "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "")
    name = name.strip()
    if name and name[0] == "(":
        name = name[1:]
    if name and name[-1] == ")":
        name = name[:-1]
    return Person(name.strip(), mail)


def _category(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    _tag(into, el.get("term"), el.get("scheme", el.get("domain")), el.get("label"), _value(el))


def _media_category(
    r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int
) -> None:
    scheme = el.get("scheme", "http://search.yahoo.com/mrss/category_schema")
    _tag(into, el.get("term"), scheme, el.get("label"), _value(el))


def _tag(
    into: _Context, term: str | None, scheme: str | None, label: str | None, value: str
) -> None:
    if term or scheme or label:
        tag = Category(term or "", scheme or "", label or "")
        if tag not in into.tags:
            into.tags.append(tag)
    if not value:
        return
    if into.tags and not into.tags[-1].term:
        into.tags[-1] = into.tags[-1]._replace(term=value)
    elif Category(value) not in into.tags:
        into.tags.append(Category(value))


def _words(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    scheme = "http://www.itunes.com/" if r.name(el).startswith("itunes") else ""
    for word in _value(el).split(","):
        tag = Category(word.strip(), scheme)
        if tag.term and tag not in into.tags:
            into.tags.append(tag)


def _itunes_category(
    r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int
) -> None:
    if any(r.name(child) != "itunes:category" for child in el):
        raise _DeclinedError
    _tag(into, el.get("text"), "http://www.itunes.com/", None, (el.text or "").strip())
    for child in el:
        _itunes_category(r, child, into, base, lang, depth)


def _enclosure(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    _text(el)
    href = el.get("url") or el.get("uri") or el.get("href") or ""
    kind = el.get("type", "").lower()
    into.links.append(
        Link(href, "enclosure", kind, el.get("title", ""), el.get("length", ""),
             el.get("hreflang", ""))
    )  # fmt: skip


def _licence(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    href = el.get(_RDF_RESOURCE, "") if r.name(el).startswith("cc:") else _value(el)
    into.links.append(Link(href, "license"))


def _source(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    """Where an entry was taken from; a title after it counts again."""
    into.title_depth = -1


def _spoken(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    into.language = _value(el)


def _media(r: _Reader, el: Element, into: _Context, base: str, lang: str, depth: int) -> None:
    """A group or a file with its own title and description: they count for the entry."""
    if r.name(el) == "media:content" and (el.text or "").strip():
        raise _DeclinedError
    for child in el:
        name = r.name(child)
        if name in ("media:title", "media:description", "media:category", "media:keywords",
                    "media:content", "media:group"):  # fmt: skip
            r._handle(name, child, into, base, lang, depth + 1)
        elif not name.startswith("media:") or len(child):
            raise _DeclinedError


_HANDLERS: dict[str, Handler] = {
    "title": _title, "dc:title": _title, "media:title": _media_title,
    "description": _description, "dc:description": _description, "media:description": _description,
    "summary": _summary, "itunes:summary": _summary,
    "content": _content, "content:encoded": _encoded,
    "link": _link, "guid": _identity, "id": _identity,
    "published": _published, "pubdate": _published, "issued": _published,
    "dcterms:issued": _published,
    "updated": _updated, "modified": _updated, "lastbuilddate": _updated, "dc:date": _updated,
    "dcterms:modified": _updated,
    "author": _author, "dc:creator": _author, "dc:author": _author, "itunes:author": _author,
    "category": _category, "dc:subject": _category, "media:category": _media_category,
    "itunes:category": _itunes_category, "itunes:keywords": _words, "media:keywords": _words,
    "enclosure": _enclosure, "cc:license": _licence, "creativecommons:license": _licence,
    "dc:language": _spoken, "source": _source, "media:group": _media, "media:content": _media,
}  # fmt: skip
_FEED_HANDLERS = frozenset({
    "title", "dc:title", "link", "guid", "id", "published", "pubdate", "issued", "dcterms:issued",
    "updated", "modified", "lastbuilddate", "dc:date", "dcterms:modified", "dc:language",
})  # fmt: skip
