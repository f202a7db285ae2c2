"""Published feeds are valid, and the rules that say so can fail."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from feed_rules import complaints_about_atom, complaints_about_json_feed, complaints_about_rss

from kuaibao.bulletin.publishing import render

CHECKS = {
    "atom": complaints_about_atom, "rss": complaints_about_rss,
    "json_feed": complaints_about_json_feed,
}  # fmt: skip


def made(issue, name):
    return render(issue, [name])[0][name]


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("case", ["english", "chinese", "empty", "hostile"])
def test_the_feeds_are_valid(case, name, english_issue, chinese_issue):
    issue = chinese_issue if case == "chinese" else english_issue
    if case == "empty":
        issue = dataclasses.replace(issue, sections=(), highlights=(), publisher="", title="")
    if case == "hostile":
        text = "</title><script>x</script>&nbsp;]]> \x0b\ud800 <a href='/etc'>"
        first = issue.sections[0]
        draft = dataclasses.replace(first.items[0].draft, title=text)
        item = dataclasses.replace(first.items[0], draft=draft, body_markdown=f"{text}\n[x](../y)")
        section = dataclasses.replace(first, items=(item,), title=text)
        issue = dataclasses.replace(issue, series=text, publisher=text, sections=(section,))
    assert CHECKS[name](made(issue, name)) == []


BROKEN = [
    ("atom", b"<updated>2020", b"<updated>on 2020"),
    ("atom", b"<name>Ada Lin</name>", b"<name> </name>"),
    ("atom", b'rel="self"', b'rel="other"'),
    ("atom", b"urn:uuid:", b"uuid-"),
    ("atom", b"<generator>Kuaibao</generator>", b"<maker>Kuaibao</maker>"),
    ("atom", b"&lt;p&gt;", b"&lt;p onclick='x'&gt;&lt;script&gt;x&lt;/script&gt;"),
    ("rss", b'version="2.0"', b'version="1.0"'),
    ("rss", b"<pubDate>Wed, 17 Jun 2020", b"<pubDate>yesterday"),
    ("rss", b"<link>https://bulletin", b"<link>bulletin"),
    ("rss", b'isPermaLink="false"', b'isPermaLink="true"'),
    ("rss", b"<generator>Kuaibao</generator>", b"<maker>Kuaibao</maker>"),
    ("json_feed", b"version/1.1", b"version/9"),
    ("json_feed", b'"date_modified": "2020', b'"date_modified": "in 2020'),
    ("json_feed", b'"content_html"', b'"text"'),
    ("json_feed", b'"id": "urn:uuid', b'"id": "'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong"), BROKEN)
def test_a_broken_feed_is_complained_about(english_issue, name, right, wrong):
    data = made(english_issue, name)
    assert right in data
    if name == "json_feed" and right.startswith(b'"id"'):
        feed = json.loads(data)
        feed["items"][1]["id"] = feed["items"][0]["id"]
        assert CHECKS[name](json.dumps(feed).encode())
        return
    assert CHECKS[name](data.replace(right, wrong))
