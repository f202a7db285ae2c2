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
from kuaibao.bulletin.store.searchable import day_facts
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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("library kind:tool", ""), ("library kind:paper kind:news", "bc"), ("library language:en source:s", "bc"), ("library since:2019-11-30 until:2019-11-30", "c"),
        ("library since:2019-12-01 until:2020-05-01", ""), ("library since:0001 until:9999", "bc"), ("kuaibao since:0001", ""), ("library since:2021", ""), ("library until:2018", ""),
        ("paper", ""), ("kpaper", ""), ("d2020*", ""), ("facts:kpaper library", ""),
    ],
)  # fmt: skip
def test_what_an_entry_is_restricts_and_is_no_word(store, query, found):
    assert _names(store, query) == found


@given(
    first=st.dates(),
    n_day=st.integers(0, 30_000),
    tried=st.dates(),
)
@settings(max_examples=200, deadline=None)
def test_the_facts_of_a_range_are_true_of_its_days_alone(first, n_day, tried):
    last = date.fromordinal(min(first.toordinal() + n_day, date.max.toordinal()))
    facts = day_facts(first, last)
    of_day = {"d" + tried.isoformat()[:n].replace("-", "") for n in (2, 3, 4, 7, 10)}
    assert (first <= tried <= last) == bool(of_day & set(facts))
    assert len(facts) < 120


@pytest.mark.parametrize("source_id", ["新闻", "two words", 'a"b', "Süß", "KIND", "k-1", "x" * 200])
def test_any_name_of_a_source_restricts_exactly(source_id):
    with Store.open(":memory:") as opened:
        run = opened.begin_run(datetime(2020, 7, 1, tzinfo=UTC))
        for name in (source_id, source_id + "2", source_id[:-1] or "s"):
            entry = Entry(source_id=name, entry_id="1", title=f"word {len(name)}")
            opened.save_fetch(run, name, "feed", SourceResult(entries=(entry,), status="new"))
        found = search_archive(opened, "word", sources=[source_id])
        assert [f.entry.source_id for f in found] == [source_id]


def test_an_archive_of_an_older_shape_is_indexed_anew(tmp_path):
    path = tmp_path / "bulletin.db"
    with Store.open(path) as opened:
        fill(opened)
        with opened.database.write() as connection:
            connection.exec_driver_sql("drop table archive")
            connection.exec_driver_sql(
                "create virtual table archive using fts5(title, people, body)"
            )
            connection.exec_driver_sql(
                "delete from schema_version where room = 'bulletin' and number > 3"
            )
    with Store.open(path) as opened:
        assert _names(opened, "library kind:paper since:2020") == "b"
        assert _names(opened, "教育 language:zh") == "ae"


def test_an_entry_that_names_no_language_is_found_by_the_one_it_is_in():
    with Store.open(":memory:") as opened:
        run = opened.begin_run(datetime(2020, 7, 1, tzinfo=UTC))
        entries = (
            Entry(
                source_id="s", entry_id="zh", title="图书馆服务", summary="图书馆提供教育服务 API"
            ),
            Entry(source_id="s", entry_id="en", title="Libraries offer an API to their readers"),
        )
        opened.save_fetch(run, "s", "folder", SourceResult(entries=entries, status="new"))
        assert _names(opened, "API language:zh") == "zh"
        assert _names(opened, "API language:en") == "en"
