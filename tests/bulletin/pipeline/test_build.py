"""From bulletin.toml to an issue: every stage, twice, and through the command."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from small_bulletin import CONFIG, issue_of, make_bulletin

from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.pipeline import build
from kuaibao.bulletin.pipeline.report import STAGES

NOW = datetime(2020, 6, 30, 12, tzinfo=UTC)
SECTIONS = ["in_depth", "news", "tools", "papers", "conferences"]


def test_each_stage_is_counted_and_every_source_reaches_its_section(bulletin, tmp_path):
    report = build(load_config(bulletin), tmp_path / "out", now=NOW)
    counts = report.counts
    assert (counts["sources"], counts["sources_failed"]) == (5, 0)
    assert counts["entries"] == counts["entries_new"] == counts["items_new"] == 7
    assert counts["items_due"] == 7
    assert counts["drafts_made"] == counts["items_chosen"] * 2 - 1  # one is told in Chinese alone
    assert set(report.seconds) == set(STAGES)
    english, chinese = report.editions
    assert english.sections == {"in_depth": 1, "news": 1, "tools": 2, "papers": 1, "conferences": 1}
    assert chinese.sections["news"] == 2
    assert [s["kind"] for s in issue_of(tmp_path / "out")["sections"]] == SECTIONS


def test_a_second_build_does_nothing_again(bulletin, tmp_path):
    first = build(load_config(bulletin), tmp_path / "out", now=NOW)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()}
    again = build(load_config(bulletin), tmp_path / "out", now=NOW)
    assert again.counts["entries_new"] == again.counts["items_new"] == 0
    assert again.counts["drafts_made"] == 0
    assert [e.content_hash for e in again.editions] == [e.content_hash for e in first.editions]
    assert not any(edition.is_rendered for edition in again.editions)
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()}


def test_a_changed_source_changes_its_item_alone(bulletin, tmp_path):
    first = build(load_config(bulletin), tmp_path / "out", now=NOW)
    note = bulletin / "notes" / "light.md"
    note.write_text(note.read_text().replace("faces north", "faces south"))
    again = build(load_config(bulletin), tmp_path / "out", now=NOW)
    assert again.counts["entries_new"] == 1
    assert 1 <= again.counts["drafts_made"] <= 2
    assert again.editions[0].content_hash != first.editions[0].content_hash
    assert "faces south" in (tmp_path / "out" / "index.html").read_text()


def test_every_summary_sentence_points_at_its_source_sentence(bulletin, tmp_path):
    build(load_config(bulletin), tmp_path / "out", now=NOW)
    n_sentence = 0
    for section in issue_of(tmp_path / "out")["sections"]:
        for item in section["items"]:
            draft = item["draft"]
            for sentence in draft["sentences"] if draft["strategy"] == "ind-orig" else []:
                evidence = sentence["evidence"]
                tool_synopsis = section["kind"] == "tools" and sentence is draft["sentences"][0]
                assert evidence or tool_synopsis
                n_sentence += 1
                for one in evidence:
                    assert " ".join(one["text"].split()) == sentence["text"]
    assert n_sentence >= 5


def test_the_paper_is_told_in_its_five_parts(bulletin, tmp_path):
    build(load_config(bulletin), tmp_path / "out", now=NOW)
    papers = next(s for s in issue_of(tmp_path / "out")["sections"] if s["kind"] == "papers")
    fields = [name for name, _ in papers["items"][0]["draft"]["fields"]]
    assert fields == ["background", "innovation", "model", "experiments", "results"]


def test_the_command_prints_the_counts_of_each_stage(bulletin, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "kuaibao", "build", str(bulletin), "--out", str(tmp_path / "o"), "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["counts"]["entries"] == 7
    names = {
        "index.html",
        "issue.pdf",
        "issue.epub",
        "feed.xml",
        "conferences.ics",
        "papers.bib",
        "mail.eml",
    }
    assert names <= {p.name for p in (tmp_path / "o").iterdir()}
    assert names <= {p.name for p in (tmp_path / "o" / "zh").iterdir()}


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('kind = "ical"', 'kind = "icla"', "unknown source kind 'icla'"),
        ("number = 6", "nubmer = 6", "nubmer"),
        ('path = "news.xml"', 'pth = "news.xml"', "pth"),
    ],
)
def test_a_wrong_line_of_the_configuration_is_shown_with_its_place(tmp_path, wrong, right, said):
    folder = make_bulletin(tmp_path / "b", CONFIG.replace(wrong, right))
    run = subprocess.run(
        [sys.executable, "-m", "kuaibao", "build", str(folder)], capture_output=True, text=True
    )
    assert run.returncode != 0
    assert said in run.stderr
    assert "bulletin.toml:" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_folder_without_a_configuration_is_told_so(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "kuaibao", "build", str(tmp_path)], capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "bulletin.toml" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_broken_source_is_told_of_and_breaks_nothing(tmp_path):
    folder = make_bulletin(tmp_path / "b", CONFIG.replace('path = "news.xml"', 'path = "gone.xml"'))
    report = build(load_config(folder), tmp_path / "out", now=NOW)
    assert report.counts["sources_failed"] == 1
    assert any(notice.startswith("news: ") for notice in report.notices)
    assert report.editions[0].sections["papers"] == 1
