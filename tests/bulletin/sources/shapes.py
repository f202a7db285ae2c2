"""Every element that feeds use, in every shape and place, against feedparser: 14,800 feeds.

`python shapes.py` compares all of them; the test takes every fortieth.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import feedparser
from feedparser.urls import resolve_relative_uris

from kuaibao.bulletin.sources.feeds import parse_feed

URL = "http://e.org/d/f.xml"

NAMESPACES = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/DTDs/PodCast-1.0.dtd" xmlns:georss="http://www.georss.org/georss" xmlns:thr="http://purl.org/syndication/thread/1.0" xmlns:xhtml="http://www.w3.org/1999/xhtml" xmlns:a="http://www.w3.org/2005/Atom" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:cc="http://web.resource.org/cc/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:psc="http://podlove.org/simple-chapters" xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink"'
PLAIN = "Example title"
ESCAPED = "&lt;p&gt;Example &lt;b&gt;x&lt;/b&gt; &amp;amp; &lt;a href=&quot;r.html&quot;&gt;l&lt;/a&gt;&lt;/p&gt;"
CDATA = "<![CDATA[<p>Example <b>x</b> &amp; <img src='/i.png'></p>]]>"
XHTML = (
    '<div xmlns="http://www.w3.org/1999/xhtml">Example <b>x</b> <a href="r.html">l</a><br/></div>'
)
PREFIXED = "<xhtml:div>Example <xhtml:b>x</xhtml:b></xhtml:div>"
TEXTS = [
    PLAIN,
    ESCAPED,
    CDATA,
    "",
    "  pad  ",
    "&#8220;q&#8221; caf&#233;",
    "&lt;not a tag",
    "a &amp; b",
    "&amp;lt;b&amp;gt;",
    "1 &lt; 2 &gt; 0",
    "中文标题",
    "<![CDATA[a & b]]>",
    "x<![CDATA[<b>y</b>]]>z",
    "&#x4e2d;",
    "&amp;#8212; dash",
    "line1\nline2",
]
DATES = [
    "Thu, 01 Jan 2004 19:48:21 GMT",
    "Thu, 5 Jan 2004 19:48:21 +0800",
    "2003-12-31T10:14:55Z",
    "2003-12-31T10:14:55.1+02:00",
    "2003-12-31",
    "2003-12",
    "2003",
    "20031231",
    "2003-12-31 10:14:55",
    "Thu Jan 1 19:48:21 2004",
    "Thu, 01 Jan 04 19:48 GMT",
    "01 Jan 2004 19:48:21 EST",
    "2004-07-04T23:56:58+9:00",
    "2004년 05월 28일 오후 11:31:15",
    "not a date",
    "Thu, 01 Jan 2004 25:48:21 GMT",
    "2003-365",
    "2003-12-31T10:14Z",
    "Sun, 31 Dec 1999 23:59:59 PST",
    "2003-12-31T10:14:55-08:00",
    "31 December 2003",
    "Mon, 26 January 2004 16:31:00 AT",
    "1064957400",
]


def _elements():
    el: list[str] = []
    for n in (
        "title",
        "description",
        "summary",
        "content:encoded",
        "dc:title",
        "dc:description",
        "itunes:summary",
        "media:title",
        "media:description",
        "a:title",
        "a:summary",
        "a:content",
        "xhtml:body",
        "abstract",
        "fullitem",
        "itunes:subtitle",
        "subtitle",
        "tagline",
        "comments",
        "rights",
        "dc:rights",
        "copyright",
    ):
        el += [f"<{n}>{t}</{n}>" for t in TEXTS]
        el += [
            f'<{n} type="{ty}">{t}</{n}>'
            for ty in ("text", "html", "text/html", "text/plain", "application/octet-stream")
            for t in (PLAIN, ESCAPED, CDATA)
        ]
        el += [
            f'<{n} type="{ty}">{x}</{n}>'
            for ty in ("xhtml", "application/xhtml+xml")
            for x in (XHTML, PREFIXED)
        ]
        el += [
            f'<{n} mode="escaped" type="text/html">{ESCAPED}</{n}>',
            f'<{n} mode="base64" type="text/html">RXhhbXBsZSA8Yj50ZXN0PC9iPg==</{n}>',
            f'<{n} mode="xml">{XHTML}</{n}>',
            f'<{n} xml:base="http://b.org/d/" type="html">{ESCAPED}</{n}>',
            f'<{n} xml:lang="fr">{PLAIN}</{n}>',
            f"<{n}>{XHTML}</{n}>",
        ]
    for n in (
        "pubDate",
        "dc:date",
        "dcterms:modified",
        "dcterms:created",
        "dcterms:issued",
        "a:published",
        "a:updated",
        "published",
        "updated",
        "issued",
        "modified",
        "created",
        "expirationDate",
        "lastBuildDate",
        "dcterms:valid",
    ):
        el += [f"<{n}>{d}</{n}>" for d in DATES]
    for n in (
        "author",
        "dc:creator",
        "dc:author",
        "itunes:author",
        "managingEditor",
        "webMaster",
        "contributor",
        "dc:contributor",
        "dc:publisher",
        "a:author",
        "itunes:owner",
        "media:credit",
    ):
        el += [
            f"<{n}>{v}</{n}>"
            for v in (
                "Ann Lee",
                "me@e.org",
                "me@e.org (Ann Lee)",
                "Ann Lee &lt;me@e.org&gt;",
                "Ann (me@e.org)",
                "李四",
                "",
                "<name>N</name>",
                "<name>N</name><email>e@e.org</email><url>http://u/</url>",
                "<a:name>N</a:name><a:uri>rel</a:uri>",
            )
        ]
    for n in (
        "link",
        "guid",
        "a:id",
        "id",
        "comments",
        "source",
        "a:link",
        "enclosure",
        "a:source",
        "wfw:commentRss",
        "thr:in-reply-to",
        "cc:license",
        "feedburner:origLink",
        "docs",
        "generator",
    ):
        el += [
            f"<{n}>{v}</{n}>"
            for v in (
                "http://e.org/1",
                "rel/1",
                "/abs",
                "",
                "http://e.org/?a=1&amp;b=2",
                " http://e.org/p ",
                "urn:x:1",
            )
        ]
        el += [
            f"<{n} {a}/>"
            for a in (
                'href="http://e.org/1"',
                'href="rel" rel="alternate" type="text/html"',
                'rel="self" href="s"',
                'rel="enclosure" href="e.mp3" length="100" type="audio/mpeg"',
                'url="http://e.org/e.mp3" length="10" type="audio/mpeg"',
                'rel="via" href="v" title="V" hreflang="en"',
                'rel="license" href="l"',
                'href=""',
                'isPermaLink="false"',
                'rel="replies" href="r" type="application/atom+xml"',
                'type="text/html"',
            )
        ]
        el += [
            f'<{n} isPermaLink="{b}">{v}</{n}>'
            for b in ("true", "false")
            for v in ("http://e.org/g", "rel/g", "123")
        ]
    for n in (
        "category",
        "dc:subject",
        "a:category",
        "media:category",
        "itunes:category",
        "itunes:keywords",
        "media:keywords",
        "tags",
        "keywords",
    ):
        el += [f"<{n}>{v}</{n}>" for v in ("Cat", "a, b", "", "中文", "a &amp; b")]
        el += [
            f"<{n} {a}/>"
            for a in (
                'term="t"',
                'term="t" scheme="http://s/" label="L"',
                'text="Arts"',
                'domain="http://d/"',
            )
        ]
        el += [f'<{n} domain="http://d/">C</{n}>', f'<{n} text="Arts"><{n} text="Books"/></{n}>']
    el += [
        '<media:content url="http://e.org/v.mp4" type="video/mp4" medium="video"/>',
        '<media:group><media:content url="a"/><media:content url="b"/><media:title>MT</media:title></media:group>',
        '<media:thumbnail url="t.png"/>',
        '<media:player url="p"/>',
        "<media:rating>adult</media:rating>",
        "<georss:point>45 -71</georss:point>",
        "<georss:where><gml:Point><gml:pos>36 -121</gml:pos></gml:Point></georss:where>",
        "<itunes:duration>3:00</itunes:duration>",
        '<itunes:image href="i"/>',
        "<itunes:explicit>yes</itunes:explicit>",
        "<slash:comments>3</slash:comments>",
        "<thr:total>4</thr:total>",
        "<unknown>x</unknown>",
        '<unknown a="b"/>',
        "<unknown><deep>x</deep></unknown>",
        '<psc:chapters><psc:chapter start="0" title="x"/></psc:chapters>',
        "<dc:language>fr</dc:language>",
        "<language>fr</language>",
        "<image><url>u</url><title>it</title></image>",
        "<textInput><title>ti</title></textInput>",
        "<dc:identifier>10.1/x</dc:identifier>",
        "<xhtml:body><xhtml:p>hi</xhtml:p></xhtml:body>",
        '<a:content src="http://e.org/out" type="image/png"/>',
        '<content src="x"/>',
    ]
    return el


def feeds():
    """Each element in an item, beside others, in the channel; in Atom 1.0 and 0.3, RDF, ill-formed."""
    usual = "<title>Base</title><link>http://e.org/base</link>"
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
    for e in _elements():
        of_atom = e.replace("<a:", "<").replace("</a:", "</")
        yield f'<rss version="2.0" {NAMESPACES}><channel><title>F</title><link>http://f.org/</link><item>{e}</item></channel></rss>'
        yield f'<rss version="2.0" {NAMESPACES}><channel><title>F</title><item>{usual}{e}<description>D</description></item></channel></rss>'
        yield f'<rss version="2.0" {NAMESPACES}><channel>{e}<item>{usual}</item></channel></rss>'
        yield f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}><title>F</title><entry>{of_atom}</entry></feed>'
        yield f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>{of_atom}<entry><title>B</title></entry></feed>'
        yield f'<rdf:RDF {rdf} {NAMESPACES}><channel rdf:about="c"><title>F</title></channel><item rdf:about="i">{e}</item></rdf:RDF>'
        yield f'<feed version="0.3" xmlns="http://purl.org/atom/ns#" {NAMESPACES}><title>F</title><entry>{of_atom}</entry></feed>'
        yield f'<rss version="2.0" {NAMESPACES}><channel><title>F</title><item>{e}<b>&nbsp;</item></channel></rss>'


def differences(data, *, url=URL, content_type="application/xml; charset=utf-8"):
    """What we say, what feedparser says, field by field, where they differ; and our path."""
    found = parse_feed(data, url=url, content_type=content_type)
    ours = found.to_json()
    headers = {"content-type": content_type, "content-location": url}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = feedparser.parse(data, response_headers=headers, sanitize_html=False)
    pairs = {
        "n_entry": (len(ours["entries"]), len(theirs.entries)),
        "feed.title": (_spelt(*found.title[:2]), theirs.feed.get("title", "")),
        "feed.link": (ours["feed"]["link"], theirs.feed.get("link", "")),
        "feed.id": (ours["feed"]["id"], theirs.feed.get("id", "")),
        "feed.language": (ours["feed"]["language"], theirs.feed.get("language", "") or ""),
        "feed.updated": (
            ours["feed"]["updated"],
            _iso(theirs.feed, "updated") or _iso(theirs.feed, "published"),
        ),
    }
    differ = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    for one, other in zip(ours["entries"], theirs.entries, strict=False):
        for name, pair in _entry_pairs(one, other).items():
            if pair[0] != pair[1]:
                differ.setdefault(name, pair)
    return differ, found.parser


def _entry_pairs(one, other):
    return {
        "id": (one["id"], other.get("id", "")),
        "link": (one["link"], other.get("link", "")),
        "title": (_spelt(one["title"], one["title_type"]), other.get("title", "")),
        "summary": (_spelt(one["summary"], one["summary_type"]), other.get("summary", "")),
        "content": (
            [_spelt(c["value"], c["type"]) for c in one["content"]],
            [c["value"] for c in other.get("content", [])],
        ),
        "published": (one["published"], _iso(other, "published")),
        "updated": (one["updated"], _iso(other, "updated")),
        "links": (
            [(x.get("href", ""), x["rel"]) for x in one["links"]],
            [(x.get("href", ""), x.get("rel", "")) for x in other.get("links", [])],
        ),
        "categories": (
            [c.get("term", "") for c in one["categories"]],
            [t.get("term") or "" for t in other.get("tags", [])],
        ),
        "authors": (
            [a.get("name", "") for a in one["authors"]],
            [a.get("name") or "" for a in other.get("authors", []) if a],
        ),
        "enclosures": (
            [e.get("href", "") for e in one["enclosures"]],
            [e.get("href", "") for e in other.get("enclosures", [])],
        ),
    }


def _spelt(markup, media_type):
    is_markup = media_type in ("text/html", "application/xhtml+xml")
    return resolve_relative_uris(markup, "", "utf-8", media_type) if is_markup else markup


def _iso(raw, name):
    parts = dict.get(raw, f"{name}_parsed")
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*parts[:6]) if parts else None


if __name__ == "__main__":
    paths, wrong = Counter(), Counter()
    for feed in feeds():
        found, path = differences(feed.encode())
        paths[path] += 1
        wrong.update(list(found))
        for name, pair in found.items():
            print(name, *pair, feed, sep="\n    ", file=sys.stderr)
    print(paths.total(), "feeds", dict(paths), "differ in", dict(wrong))
