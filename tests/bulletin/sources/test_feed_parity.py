"""The fast path gives what feedparser gives, on hundreds of feeds made by chance."""

import importlib.util
import warnings
from pathlib import Path
from urllib.parse import urljoin

import feedparser
import pytest
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import _HTMLSanitizer
from feedparser.urls import RelativeURIResolver
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.sources.feeds import elements, relative, vocabulary
from kuaibao.bulletin.sources.feeds.fast import read_quickly
from kuaibao.bulletin.sources.feeds.tolerant import read_tolerantly

_spec = importlib.util.spec_from_file_location(
    "feed_maker", Path(__file__).parent / "feed_maker.py"
)
feed_maker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(feed_maker)

URL = "http://e.org/dir/feed.xml"


def _comparable(feed):
    """Without what feedparser gets wrong: it gives a second author the first one's address, and a
    feed's own link loses the semicolon of a doubly escaped ampersand."""
    entries = [
        entry._replace(
            title=(entry.title.value, entry.title.type),
            summary=entry.summary.value,
            authors=[(p.name, p.href) for p in entry.authors],
        )
        for entry in feed.entries
    ]
    return feed._replace(
        title=feed.title.value, entries=entries, parser="", problems=(),
        link=feed.link.replace("&ampb", "&b"),
    )  # fmt: skip


@pytest.mark.parametrize("block", range(8))
def test_both_paths_read_the_same(block):
    n_fast = 0
    for seed in range(block * 60, block * 60 + 60):
        data = feed_maker.FeedMaker(seed).any().encode()
        quick = read_quickly(data, url=URL)
        if quick is not None:
            n_fast += 1
            assert _comparable(quick) == _comparable(read_tolerantly(data, url=URL)), f"seed {seed}"
    assert n_fast > 50


def _spelt(markup, media_type):
    """As feedparser writes markup when it has resolved it: we leave the feed's own spelling."""
    from feedparser.urls import resolve_relative_uris

    is_markup = media_type in ("text/html", "application/xhtml+xml")
    return resolve_relative_uris(markup, "", "utf-8", media_type) if is_markup else markup


def _iso(parts):
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*parts[:6]) if parts else None


@pytest.mark.parametrize("seed", range(1000, 1060))
def test_the_document_says_what_feedparser_says(seed):
    """Against feedparser itself, not through our mapping of it."""
    data = feed_maker.FeedMaker(seed).any().encode()
    quick = read_quickly(data, url=URL)
    if quick is None:
        pytest.skip("for the tolerant path")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = feedparser.parse(
            data,
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": URL,
            },
            sanitize_html=False,
        )
    document = quick.to_json()
    assert _spelt(quick.title.value, quick.title.type) == found.feed.get("title", "")
    assert len(document["entries"]) == len(found.entries)
    for ours, theirs in zip(document["entries"], found.entries, strict=True):
        assert ours["id"] == theirs.get("id", "")
        assert ours["link"] == theirs.get("link", "")
        assert _spelt(ours["title"], ours["title_type"]) == theirs.get("title", "")
        assert _spelt(ours["summary"], ours["summary_type"]) == theirs.get("summary", "")
        assert ours["published"] == _iso(dict.get(theirs, "published_parsed"))
        assert ours["updated"] == _iso(dict.get(theirs, "updated_parsed"))
        assert [_spelt(c["value"], c["type"]) for c in ours["content"]] == [
            c["value"] for c in theirs.get("content", [])
        ]
        assert [(c["type"]) for c in ours["content"]] == [
            c["type"] for c in theirs.get("content", [])
        ]
        assert [(x.get("href"), x["rel"]) for x in ours["links"]] == [
            (x.get("href") or None, x["rel"]) for x in theirs.get("links", [])
        ]
        assert [c["term"] for c in ours["categories"]] == [
            t["term"] for t in theirs.get("tags", [])
        ]
        assert [a.get("name", "") for a in ours["authors"]] == [
            a.get("name", "") for a in theirs.get("authors", []) if a
        ]


def test_every_element_that_feedparser_knows_has_a_place_in_the_fast_path():
    """A new feedparser that gives a meaning to another element fails here."""
    later = {"rss", "channel", "georssgeom", "summary", "psc:chapter", "psc:chapters"}
    for method in (n for n in dir(_FeedParserMixin) if n.startswith("_start_")):
        name = method.removeprefix("_start_").lower()
        prefix, _, local = name.partition("_")
        name = f"{prefix}:{local}" if local else name
        known = (
            name in elements.HANDLERS
            or name in vocabulary.HARMLESS
            or name in vocabulary.RIVALS
            or name.split(":")[0] in (*vocabulary.HARMLESS_PREFIXES, "media", "itunes")
            or name in later
        )
        assert known, name


def test_the_tables_are_feedparser_s():
    assert _HTMLSanitizer.acceptable_elements == relative._USUAL
    pairs = {(tag, name) for name, tags in relative._ADDRESS_ATTRIBUTES.items() for tag in tags}
    assert pairs == RelativeURIResolver.relative_uris


_PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<br />", "<br/>", "<BR>", "words", "é", "a < b", "&amp;", "&nbsp;", "&#0150;",
        '<a href="/r?a=1&amp;b=2">', "<a href='x y.html'>", "<A HREF=#frag>", "</a>", "<a href=''>",
        '<a href="http://e.org/a/../b?x=1#f">', '<a class="href=x" href = "//cdn.org/x">',
        '<a title="a > b" href="q">', '<img src="i.png" alt="src=x" data-src="lazy.png">',
        "<img src=i.png/>", '<IMG Src="../I.PNG"/>', '<blockquote cite="../q">', "<td background=x>",
        '<video poster="p.jpg" src="v.mp4">', '<object data="d" usemap="#m" classid="c">',
        '<a href="javascript:x()">', '<a href="mailto:a@b.org">', '<form action="send">',
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=8))
def test_addresses_in_markup_are_made_absolute_as_feedparser_does(parts):
    from feedparser.urls import resolve_relative_uris

    text = " ".join(parts)
    ours = relative.resolve_markup(text, "http://e.org/d/")
    theirs = resolve_relative_uris(text, "http://e.org/d/", "utf-8", "text/html")
    assert resolve_relative_uris(ours, "", "utf-8", "text/html") == theirs


_BASES = (
    "http://e.org/d/feed.xml",
    "https://例子.org/a?b#c",
    "http://[e.org/",
    "ftp://e.org/x",
    "rel/",
)
_ADDRESSES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            ["http://", "https://", "HTTP://", "http:///", "", "ftp://", " http://", "tag:", "urn:"]
        ),
        st.text("aZ0.-:/?#;=&%[]@ _~\u00e9\n\t", max_size=12),
    ),
)


@given(st.sampled_from(_BASES), _ADDRESSES)
def test_an_address_is_joined_as_the_library_joins_it(base, address):
    try:
        expected = urljoin(base, relative._TRIPLE_SLASH.sub(r"\1", address))
    except ValueError:
        expected = ""
    assert relative.join(base, address) == expected


@given(st.text(alphabet="ab<>/&;=\"' #x39!-hrefimgsc.:\n", max_size=60))
def test_markup_without_addresses_to_mend_is_left_as_it_is(text):
    assert relative.resolve_markup(text, "") == text
    if "=" not in text:
        assert relative.resolve_markup(text, "http://e.org/d/") == text
    resolved = relative.resolve_markup(text, "http://e.org/d/")
    assert relative.resolve_markup(resolved, "http://e.org/d/") == resolved
