"""The archive is found again: Chinese words of any length, fields, days, kinds, in either script."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import Store, read_restrictions, search_archive
from kuaibao.cli.search import app
from kuaibao.database import SearchSyntaxError

ENTRIES = (
    ("a", "news", "新冠疫情下的图书馆教育服务", "各地公司与学校合作，提供科技文献。", "2020-06-17", "zh", ("李四",)),
    ("b", "paper", "Summarization of long documents", "We learn to write removed sentences again. Libraries use it.", "2020-05-02", "en", ("Ann Lee",)),
    ("c", "paper", "Graph layout by optimization", "A tape machine for diagrams, and a library for it.", "2019-11-30", "en", ("Bo Chen",)),
    ("d", "tool", "kuaibao 0.1.0", "Tracks, reads, writes: a tool for bulletins.", "", "en", ()),
    ("e", "news", "圖書館科技教育", "臺灣的圖書館開始行動。", "2020-06-30", "zh-tw", ()),
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "bulletin.db") as opened:
        fill(opened)
        yield opened


def fill(store):
    entries = tuple(
        Entry(
            source_id="s" if name < "d" else "t", entry_id=name, kind=kind, title=title, summary=summary, authors=authors, language=language,
            published=PartialDate(value=datetime.fromisoformat(day).replace(tzinfo=UTC), precision="day") if day else None,
        )
        for name, kind, title, summary, day, language, authors in ENTRIES
    )  # fmt: skip
    run = store.begin_run(datetime(2020, 7, 1, tzinfo=UTC))
    store.save_fetch(run, "s", "feed", SourceResult(entries=entries, status="new"))


def _names(store, query, **more):
    return "".join(sorted(f.entry.entry_id for f in search_archive(store, query, **more)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("教育", "ae"), ("教", "ae"), ("科技", "ae"), ("公司", "a"), ("新冠", "a"), ("图书馆", "ae"), ("圖書館", "ae"), ("書", "ae"),
        ("书图", ""), ("library", "bc"), ("libraries", "bc"), ("Lee", "b"), ("author:lee", "b"), ("title:library", ""), ("title:layout", "c"),
        ('"long documents"', "b"), ('"documents long"', ""), ("library -diagrams", "b"), ("summar*", "b"), ("layout OR documents", "bc"),
        ("kind:paper library", "bc"), ("library since:2020", "b"), ("library until:2019", "c"), ("library since:2019-11 until:2019-11", "c"),
        ("教育 language:zh", "ae"), ("教育 source:t", "e"), ("臺灣", "e"), ("台湾", "e"), ("行动", "e"), ("ＬＡＹＯＵＴ", "c"),
    ],
)  # fmt: skip
def test_words_fields_and_days(store, query, found):
    assert _names(store, query) == found


def test_restrictions_may_be_given_apart(store):
    assert _names(store, "library", since=date(2020, 1, 1)) == "b"
    assert _names(store, "library OR 教育", kinds=["news"]) == "ae"
    assert _names(store, "教育", languages=["zh"], sources=["s"]) == "a"


def test_a_title_counts_more_than_a_text(store):
    assert search_archive(store, "layout OR tape OR documents")[0].entry.entry_id in "bc"
    assert search_archive(store, "图书馆 教育")[0].entry.entry_id in "ae"


def test_a_page_goes_on_where_the_last_one_ended(store):
    whole = [f.item_id for f in search_archive(store, "library OR 教育", limit=4)]
    parts = [
        f.item_id
        for offset in range(4)
        for f in search_archive(store, "library OR 教育", limit=1, offset=offset)
    ]
    assert parts == whole


def test_a_snippet_marks_what_was_found(store):
    assert "«科技»" in search_archive(store, "公司 科技")[0].snippet


@pytest.mark.parametrize(
    "query", ["", "  ", "since:2020", "-not", "since:never word", "until:2020-13 a"]
)
def test_a_query_that_can_t_be_answered_says_why(store, query):
    with pytest.raises(SearchSyntaxError):
        search_archive(store, query)


@given(st.text(alphabet='ab教"*:()-^+{} ORNEAR\0', max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_query_is_an_operator_of_the_database(query):
    with Store.open(":memory:") as opened:
        with suppress(SearchSyntaxError):
            assert search_archive(opened, query) == []


def test_ranges_of_days_are_read_whole():
    assert read_restrictions("a since:2020-02 until:2020-02 b")[1].until == date(2020, 2, 29)
    assert read_restrictions("x until:2020")[1].until == date(2020, 12, 31)


def test_the_command_searches_a_bulletin_s_folder(tmp_path):
    (tmp_path / "bulletin.toml").write_text('series = "S"\n')
    run = CliRunner().invoke(app, ["教育", str(tmp_path)])
    assert "no archive yet" in str(run.exception)
    with Store.open(tmp_path / "bulletin.db") as opened:
        fill(opened)
    document = json.loads(
        CliRunner().invoke(app, ["教育 until:2020-06-20", str(tmp_path), "--json"]).stdout
    )
    assert [r["title"] for r in document["results"]] == ["新冠疫情下的图书馆教育服务"]
    assert document["results"][0]["date"] == "2020-06-17"
