"""What each element means to the fast path: one function an element, and the tables by name.

A function mirrors what the tolerant parser does with the element, or declines the feed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kuaibao.bulletin.sources.feeds.document import HTML_TYPES, Category, Link, Person
from kuaibao.bulletin.sources.feeds.gathering import (
    MEDIA_TYPES,
    Attributes,
    DeclinedError,
    Element,
    Gathered,
    Reader,
    attributes_of,
    cleaned,
    flat_text,
)
from kuaibao.bulletin.sources.feeds.relative import join
from kuaibao.bulletin.sources.feeds.vocabulary import RIVALS, is_harmless, local_name

__all__ = ["HANDLERS", "OF_FEEDS", "Handler", "handler_of"]

Handler = Callable[[Reader, Element, Attributes, Gathered], None]

_ATOM_NAME = "http://www.w3.org/2005/Atom}name"
_RDF_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_MAIL = re.compile(
    r"(?<![a-zA-Z0-9_.+-])[a-zA-Z0-9_.+-]++@"
    r"(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9-]++\.)+)"
    r"(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?(?:\?subject=\S+)?"
)
"""A mail address where the tolerant parser finds it. It begins where its word does, so that a long
word is looked through once."""
_LOST_AMPERSAND = re.compile(r"&([A-Za-z0-9_]+);")
_ITUNES = "http://www.itunes.com/"
_MEDIA_SCHEME = "http://search.yahoo.com/mrss/category_schema"
_MEDIA_KEPT = frozenset({
    "media:title", "media:description", "media:category", "media:keywords", "media:content",
    "media:group",
})  # fmt: skip
_MOST_CATEGORIES = 100
"""Of an entry: each is compared with those before it. An entry of more is for the tolerant parser,
which can be stopped."""
_new_tuple = tuple.__new__


def handler_of(name: str) -> Handler:
    """What is done with an element of this `prefix:local` name."""
    if name in HANDLERS:
        return HANDLERS[name]
    if is_harmless(name):
        return _pass_over
    return _decline if name in RIVALS else _pass_over_if_flat


def _pass_over(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    """An element with which nothing that we read changes."""


def _pass_over_if_flat(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    if len(element):
        raise DeclinedError


def _decline(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    raise DeclinedError


# Texts


def _title(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    title = reader.text(element, attributes, "text/plain")
    depth = reader.depth
    if not -1 < into.title_depth <= depth and depth <= into.title_kept_depth:
        into.title = title
        into.title_kept_depth = depth
    if title[0]:
        into.title_depth = depth


def _media_title(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    before = into.title_depth
    _title(reader, element, attributes, into)
    into.title_depth = before


def _describing(default: str) -> Handler:
    """The handler of a description that is of this type if it names none."""

    def describe(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
        if into.summary is not None and not into.content:  # a second one is the content
            _add_content(reader, element, attributes, into, "text/plain")
            return
        summary = reader.text(element, attributes, default)
        if reader.depth <= into.summary_depth:
            into.summary = summary
            into.summary_depth = reader.depth

    return describe


_description = _describing("text/html")
_summary = _describing("text/plain")


def _content(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    _add_content(reader, element, attributes, into, "text/plain")


def _encoded(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    _add_content(reader, element, attributes, into, "text/html")


def _add_content(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered, default: str
) -> None:
    if attributes and attributes.get("src"):
        raise DeclinedError
    content = reader.text(element, attributes, default)
    into.content.append(content)
    if into.summary is None:
        into.summary = content


# Addresses


def _link(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    if not attributes:  # as RSS's are
        into.link = href = _address(reader, element)
        into.links.append(_new_tuple(Link, (href, "alternate", "text/html", "", "", "")))
        return
    if len(attributes) == 1 and "href" in attributes:  # as most of Atom's are
        into.link = href = join(reader.base, attributes["href"])
        into.links.append(_new_tuple(Link, (href, "alternate", "text/html", "", "", "")))
        return
    get = attributes.get
    rel = get("rel", "alternate").lower()
    kind = get("type", "application/atom+xml" if rel == "self" else "text/html").lower()
    href = get("url") or get("uri") or get("href")
    if href is None:
        into.link = href = _address(reader, element)
    else:
        href = join(reader.base, href)
        if rel == "alternate" and MEDIA_TYPES.get(kind, kind) in HTML_TYPES:
            into.link = href
    more = get("title", ""), get("length", ""), get("hreflang", "")
    into.links.append(_new_tuple(Link, (href, rel, kind, *more)))


def _address(reader: Reader, element: Element) -> str:
    """The address that stands as text, absolute."""
    if len(element):
        raise DeclinedError
    address = (element.text or "").strip()
    if address:
        if reader.base or ":///" in address or "[" in address:
            address = join(reader.base, address)
        if not address.isascii():
            address = cleaned(address)
        if "&" in address:
            address = _LOST_AMPERSAND.sub(r"&\g<1>", address.replace("&amp;", "&"))
    return address


def _identity(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    value = flat_text(element)
    if not attributes or _is_permalink(attributes):
        if value and (reader.base or ":///" in value or "[" in value):
            value = join(reader.base, value)
        if into.link is None:
            into.link = value
    into.id = value


def _is_permalink(attributes: Attributes) -> bool:
    return attributes.get("ispermalink", attributes.get("isPermaLink", "true")) == "true"


def _enclosure(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    flat_text(element)
    get = attributes.get
    href = get("url") or get("uri") or get("href") or ""
    kind = get("type", "").lower()
    more = get("title", ""), get("length", ""), get("hreflang", "")
    into.links.append(Link(href, "enclosure", kind, *more))


def _cc_license(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    into.links.append(Link(attributes.get(_RDF_RESOURCE, ""), "license"))


def _license(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    into.links.append(Link(flat_text(element), "license"))


# Dates and languages


def _published(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    into.published_text = text = flat_text(element)
    into.published = reader.date(text)


def _updated(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    into.updated_text = text = flat_text(element)
    into.updated = reader.date(text)


def _language(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    into.language = flat_text(element)


# People


def _author(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    """An author's text is parted into name and address; Atom's come parted."""
    if len(element) == 0:
        text = flat_text(element)
        if text:
            into.authors.append(
                _person(text) if "@" in text else _new_tuple(Person, (text, "", ""))
            )
        return
    if (element.text or "").strip():
        raise DeclinedError
    first = element[0]
    if (
        len(element) == 1
        and first.tag == _ATOM_NAME
        and not first.keys()
        and not (first.tail or "").strip()
    ):
        name = flat_text(first)
        if name:
            into.authors.append(_new_tuple(Person, (name, "", "")))
        return
    fields = {"name": "", "email": "", "href": ""}
    for child in element:
        name = local_name(child.tag)
        name = "href" if name in ("uri", "url", "homepage") else name
        if name not in fields or (child.tail or "").strip():
            raise DeclinedError
        before = reader.enter(attributes_of(child))
        value = flat_text(child)
        fields[name] = join(reader.base, value) if name == "href" else value
        reader.leave(before)
    if any(fields.values()):
        into.authors.append(Person(**fields))


def _person(text: str) -> Person:
    """`mail (name)`, `name <mail>`, or a name."""
    match = _MAIL.search(text)
    if match is None:
        return Person(text)
    mail = match.group(0)
    name = text.replace(mail, "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "")
    name = name.strip().removeprefix("(").removesuffix(")")
    return Person(name.strip(), mail)


# Terms


def _category(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    if attributes:
        get = attributes.get
        _declare(into, get("term"), get("scheme", get("domain")), get("label"))
    _add_term(into, flat_text(element))


def _media_category(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    get = attributes.get
    _declare(into, get("term"), get("scheme", _MEDIA_SCHEME), get("label"))
    _add_term(into, flat_text(element))


def _itunes_category(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    _declare(into, attributes.get("text"), _ITUNES, None)
    _add_term(into, (element.text or "").strip())
    for child in element:
        if child.tag != element.tag:
            raise DeclinedError
        _itunes_category(reader, child, attributes_of(child), into)


def _declare(into: Gathered, term: str | None, scheme: str | None, label: str | None) -> None:
    if term or scheme or label:
        _add_category(into, Category(term or "", scheme or "", label or ""))


def _add_term(into: Gathered, value: str) -> None:
    """The element's text: the term of what its attributes declared, or one by itself."""
    if not value:
        return
    categories = into.categories
    if categories and not categories[-1][0]:
        categories[-1] = categories[-1]._replace(term=value)
        return
    _add_category(into, _new_tuple(Category, (value, "", "")))


