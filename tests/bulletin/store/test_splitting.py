"""A join is explained, and taken back for good."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.reading import claims_of
from kuaibao.bulletin.sources.protocol import SourceResult
from kuaibao.bulletin.store import Store, get_items, join_entries, split_item, tellings_of
from kuaibao.cli.main import app
from kuaibao.errors import InputError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DOI = (("doi", "10.1000/1"),)


def _entry(entry_id, title, **more):
    return Entry(source_id="s", entry_id=entry_id, kind="paper", title=title, **more)


def _file(store, *entries):
    run = store.begin_run(NOW)
    store.save_fetch(
        run, f"s{len(entries)}-{run.run_id}", "feed", SourceResult(entries=entries, status="new")
    )
    store.finish_run(run, {})
    for batch in store.unjoined("s"):
        join_entries(store, batch, [claims_of(one.entry) for one in batch])


def _stories(store):
    with store.database.read() as connection:
        from sqlalchemy import select

        from kuaibao.bulletin.store import tables

        ids = connection.execute(select(tables.entry.c.item_id).distinct()).scalars().all()
    return {
        i: [e.entry_id for e in item.entries]
        for i, item in zip(sorted(ids), get_items(store, sorted(ids)), strict=True)
    }


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "a.db") as opened:
        yield opened


def _joined(store):
    first = _entry(
        "1", "A model of reading in public libraries", url="https://e.org/1", identifiers=DOI
    )
    second = _entry(
        "2",
        "Something else altogether, with a wrong number",
        url="https://e.org/2",
        identifiers=DOI,
    )
    _file(store, first, second)
    ((item_id, entries),) = _stories(store).items()
    assert sorted(entries) == ["1", "2"]
    return item_id


def test_each_entry_says_why_it_belongs(store):
    told = tellings_of(store, _joined(store))
    assert [one.reason for one in told] == ["first to tell it", "same DOI 10.1000/1"]


def test_what_was_parted_is_not_joined_again_by_what_comes_later(store):
    item_id = _joined(store)
    new_id = split_item(store, item_id, [tellings_of(store, item_id)[1].reference], claims_of)
    assert _stories(store) == {item_id: ["1"], new_id: ["2"]}
    # It has the DOI that both share and the address that only the second had.
    _file(store, _entry("3", "A third that fits both", url="https://e.org/2", identifiers=DOI))
    assert sorted(map(sorted, _stories(store).values())) == [["1", "3"], ["2"]]
    # And a revision of the second stays where it was put.
    _file(
        store,
        _entry("2", "Something else altogether, corrected", url="https://e.org/2", identifiers=DOI),
    )
    assert _stories(store)[new_id] == ["2"]


def test_its_own_address_goes_with_an_entry(store):
    item_id = _joined(store)
    new_id = split_item(store, item_id, [tellings_of(store, item_id)[1].reference], claims_of)
    _file(store, _entry("4", "News of it", url="https://www.e.org/2?utm_source=x"))
    assert sorted(_stories(store)[new_id]) == ["2", "4"]


def test_two_stories_that_a_third_entry_made_one_come_apart_with_their_old_names(store):
    _file(store, _entry("1", "A first title that is long enough", url="https://e.org/1"),
          _entry("2", "A second title that is long enough", identifiers=DOI))  # fmt: skip
    before = _stories(store)
    old_first, old_second = (next(i for i, e in before.items() if e == [n]) for n in "12")
    _file(store, _entry("3", "A bridge", url="https://e.org/1", identifiers=DOI))
    assert [sorted(e) for e in _stories(store).values()] == [["1", "2", "3"]]
    told = {one.entry.entry_id: one for one in tellings_of(store, old_first)}
    assert told["2"].came_from == old_second
    assert split_item(store, old_first, [told["2"].reference], claims_of) == old_second
    assert _stories(store)[old_second] == ["2"]


def test_a_story_is_not_emptied_nor_robbed_of_another_s_entry(store):
    item_id = _joined(store)
    everything = [one.reference for one in tellings_of(store, item_id)]
    for wrong in (everything, [], ["0" * 64], [everything[0], "0" * 64]):
        with pytest.raises(InputError):
            split_item(store, item_id, wrong, claims_of)
    assert list(_stories(store)) == [item_id]


def test_the_command_shows_and_parts(tmp_path, store):
    item_id = _joined(store)
    run = CliRunner().invoke
    where = ["--in", str(tmp_path / "a.db")]
    shown = json.loads(run(app, ["items", "show", item_id[:8], *where, "--json"]).stdout)
    assert [one["reason"] for one in shown["entries"]] == ["first to tell it", "same DOI 10.1000/1"]
    assert "same DOI" in run(app, ["items", "show", item_id, *where]).stdout
    parted = json.loads(run(app, ["items", "split", item_id, "2", *where, "--json"]).stdout)
    assert _stories(store) == {item_id: ["1"], parted["new_id"]: ["2"]}
    for wrong in (["items", "show", "zz", *where], ["items", "split", item_id, "7", *where]):
        result = run(app, wrong)
        assert result.exit_code != 0
        assert isinstance(result.exception, InputError | SystemExit)
