"""The tracker asks each source when it is due, whatever kills, clocks and broken sources do."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from kuaibao.bulletin.config import SourceEntry, load_config
from kuaibao.bulletin.errors import ConfigError
from kuaibao.bulletin.model import Entry, PartialDate
from kuaibao.bulletin.pipeline.watching import Watcher, report_sources
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.sources.health import remember
from kuaibao.bulletin.sources.report import metrics_text
from kuaibao.bulletin.sources.schedule import parse_interval, plan_next
from kuaibao.bulletin.store import Store, items_since
from kuaibao.cli.main import app

START = datetime(2020, 6, 17, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class FakeClock:
    def __init__(self):
        self.wall, self.ticks, self.watcher, self.end = START, 0.0, None, START

    def now(self):
        self.wall += timedelta(microseconds=1)  # time passes between any two looks
        return self.wall

    def monotonic(self):
        return self.ticks

    def sleep(self, seconds):
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds
        if self.wall >= self.end and self.watcher:
            self.watcher.stop()


@dataclass
class FakeSource:
    source_id: str
    script: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    kind: str = "fake"

    def fetch(self, context):
        self.asked.append(context.now)
        step = self.script[min(len(self.asked), len(self.script)) - 1] if self.script else "new"
        if step == "raise":
            raise RuntimeError("a fault of its own")
        entries = ()
        if step == "new":
            name = f"{self.source_id} {len(self.asked)}"
            entries = (
                Entry(source_id=self.source_id, entry_id=name, title=f"The story told by {name}"),
            )
        state = remember(context.state, step, entries, context.now)
        if step == "gone":
            state["gone"] = "1"
        return SourceResult(entries=entries, status=step, state=state)


@pytest.fixture
def clock():
    return FakeClock()


def _watch(store, sources, clock, hours, every=HOUR):
    entries = [SourceEntry(source=s, every=every) for s in sources]
    watcher = Watcher(store, entries, None, None, clock)
    clock.watcher, clock.end = watcher, clock.wall + timedelta(hours=hours)
    return list(watcher.run())


def _hours(source):
    return [round((t - START) / HOUR, 1) for t in source.asked]


def test_a_source_is_asked_at_its_interval_and_what_is_new_becomes_items(clock):
    source = FakeSource("a")
    with Store.open(":memory:") as store:
        events = _watch(store, [source], clock, 5)
        titles = {item.lead.title for item in items_since(store, START.date())}
    assert len(events) == len(source.asked) == 5
    assert all(e.n_new == e.n_item == 1 and e.health == "ok" for e in events)
    gaps = [b - a for a, b in zip(source.asked, source.asked[1:], strict=False)]
    assert all(HOUR <= gap <= 1.15 * HOUR for gap in gaps)
    assert len(titles) == 5


def test_a_broken_source_is_asked_less_and_holds_up_no_other(clock):
    broken, well = FakeSource("b", ["raise"]), FakeSource("w")
    with Store.open(":memory:") as store:
        events = _watch(store, [broken, well], clock, 30)
        report = report_sources(store, [SourceEntry(source=broken), SourceEntry(source=well)], clock.wall)  # fmt: skip
    assert len(well.asked) >= 26
    assert len(broken.asked) <= 6
    assert {e.health for e in events if e.source_id == "b"} == {"broken"}
    assert [r.verdict for r in report] == ["broken", "ok"]
    assert report[0].health.n_failure == len(broken.asked)


def test_a_source_that_recovers_is_asked_at_its_interval_again(clock):
    source = FakeSource("a", ["raise", "raise", "new"])
    with Store.open(":memory:") as store:
        _watch(store, [source], clock, 24)
    gaps = [(b - a) / HOUR for a, b in zip(source.asked, source.asked[1:], strict=False)]
    assert gaps[0] > 1.9
    assert gaps[1] > 3.9
    assert max(gaps[3:]) < 1.2


def test_a_source_that_is_gone_is_never_asked_again(clock):
    source = FakeSource("a", ["gone"])
    with Store.open(":memory:") as store:
        _watch(store, [source], clock, 50)
    assert len(source.asked) == 1


@pytest.mark.parametrize("jump_hours", [-48, 48])
def test_a_clock_that_is_set_stalls_nothing_and_hammers_nobody(clock, jump_hours):
    source = FakeSource("a")
    with Store.open(":memory:") as store:
        _watch(store, [source], clock, 3)
        clock.wall += timedelta(hours=jump_hours)
        before = len(source.asked)
        _watch(store, [source], clock, 4)
    assert 3 <= len(source.asked) - before <= 5


def test_another_watcher_goes_on_with_the_same_plan(clock):
    source = FakeSource("a")
    with Store.open(":memory:") as store:
        _watch(store, [source], clock, 1.5)
        n = len(source.asked)
        _watch(store, [source], clock, 0.1)
        assert len(source.asked) == n  # not due yet, and it knows


def test_two_sources_of_one_interval_part_in_time():
    due = {plan_next(f"s{n}", {}, START, 0, HOUR, START).due_at for n in range(20)}
    assert len(due) > 10


@pytest.mark.parametrize(
    ("state", "hours"),
    [
        ({"not_before": (START + 9 * HOUR).isoformat()}, 9),
        ({"fresh_until": (START + 3 * HOUR).isoformat()}, 3),
        ({"not_before": "nonsense"}, 1),
        ({"not_before": "2020-06-18T00:00:00"}, 1),
    ],
)
def test_what_a_server_asks_for_is_kept(state, hours):
    due = plan_next("a", state, START, 0, HOUR, START).due_at
    assert hours <= (due - START) / HOUR <= hours + 0.15


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("6h", 21600), ("1d", 86400), ("1 week", 604800), ("90 sec", 90)],
)
def test_intervals_are_read(text, seconds):
    assert parse_interval(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "1s", "60d", "often", "-1h", "9" * 40 + "h"])
def test_an_interval_that_is_none_is_told(text):
    with pytest.raises(ValueError, match="interval"):
        parse_interval(text)


def test_a_wrong_interval_is_named_with_its_line(tmp_path):
    (tmp_path / "bulletin.toml").write_text(
        'series = "S"\n[[sources]]\nid = "a"\nkind = "folder"\npath = "."\nevery = "often"\n'
    )
    with pytest.raises(ConfigError, match=r"bulletin.toml:6:9: .*no interval"):
        load_config(tmp_path)


def test_a_source_that_fell_silent_is_noticed(clock):
    days = [START - timedelta(days=n) for n in (40, 41, 42, 43, 44)]
    entries = tuple(
        Entry(source_id="a", entry_id=str(d), title="x", published=PartialDate(value=d))
        for d in days
    )
    source = FakeSource("a")
    source.fetch = lambda context: SourceResult(
        status="nothing_new", state=remember(context.state, "nothing_new", entries, context.now)
    )
    with Store.open(":memory:") as store:
        (event,) = _watch(store, [source], clock, 0.5)
        (report,) = report_sources(store, [SourceEntry(source=source)], clock.wall)
    assert event.health == report.verdict == "silent"
    assert "nothing for 40 days" in report.health.reason
    assert 'kuaibao_source_health{source="a",verdict="silent"} 1' in metrics_text([report])


def _bulletin(folder, n_file):
    (folder / "notes").mkdir()
    for n in range(n_file):
        (folder / "notes" / f"{n}.md").write_text(f"# Story number {n} of many\n\nText.\n")
    (folder / "bulletin.toml").write_text(
        'series = "S"\n[[sources]]\nid = "notes"\nkind = "folder"\npath = "notes"\nevery = "1m"\n'
    )


def test_a_killed_watcher_loses_nothing_and_starts_again(tmp_path):
    _bulletin(tmp_path, 3)
    command = [sys.executable, "-m", "kuaibao", "watch", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert (first["source"], first["new"], first["health"]) == ("notes", 3, "ok")
    (tmp_path / "notes" / "late.md").write_text("# A story that came late\n")
    with Store.open(tmp_path / "bulletin.db") as store:
        assert len(list(items_since(store, START.date()))) == 3
    run = subprocess.run(
        [*command, "--once"], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == ""  # not due for a minute: the plan outlived the kill
    found = CliRunner().invoke(app, ["sources", "status", str(tmp_path), "--json"])
    assert json.loads(found.stdout)["sources"][0]["entries"] == 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_watcher_ends_when_it_is_asked_to(tmp_path):
    _bulletin(tmp_path, 1)
    command = [sys.executable, "-m", "kuaibao", "watch", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        other = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert other.returncode == 4  # one watcher a bulletin
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert time.monotonic() - started < 30