def _add_category(into: Gathered, category: Category) -> None:
    categories = into.categories
    if category not in categories:
        if len(categories) == _MOST_CATEGORIES:
            raise DeclinedError
        categories.append(category)


def _add_words(into: Gathered, text: str, scheme: str) -> None:
    for word in text.split(","):
        category = Category(word.strip(), scheme)
        if category.term:
            _add_category(into, category)


def _media_keywords(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    _add_words(into, flat_text(element), "")


def _itunes_keywords(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    _add_words(into, flat_text(element), _ITUNES)


# Holders


def _source(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    """Where an entry was taken from; a title after it counts again."""
    into.title_depth = -1


def _media_content(
    reader: Reader, element: Element, attributes: Attributes, into: Gathered
) -> None:
    if (element.text or "").strip():
        raise DeclinedError
    _media_group(reader, element, attributes, into)


def _media_group(reader: Reader, element: Element, attributes: Attributes, into: Gathered) -> None:
    """A group or a file with its own title and description: they count for the entry."""
    reader.depth += 1
    for child in element:
        name = f"media:{local_name(child.tag)}"
        if child.tag.rpartition("}")[0] != element.tag.rpartition("}")[0]:
            raise DeclinedError
        if name in _MEDIA_KEPT:
            within = attributes_of(child)
            before = reader.enter(within)
            HANDLERS[name](reader, child, within, into)
            reader.leave(before)
        elif len(child):
            raise DeclinedError
    reader.depth -= 1


HANDLERS: dict[str, Handler] = {
    "title": _title, "dc:title": _title, "media:title": _media_title,
    "description": _description, "dc:description": _description, "media:description": _description,
    "summary": _summary, "itunes:summary": _summary,
    "content": _content, "content:encoded": _encoded,
    "link": _link, "guid": _identity, "id": _identity,
    "published": _published, "pubdate": _published, "issued": _published,
    "dcterms:issued": _published,
    "updated": _updated, "modified": _updated, "lastbuilddate": _updated, "dc:date": _updated,
    "dcterms:modified": _updated,
    "managingeditor": _author, "itunes:owner": _pass_over_if_flat,
    "author": _author, "dc:creator": _author, "dc:author": _author, "itunes:author": _author,
    "category": _category, "dc:subject": _category, "media:category": _media_category,
    "itunes:category": _itunes_category, "itunes:keywords": _itunes_keywords,
    "media:keywords": _media_keywords,
    "enclosure": _enclosure, "cc:license": _cc_license, "creativecommons:license": _license,
    "dc:language": _language, "source": _source, "media:group": _media_group,
    "media:content": _media_content,
}  # fmt: skip
"""Elements of entries."""

OF_FEEDS = frozenset({
    "title", "dc:title", "media:title", "link", "guid", "id", "published", "pubdate", "issued",
    "dcterms:issued", "updated", "modified", "lastbuilddate", "dc:date", "dcterms:modified",
    "dc:language",
})  # fmt: skip
"""Those that are read of the feed as well."""
