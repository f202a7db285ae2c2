"""A build killed at any stage goes on where it was, with the same issue and nothing lost."""

import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from small_bulletin import RUNNER, build_apart, issue_of, make_bulletin

KILLS = [
    ("fetch", 0), ("fetch", 2), ("items", 0), ("items", 1), ("rank", 0), ("draft", 0), ("draft", 3),
    ("layout", 0), ("publish", 0), ("publish", 1),
]  # fmt: skip
FILES = (
    "index.html",
    "issue.json",
    "feed.xml",
    "conferences.ics",
    "papers.bib",
    "issue.pdf",
    "issue.epub",
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the build gives when nobody kills it; module-wide, for it is only read."""
    home = tmp_path_factory.mktemp("undisturbed")
    folder = make_bulletin(home / "bulletin")
    build_apart(folder, home / "out")
    return home


def _assert_same(home, undisturbed):
    for edition in ("out", "out/zh"):
        assert issue_of(home / edition) == issue_of(undisturbed / edition)
        for name in FILES:
            assert (home / edition / name).read_bytes() == (
                undisturbed / edition / name
            ).read_bytes()
    assert _entries(home) == _entries(undisturbed)


def _entries(home):
    with sqlite3.connect(home / "bulletin" / "bulletin.db") as database:
        rows = database.execute(
            "select source_id, reference, hash from entry order by 1, 2"
        ).fetchall()
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute("pragma foreign_key_check").fetchall() == []
    return rows


@pytest.mark.parametrize(("stage", "done"), KILLS)
def test_a_build_killed_at_a_stage_gives_the_same_issue(tmp_path, undisturbed, stage, done):
    folder = make_bulletin(tmp_path / "bulletin")
    build_apart(folder, tmp_path / "out", kill_stage=stage, kill_done=done)
    build_apart(folder, tmp_path / "out")
    _assert_same(tmp_path, undisturbed)


def test_a_build_killed_again_and_again_gives_the_same_issue(tmp_path, undisturbed):
    folder = make_bulletin(tmp_path / "bulletin")
    for stage, done in KILLS:
        if stage != "publish":
            build_apart(folder, tmp_path / "out", kill_stage=stage, kill_done=done)
    build_apart(folder, tmp_path / "out")
    _assert_same(tmp_path, undisturbed)


def test_a_build_killed_at_any_moment_gives_the_same_issue(tmp_path, undisturbed):
    folder = make_bulletin(tmp_path / "bulletin")
    chance = random.Random(20200630)
    for _ in range(4):
        arguments = [sys.executable, "-c", RUNNER, str(folder), str(tmp_path / "out"), "", "0"]
        running = subprocess.Popen(arguments, stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0.3, 2.0))
        running.send_signal(signal.SIGKILL)
        running.communicate()
    build_apart(folder, tmp_path / "out")
    _assert_same(tmp_path, undisturbed)
