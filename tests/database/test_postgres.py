"""PostgreSQL by one setting: the same store, search and migrations, on a real server."""

import importlib.util
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.reading import claims_of
from kuaibao.bulletin.reading.learning import open_learner
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import (
    Decision,
    Store,
    items_since,
    join_entries,
    list_decisions,
    search_archive,
)
from kuaibao.database import open_database

_spec = importlib.util.spec_from_file_location(
    "postgres_server", Path(__file__).parent / "postgres_server.py"
)
postgres_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgres_server)

pytestmark = pytest.mark.skipif(
    bool(postgres_server.why_not()), reason=postgres_server.why_not() or "a server can be started"
)
NOW = datetime(2020, 7, 1, tzinfo=UTC)
ENTRIES = (
    ("a", "news", "新冠疫情下的图书馆教育服务", "各地公司与学校合作，提供科技文献。", "2020-06-17", "zh"),
    ("b", "paper", "Summarization of long documents", "Sentences are removed. Libraries use it.", "2020-05-02", "en"),
    ("c", "paper", "Graph layout by optimization", "A tape machine and a library for it.", "2019-11-30", "en"),
    ("e", "news", "圖書館科技教育", "臺灣的圖書館開始行動。", "2020-06-30", "zh-tw"),
)  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with postgres_server.running_server() as address:
        yield address


@pytest.fixture
def address(server):
    """An empty schema for each test."""
    database = open_database(server)
    with database.write() as connection:
        connection.exec_driver_sql("drop schema public cascade")
        connection.exec_driver_sql("create schema public")
    database.close()
    return server


def _fill(store, entries=ENTRIES):
    values = tuple(
        Entry(
            source_id="s", entry_id=name, kind=kind, title=title, summary=summary, language=language,
            published=PartialDate(value=datetime.fromisoformat(day).replace(tzinfo=UTC), precision="day"),
        )
        for name, kind, title, summary, day, language in entries
    )  # fmt: skip
    run = store.begin_run(NOW)
    record = store.save_fetch(run, "s", "feed", SourceResult(entries=values, status="new"))
    for batch in store.unjoined("s"):
        join_entries(store, batch, [claims_of(one.entry) for one in batch])
    store.finish_run(run, {})
    return record


def _names(store, query, **more):
    return "".join(sorted(f.entry.entry_id for f in search_archive(store, query, **more)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("教育", "ae"), ("公司", "a"), ("書", "ae"), ("书图", ""), ("library", "bc"), ('"long documents"', "b"), ("title:layout", "c"),
        ("library -tape", "b"), ("summar*", "b"), ("layout OR documents", "bc"), ("kind:paper library", "bc"), ("library until:2019", "c"),
        ("教育 language:zh", "ae"), ("library source:s since:2020", "b"),
    ],
)  # fmt: skip
def test_search_finds_what_sqlite_finds(address, query, found):
    with Store.open(address) as store:
        _fill(store)
        assert _names(store, query) == found
    with Store.open(":memory:") as store:
        _fill(store)
        assert _names(store, query) == found


def test_running_again_stores_nothing_twice(address):
    with Store.open(address) as store:
        assert _fill(store).n_new == 4
        assert _fill(store).n_new == 0
        assert len(list(items_since(store, date(2019, 1, 1)))) == 4
    with Store.open(address) as store:
        assert store.source_records()["s"].kind == "feed"
        assert store.entry_counts() == {"s": 4}


def test_a_changed_entry_is_a_revision_and_found_by_its_new_words(address):
    with Store.open(address) as store:
        _fill(store)
        _fill(
            store,
            [("c", "paper", "Graph drawing by optimization", "New words.", "2019-11-30", "en")],
        )
        assert _names(store, "layout") == ""
        assert _names(store, "drawing") == "c"


def test_decisions_are_kept_and_learnt_from(address):
    with Store.open(address) as store:
        _fill(store)
        items = {i.lead.entry_id: i for i in items_since(store, date(2019, 1, 1))}
        learner = open_learner(store)
        decision = Decision(item_id=items["a"].item_id, section="news", action="picked", at=NOW)
        learner.decide(decision, items["a"])
        assert list_decisions(store) == [decision]
        assert open_learner(store).weigh(items["e"], "news").logit > 0


def test_two_writers_at_once_lose_nothing(address):
    def write(name):
        with Store.open(address) as store:
            run = store.single_run(NOW)
            entries = tuple(
                Entry(source_id=name, entry_id=str(n), title=f"{name} {n}") for n in range(50)
            )
            store.save_fetch(run, name, "feed", SourceResult(entries=entries, status="new"))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.open(address) as store:
        assert store.entry_counts() == {"x": 50, "y": 50}


def test_the_setting_is_one_line(address, tmp_path):
    (tmp_path / "bulletin.toml").write_text(f'series = "S"\ndatabase = "{address}"\n')
    with Store.open(load_config(tmp_path).database) as store:
        assert not store.database.is_sqlite
