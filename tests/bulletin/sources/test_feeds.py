"""Feeds as they come: every charset, every ill form, and those that are meant to hurt."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.sources.feeds import parse_feed
from kuaibao.bulletin.sources.feeds.worker import stop_workers

ZH = "中文信息处理与图书馆学术期刊的最新研究动态"
TW = "中文資訊處理與圖書館學術期刊的最新研究動態"
KO = "도서관 연구 동향과 학술지 소식을 전합니다"
JA = "図書館の最新の研究動向についてのお知らせです"
RU = "Новости библиотеки и научные исследования"


def _feed(title, declared=""):
    encoding = f' encoding="{declared}"' if declared else ""
    return (
        f'<?xml version="1.0"{encoding}?><rss version="2.0"><channel><title>{title}</title>'
        f"<item><title>{title}</title><description>{title * 5}</description></item></channel></rss>"
    )


@pytest.mark.parametrize(
    ("title", "encoding", "declared", "header"),
    [
        (ZH, "gb18030", "gb2312", ""), (ZH, "gb18030", "", "text/xml; charset=GBK"), (ZH, "gb18030", "", ""),
        (ZH, "gb18030", "utf-8", ""), (TW, "big5", "big5", ""), (TW, "big5", "", ""), (RU, "koi8-r", "koi8-r", ""),
        (RU, "koi8-r", "", ""), (RU, "koi8-r", "", "application/rss+xml;charset=koi8-r"), (RU, "cp1251", "", ""),
        (ZH, "utf-16", "utf-16", ""), (ZH, "utf-16-le", "utf-16", ""), (ZH, "utf-32", "utf-32", ""),
        (ZH, "utf-32-be", "", ""), (ZH, "utf-8-sig", "gb2312", ""), (ZH, "utf-8", "iso-8859-1", ""),
        (ZH, "utf-8", "", "text/xml; charset=us-ascii"), (ZH, "utf-8", "x-unknown", ""), (ZH, "utf-8", "", "text/html"),
        (KO, "euc-kr", "", ""), (JA, "euc-jp", "", ""), (JA, "shift_jis", "", ""), (KO, "euc-kr", "utf-8", ""),
        ("Bücherei", "cp500", "cp500", ""), ("café naïve", "latin-1", "iso-8859-1", ""), ("最新の研究動向", "shift_jis", "shift_jis", ""),
    ],
)  # fmt: skip
def test_a_feed_is_read_in_its_encoding(title, encoding, declared, header):
    feed = parse_feed(_feed(title, declared).encode(encoding), content_type=header)
    assert feed.entries[0].title.value == title
    assert feed.title.value == title


def test_a_few_stray_bytes_do_not_spoil_a_feed():
    data = _feed(ZH).encode().replace(b"</description>", b"\xff\xfe</description>")
    feed = parse_feed(data)
    assert feed.entries[0].title.value == ZH
    assert "some bytes are not utf-8" in feed.problems


ILL = {
    "truncated": b'<rss version="2.0"><channel><title>t</title><item><title>one</title><link>http://e.org/</link></item><item><title>tw',
    "ampersand": b'<rss version="2.0"><channel><title>t</title><item><title>A & B</title></item></channel></rss>',
    "undeclared prefix": b'<rss version="2.0"><channel><title>t</title><item><title>one</title><foo:bar>x</foo:bar></item></channel></rss>',
    "html entity": b'<rss version="2.0"><channel><title>t</title><item><title>caf&eacute;</title></item></channel></rss>',
    "mismatched": b'<rss version="2.0"><channel><title>t</title><item><title>one</b></title></item></channel></rss>',
    "control character": b'<rss version="2.0"><channel><title>t</title><item><title>o\x0bne</title></item></channel></rss>',
    "blank before": b'\n\n <?xml version="1.0"?><rss version="2.0"><channel><title>t</title><item><title>one</title></item></channel></rss>',
    "two roots": b'<rss version="2.0"><channel><title>t</title><item><title>one</title></item></channel></rss><x/>',
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ILL))
def test_an_ill_formed_feed_is_read(name):
    feed = parse_feed(ILL[name])
    assert feed.entries
    assert feed.entries[0].title.value in ("one", "A & B", "A &amp; B", "café", "one</b>")
    assert feed.title.value == "t"


def _entities(depth):
    names = "".join(f'<!ENTITY l{n} "{("&l" + str(n - 1) + ";") * 10}">' for n in range(1, depth))
    return f'<!DOCTYPE z [<!ENTITY l0 "lol">{names}]><rss version="2.0"><channel><title>&l{depth - 1};</title><item><title>x</title></item></channel></rss>'.encode()


HOSTILE = {
    "entity bomb": _entities(10),
    "quadratic entities": ('<!DOCTYPE r [<!ENTITY a "' + "a" * 100_000 + '">]><rss version="2.0"><channel><title>' + "&a;" * 20_000).encode(),
    "external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>&x;</title></channel></rss>',
    "200,000 items": b'<rss version="2.0"><channel>' + b"<item><title>x</title></item>" * 200_000 + b"</channel></rss>",
    "200,000 ill-formed entries": b'<feed xmlns="http://www.w3.org/2005/Atom">' + b"<entry><title>x & y</title></entry>" * 200_000,
    "100,000 nested tags": b'<rss version="2.0"><channel><item><description>' + b"<div>" * 100_000,
    "100,000 nested elements": b'<rss version="2.0"><channel><item><x>' + b"<d>" * 100_000 + b"</d>" * 100_000 + b"</x></item></channel></rss>",
    "100,000 attributes": b'<rss version="2.0"><channel><item ' + b" ".join(b'a%d="x"' % i for i in range(100_000)) + b"/></channel></rss>",
    "a million <": b'<rss version="2.0"><channel><item><title>' + b"<" * 1_000_000,
    "a million &": b'<rss version="2.0"><channel><item><title>' + b"&" * 1_000_000,
    "deep JSON": b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 100_000,
    "20 MB": b'<rss version="2.0"><channel><title>' + b"x" * 20_000_000,
    "every byte": bytes(range(256)) * 4000,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_feed_costs_bounded_time_and_harms_no_other(name):
    start = time.monotonic()
    feed = parse_feed(HOSTILE[name], timeout_s=20)
    assert time.monotonic() - start < 60
    assert len(feed.entries) <= 2000
    assert "root:" not in feed.title.value
    assert parse_feed(_feed("next").encode()).entries[0].title.value == "next"


def test_a_stalled_parser_is_stopped_and_the_next_feed_is_read():
    feed = parse_feed(HOSTILE["a million <"] * 8, timeout_s=0.05)
    assert "stopped after" in feed.problems[-1] or feed.entries is not None
    assert parse_feed(ILL["ampersand"], timeout_s=30).entries
    stop_workers()


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    parse_feed(b"{" + data)
    from kuaibao.bulletin.sources.feeds.decoding import decode
    from kuaibao.bulletin.sources.feeds.fast import read_quickly

    decode(data)
    read_quickly(data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c, max_size=4) | st.dictionaries(st.sampled_from(["id", "url", "title", "items", "authors", "author", "tags", "attachments", "content_html"]), c, max_size=5)))  # fmt: skip
def test_no_json_raises(value):
    document = {
        "version": "https://jsonfeed.org/version/1",
        "items": value if isinstance(value, list) else [value],
    }
    json.dumps(parse_feed(json.dumps(document).encode()).to_json())


def test_a_json_feed_is_read_whole():
    document = {
        "version": "https://jsonfeed.org/version/1.1", "title": "J", "home_page_url": "https://e.org/", "feed_url": "https://e.org/f.json",
        "language": "zh", "authors": [{"name": "Ann"}],
        "items": [
            {"id": 7, "url": "/a", "title": "T", "content_html": "<p>x</p>", "summary": "s", "date_published": "2020-06-17T08:00:00+08:00",
             "tags": ["t"], "attachments": [{"url": "/f.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 3}]},
            {"id": "8", "content_text": "plain", "author": {"name": "Old"}, "external_url": "https://x.org/"},
        ],
    }  # fmt: skip
    feed = parse_feed(b"\xef\xbb\xbf" + json.dumps(document).encode())
    first, second = feed.to_json()["entries"]
    assert (first["id"], first["link"], first["published"]) == (
        "7",
        "https://e.org/a",
        "2020-06-17T00:00:00Z",
    )
    assert first["authors"] == [{"name": "Ann"}]
    assert first["enclosures"] == [
        {"href": "https://e.org/f.mp3", "type": "audio/mpeg", "length": "3"}
    ]
    assert (second["link"], second["authors"], second["summary"]) == (
        "https://x.org/",
        [{"name": "Old"}],
        "plain",
    )
    assert feed.problems == ()


def _run(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", "feed", "parse", *arguments],
        capture_output=True,
        text=True,
        **more,
    )


def test_the_command_prints_one_document_a_file(tmp_path):
    (tmp_path / "a.xml").write_text(_feed("一"))
    (tmp_path / "b.xml").write_bytes(ILL["ampersand"])
    one = _run(str(tmp_path / "a.xml"), "--json", "--url", "http://e.org/")
    document = json.loads(one.stdout)
    assert set(document) >= {"feed", "entries", "problems"}
    assert set(document["feed"]) >= {"title", "link", "id", "language", "updated"}
    assert set(document["entries"][0]) >= {"id", "title", "link", "links", "summary", "content", "authors", "published", "updated", "categories", "enclosures"}  # fmt: skip
    both = _run(
        str(tmp_path / "a.xml"), str(tmp_path / "b.xml"), str(tmp_path / "no.xml"), "--json"
    )
    lines = [json.loads(line) for line in both.stdout.splitlines()]
    assert both.returncode == 2
    assert [bool(line["problems"]) for line in lines] == [False, True, True]
    assert "Traceback" not in both.stderr


def test_a_document_type_in_a_comment_is_none():
    data = b"<!-- about <!DOCTYPE --><rss><item><title>x</title><description><![CDATA[<!DOCTYPE]]></description></item></rss>"
    assert [entry.title.value for entry in parse_feed(data).entries] == ["x"]


def test_a_cdf_channel_is_a_feed():
    assert parse_feed(b"<channel href='http://e.org/'><title>CDF</title></channel>").problems == ()


def test_the_categories_of_a_podcast_s_episode_are_read_with_those_inside():
    data = (
        b'<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><item>'
        b'<itunes:category text="Technology"><itunes:category text="Gadgets"/></itunes:category>'
        b"</item></channel></rss>"
    )
    feed = parse_feed(data)
    assert feed.parser == "fast"
    assert [c.term for c in feed.entries[0].categories] == ["Technology", "Gadgets"]


def test_a_feed_served_as_plain_text_is_read_and_told_of():
    feed = parse_feed(b"<rss><channel><title>a</title></channel></rss>", content_type="text/plain")
    assert feed.title.value == "a"
    assert feed.problems == ("served as text/plain, which is no type of feeds",)


@pytest.mark.parametrize(("n_category", "path"), [(100, "fast"), (20_000, None)])
def test_an_entry_of_endless_categories_is_for_the_parser_that_can_be_stopped(n_category, path):
    """Each is compared with those before it: a feed of them would take hours."""
    from kuaibao.bulletin.sources.feeds.fast import read_quickly

    categories = "".join(f"<category>{n}</category>" for n in range(n_category))
    feed = read_quickly(
        f'<rss version="2.0"><channel><item>{categories}</item></channel></rss>'.encode()
    )
    assert (feed and feed.parser) == path
    if feed:
        assert len(feed.entries[0].categories) == n_category


@pytest.mark.parametrize("author", ["a@" + "a-" * 500_000, "a" * 500_000 + "@", "a@b." * 200_000])
def test_an_endless_word_with_an_at_sign_is_looked_through_once(author):
    feed = parse_feed(
        f'<rss version="2.0"><channel><item><author>{author}</author></item></channel></rss>'.encode()
    )
    assert feed.parser == "fast"
    assert len(feed.entries[0].authors) == 1
