import dataclasses
import json
import re
from datetime import UTC, datetime

import feedparser
import lxml.etree as etree
import pytest

from kuaibao.bulletin.publishing import render

ATOM = "{http://www.w3.org/2005/Atom}"


def made(issue, name):
    return render(issue, [name])[0][name]


def test_the_atom_feed_has_what_rfc_4287_asks(english_issue):
    root = etree.fromstring(made(english_issue, "atom"))
    for parent in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", parent.findtext(f"{ATOM}id"))
        datetime.fromisoformat(parent.findtext(f"{ATOM}updated"))
    assert root.find(f"{ATOM}author") is not None
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids) == 7
    for entry in root.iter(f"{ATOM}entry"):
        assert entry.find(f"{ATOM}content") is not None or entry.find(f"{ATOM}link") is not None


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_reader_finds_titles_links_dates_and_text(chinese_issue, name):
    feed = feedparser.parse(made(chinese_issue, name))
    assert not feed.bozo
    assert feed.feed.title == "跟踪扫描动态快报 · 2020年第6期（总第66期）"
    paper = feed.entries[4]
    assert paper.title == "以“空缺句”为预训练目标的长文摘要方法"
    assert paper.link == "https://bulletin.example.org/2020/6/zh/index.html#item-4-1"
    assert paper.published_parsed[:3] == (2020, 6, 3)
    text = (paper.content[0] if "content" in paper else paper.summary_detail).value
    assert "<strong>背景：</strong>" in text
    assert "（张梦婷 编译，李朝安 校对）" in text


def test_an_item_keeps_its_id_when_its_text_is_corrected(english_issue):
    def ids(issue):
        return [e.id for e in feedparser.parse(made(issue, "atom")).entries]

    first = english_issue.sections[0]
    draft = dataclasses.replace(first.items[0].draft, title="Corrected")
    item = dataclasses.replace(first.items[0], draft=draft)
    section = dataclasses.replace(first, items=(item,))
    corrected = dataclasses.replace(
        english_issue, sections=(section, *english_issue.sections[1:]), content_hash="0" * 64
    )
    assert ids(corrected) == ids(english_issue)
    assert ids(dataclasses.replace(english_issue, number=7)) != ids(english_issue)


def test_an_issue_without_an_address_links_its_items_to_their_sources(english_issue):
    issue = dataclasses.replace(english_issue, base_url="")
    feed = feedparser.parse(made(issue, "atom"))
    assert feed.entries[0].link == "https://example.org/image-gpt"
    assert json.loads(made(issue, "json_feed"))["items"][0]["url"] == "https://example.org/image-gpt"  # fmt: skip


def test_the_json_feed_holds_the_items(english_issue):
    feed = json.loads(made(english_issue, "json_feed"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["tags"] for item in feed["items"]][-1] == ["Upcoming conferences"]
    dates = [item["date_published"] for item in feed["items"] if "date_published" in item]
    assert all(datetime.fromisoformat(d).tzinfo == UTC for d in dates)
    assert len(dates) == 4  # one date is known only to the month, two meetings have none
