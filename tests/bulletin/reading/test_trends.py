"""What rises, falls and goes together in a planted archive is found; what is even is not."""

import json
import random
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from kuaibao.bulletin.model import Entry, Item, PartialDate
from kuaibao.bulletin.reading.trends import find_trends, trends_page
from kuaibao.bulletin.reading.trends.phrases import phrases_of
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import Sameness, Store, join_entries
from kuaibao.cli.trends import app

FILLER = [
    "table",
    "chair",
    "window",
    "garden",
    "river",
    "mountain",
    "bridge",
    "street",
    "market",
    "museum",
    "theatre",
    "station",
]


def _item(name, month, words, authors=()):
    entry = Entry(
        source_id="s", entry_id=name, title=words, url=f"https://e.org/{name}", authors=authors,
        published=PartialDate(value=datetime(2020, month, 10, tzinfo=UTC)),
    )  # fmt: skip
    return Item(item_id=name, entries=(entry,))


@pytest.fixture(scope="module")
def archive():
    """Twelve items a month; graph neural network rises, cassette tape falls, Lee writes on owls."""
    draw = random.Random(1)
    items = []
    for month in range(1, 7):
        for n in range(12):
            topic, authors = draw.choice(FILLER), ()
            if month == 6 and n < 7:
                topic = "graph neural network"
            elif month < 5 and n < 4:
                topic = "cassette tape"
            elif n in (8, 9):
                topic, authors = "snowy owl", ("Ann Lee",)
            elif n == 10:
                topic = "知识图谱"
            items.append(
                _item(f"{month}-{n}", month, f"{topic}: of the {draw.choice(FILLER)}", authors)
            )
    return items


def test_what_rises_and_falls_is_found(archive):
    found = find_trends(archive)
    assert found.months == ("2020-01", "2020-02", "2020-03", "2020-04", "2020-05", "2020-06")
    assert found.n_item == (12,) * 6
    assert found.rising[0].phrase == "graph neural network"
    assert found.rising[0].counts == (0, 0, 0, 0, 0, 7)
    assert found.falling[0].phrase == "cassette tape"
    assert "snowy owl" not in {t.phrase for t in (*found.rising, *found.falling)}
    assert {"snowy owl", "知识图谱"} <= {t.phrase for t in found.phrases}


def test_a_part_of_a_phrase_is_not_told_beside_it(archive):
    phrases = {t.phrase for t in find_trends(archive).phrases}
    assert "neural network" not in phrases
    assert "owl" not in phrases


def test_who_and_what_go_together_is_found(archive):
    pairs = {(t.a, t.b) for t in find_trends(archive).together}
    assert ("@Ann Lee", "snowy owl") in pairs


def test_the_map_puts_like_with_like_and_is_the_same_every_time(archive):
    found = find_trends(archive)
    assert found.clusters == find_trends(list(reversed(archive))).clusters
    by_topic = {d.title.split(":")[0]: n for n, c in enumerate(found.clusters) for d in c.dots}
    graphs = {
        n for n, c in enumerate(found.clusters) for d in c.dots if d.title.startswith("graph")
    }
    assert len(graphs) == 1
    assert by_topic["graph neural network"] != by_topic["snowy owl"]
    assert all(0 <= d.x <= 1 and 0 <= d.y <= 1 for c in found.clusters for d in c.dots)


def test_an_empty_archive_has_no_trends():
    assert find_trends([]).months == ()
    assert "no dated items" in trends_page(find_trends([]))


def test_phrases_are_of_one_run():
    found = phrases_of("The graph neural network, and 知识图谱 of libraries.")
    assert {"graph neural network", "neural network", "知识图谱"} <= found
    assert not any("network and" in phrase for phrase in found)


def test_the_page_is_safe_and_speaks_both_languages(archive):
    items = [*archive, _item("x", 6, '<script>alert(1)</script> "graph neural network"')]
    page = trends_page(find_trends(items), series="A & B")
    assert "<script" not in page
    assert "A &amp; B" in page
    assert '<html lang="zh-CN">' in trends_page(find_trends(items), language="zh")


def test_the_command_gives_json_and_a_page(archive, tmp_path):
    with Store.open(tmp_path / "b.db") as store:
        run = store.begin_run(datetime(2020, 7, 1, tzinfo=UTC))
        entries = tuple(item.lead for item in archive)
        store.save_fetch(run, "s", "feed", SourceResult(entries=entries, status="new"))
        for batch in store.unjoined("s"):
            join_entries(store, batch, [[Sameness(one.entry.entry_id, "x")] for one in batch])
    out = tmp_path / "trends.html"
    run = CliRunner().invoke(
        app, [str(tmp_path / "b.db"), "--until", "2020-06-30", "--json", "--out", str(out)]
    )
    document = json.loads(run.stdout)
    assert document["items"] == 72
    assert document["rising"][0]["phrase"] == "graph neural network"
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
