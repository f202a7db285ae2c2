"""Names of feeds: vocabularies by address, and what elements mean to the fast path."""

from __future__ import annotations

import re
from functools import cached_property

__all__ = ["HARMLESS", "HARMLESS_PREFIXES", "RIVALS", "Names", "is_harmless", "local_name"]

# An empty prefix: the formats' own elements. Addresses are compared in lower case.
_PREFIXES: dict[str, str] = {
    uri.lower(): prefix
    for prefix, uris in {
        "": (
            "",
            "http://backend.userland.com/rss",
            "http://blogs.law.harvard.edu/tech/rss",
            "http://purl.org/rss/1.0/",
            "http://my.netscape.com/rdf/simple/0.9/",
            "http://purl.org/atom/ns#",
            "http://www.w3.org/2005/Atom",
            "http://purl.org/rss/1.0/modules/rss091#",
        ),
        "admin": ("http://webns.net/mvcb/",),
        "cc": ("http://creativecommons.org/ns#license", "http://web.resource.org/cc/"),
        "creativecommons": (
            "http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html",
            "http://backend.userland.com/creativeCommonsRssModule",
        ),
        "content": ("http://purl.org/rss/1.0/modules/content/",),
        "dc": ("http://purl.org/dc/elements/1.1/",),
        "dcterms": ("http://purl.org/dc/terms/",),
        "feedburner": ("http://rssnamespace.org/feedburner/ext/1.0",),
        "foaf": ("http://xmlns.com/foaf/0.1/",),
        "geo": ("http://www.w3.org/2003/01/geo/wgs84_pos#",),
        "georss": ("http://www.georss.org/georss",),
        "gml": ("http://www.opengis.net/gml",),
        "itunes": (
            "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
            "http://example.com/DTDs/PodCast-1.0.dtd",
        ),
        "media": ("http://search.yahoo.com/mrss", "http://search.yahoo.com/mrss/"),
        "prism": ("http://prismstandard.org/namespaces/1.2/basic/",),
        "psc": ("http://podlove.org/simple-chapters",),
        "rdf": ("http://www.w3.org/1999/02/22-rdf-syntax-ns#",),
        "slash": ("http://purl.org/rss/1.0/modules/slash/",),
        "sy": ("http://purl.org/rss/1.0/modules/syndication/",),
        "thr": ("http://purl.org/rss/1.0/modules/threading/",),
        "wfw": ("http://wellformedweb.org/commentAPI/",),
        "xhtml": ("http://www.w3.org/1999/xhtml",),
        "xlink": ("http://www.w3.org/1999/xlink",),
        "xml": ("http://www.w3.org/XML/1998/namespace",),
    }.items()
    for uri in uris
}

HARMLESS = frozenset({
    "source", "contributor", "dc:contributor", "dc:publisher", "dc:rights", "rights", "copyright",
    "comments", "generator", "icon", "logo", "docs", "ttl", "cloud", "rating", "skipdays",
    "skiphours", "webmaster", "managingeditor", "author", "dc:creator", "itunes:author", "items",
    "subtitle", "itunes:subtitle", "itunes:summary", "itunes:owner", "itunes:image",
    "itunes:category", "itunes:explicit", "itunes:block", "itunes:duration", "itunes:episode",
    "media:thumbnail", "media:credit", "media:rating", "media:player", "media:copyright",
    "category", "dc:subject", "dc:type", "dc:format", "dc:identifier", "dc:source", "created",
    "dcterms:created", "content:items",
})  # fmt: skip
"""Elements with which nothing that we read of their holder changes, whatever they hold. Some of
them matter to entries, where a handler comes first; of a feed we do not read them."""

HARMLESS_PREFIXES = frozenset({"geo", "georss", "gml", "sy", "slash", "thr", "wfw", "admin", "psc"})

RIVALS = frozenset({
    "abstract", "body", "xhtml:body", "fullitem", "tags", "keywords", "expirationdate", "info",
    "tagline", "newlocation", "feedburner:browserfriendly", "item", "entry", "channel", "feed",
    "image", "textinput", "name", "email", "url", "uri", "homepage", "width", "height", "links",
    "authors", "title_detail", "summary_detail", "published_parsed", "updated_parsed",
    "guidislink", "where", "language", "dcterms:valid", "content_detail", "date", "href",
})  # fmt: skip
"""Elements that the tolerant parser gives a meaning which the fast path leaves to it."""


def is_harmless(name: str) -> bool:
    """Nothing that we read of its holder changes with it."""
    return name in HARMLESS or name.partition(":")[0] in HARMLESS_PREFIXES


_DECLARATION = re.compile(r"""xmlns(?::([\w.-]{1,60}))?\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_KNOWN: dict[str, str] = {}
"""Names of elements of known vocabularies, for all documents."""
_N_KNOWN, _LONGEST_KNOWN = 5000, 100


class Names(dict[str, str]):
    """The names of a document's elements: `address}Local` to `prefix:local` in lower case.

    The prefix is the vocabulary's usual one if it has one, else the document's own. A vocabulary
    that nobody knows and that the document calls two things gives no name: `ValueError`.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def declared(self) -> dict[str, set[str]]:
        """What the document calls each vocabulary, by its address."""
        found: dict[str, set[str]] = {}
        for prefix, double, single in _DECLARATION.findall(self.text):
            found.setdefault(double or single, set()).add(prefix)
        return found

    def __missing__(self, tag: str) -> str:
        name = self[tag] = _KNOWN.get(tag) or self._look_up(tag)
        return name

    def _look_up(self, tag: str) -> str:
        uri, _, local = tag.rpartition("}")
        local = local.lower()
        usual = _usual_prefix(uri)
        if usual is None:
            (own,) = self.declared.get(uri, set[str]())
            return f"{own.lower()}:{local}" if own else local
        name = f"{usual}:{local}" if usual else local
        if len(_KNOWN) < _N_KNOWN and len(tag) < _LONGEST_KNOWN:
            _KNOWN[tag] = name
        return name


def _usual_prefix(uri: str) -> str | None:
    lower = uri.lower()
    return "" if "backend.userland.com/rss" in lower else _PREFIXES.get(lower)


def local_name(tag: str) -> str:
    """The part of `uri}Name` behind the address, in lower case."""
    return tag.rpartition("}")[2].lower()
