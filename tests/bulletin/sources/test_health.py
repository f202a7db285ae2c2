"""Nothing new is not broken; a source that fell silent is noticed by its own rhythm."""

import json
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.sources.health import judge, remember

NOW = datetime(2020, 6, 17, 8, 0, tzinfo=UTC)


def _state(gap_days, last_days_ago, n=8):
    entries = [
        Entry(source_id="s", entry_id=str(i), published=PartialDate(value=NOW - timedelta(days=last_days_ago + i * gap_days)))
        for i in range(n)
    ]  # fmt: skip
    return remember({}, "new", entries, NOW)


@pytest.mark.parametrize(
    ("gap", "last", "verdict"),
    [(1, 2, "ok"), (1, 8, "silent"), (7, 20, "ok"), (7, 40, "silent"), (30, 100, "ok"), (30, 150, "silent"), (0, 6, "ok")],
)  # fmt: skip
def test_silence_is_measured_by_the_source_s_own_rhythm(gap, last, verdict):
    health = judge(_state(gap, last), "nothing_new", "", NOW)
    assert health.verdict == verdict
    if verdict == "silent":
        assert "is usual" in health.reason


def test_a_rhythm_needs_some_days():
    assert judge(_state(1, 300, n=2), "nothing_new", "", NOW).verdict == "ok"
    assert judge({"moments": "odd"}, "nothing_new", "", NOW).verdict == "ok"


def test_failures_are_counted_in_a_row_and_forgotten_after_a_success():
    state = {}
    for _ in range(3):
        state = remember(state, "broken", (), NOW)
    health = judge(state, "broken", "no answer", NOW)
    assert (health.verdict, health.n_failure) == ("broken", 3)
    assert "3 times in a row" in health.reason
    assert judge(remember(state, "nothing_new", (), NOW), "nothing_new", "", NOW).n_failure == 0


def test_an_entry_from_the_future_does_not_hide_silence():
    entries = [
        Entry(source_id="s", entry_id="f", published=PartialDate(value=NOW + timedelta(days=400)))
    ]
    state = remember(_state(1, 30), "new", entries, NOW)
    assert judge(state, "nothing_new", "", NOW).verdict == "silent"


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", *arguments], capture_output=True, text=True
    )


def test_the_command_tells_each_source_s_health(tmp_path):
    (tmp_path / "a.md").write_text("# A\n\ntext")
    (tmp_path / "bulletin.toml").write_text(
        'series = "T"\n'
        '[[sources]]\nid = "good"\nkind = "folder"\npath = "."\n'
        '[[sources]]\nid = "bad"\nkind = "feed"\npath = "missing.xml"\n'
        '[[sources]]\nid = "inside"\nkind = "feed"\nurl = "http://127.0.0.1:9/feed?key=hidden"\n'
    )
    run = _run("sources", "check", str(tmp_path), "--json")
    assert run.returncode == 1, run.stderr
    report = json.loads(run.stdout)
    found = {s["source"]: s for s in report["sources"]}
    assert (found["good"]["health"], found["bad"]["health"], found["inside"]["health"]) == (
        "ok",
        "broken",
        "broken",
    )
    assert "not a public address" in found["inside"]["reason"]
    assert "hidden" not in run.stdout
    assert not (tmp_path / "bulletin.db").exists(), "a check stores nothing"


def test_opml_becomes_a_bulletin_s_sources_and_back(tmp_path):
    (tmp_path / "in.opml").write_text(
        '<opml version="2.0"><body><outline text="A &quot;b&quot;" xmlUrl="https://a.example/?x=1&amp;y=2"/>'
        '<outline text="A b" xmlUrl="https://b.example/"/></body></opml>'
    )
    run = _run("sources", "opml", "import", str(tmp_path / "in.opml"))
    tables = tomllib.loads(run.stdout)["sources"]
    assert [t["url"] for t in tables] == ["https://a.example/?x=1&y=2", "https://b.example/"]
    assert len({t["id"] for t in tables}) == 2
    (tmp_path / "bulletin.toml").write_text('series = "T"\n' + run.stdout)
    out = _run("sources", "opml", "export", str(tmp_path))
    assert "https://a.example/?x=1&amp;y=2" in out.stdout, out.stderr


def test_kinds_are_listed_with_their_settings():
    found = json.loads(_run("sources", "kinds", "--json").stdout)
    assert all(words for settings in found.values() for words in settings.values())
    assert {"arxiv", "feed", "mailbox"} <= set(found)
