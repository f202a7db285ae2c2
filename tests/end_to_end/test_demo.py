"""The demo leaves what the contract promises, in both languages."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = (
    "index.html",
    "issue.pdf",
    "issue.epub",
    "feed.xml",
    "conferences.ics",
    "papers.bib",
    "papers.ris",
    "mail.eml",
)


@pytest.fixture(scope="module")
def demo():
    """Run as `make demo` runs it."""
    run = subprocess.run(
        [sys.executable, "-m", "examples.demo"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("edition", ["", "zh"])
def test_every_file_of_the_contract_is_there(demo, edition):
    folder = ROOT / "out" / "demo" / edition
    for name in NAMES:
        assert (folder / name).stat().st_size > 500, name
    assert (folder / "issue.pdf").read_bytes().startswith(b"%PDF-")
    assert zipfile.ZipFile(folder / "issue.epub").testzip() is None


def test_it_ends_by_saying_where_the_issue_lies(demo):
    tail = demo.splitlines()[-6:]
    for edition in ("", "zh/"):
        for name in NAMES[:3]:
            assert any(line.endswith(f"out/demo/{edition}{name}") for line in tail)


def test_it_tells_the_facts_of_june_2020(demo):
    english = (ROOT / "out" / "demo" / "index.html").read_text(encoding="utf-8")
    chinese = (ROOT / "out" / "demo" / "zh" / "index.html").read_text(encoding="utf-8")
    for fact in ("175 billion", "96.3", "Penrose", "PEGASUS", "WLIC 2020", "ICADL 2020", "167 MB"):
        assert fact in english, fact
    for fact in ("1750 亿", "96.3", "Penrose", "深度关注", "会议预告"):
        assert fact in chinese, fact
    for page, label in ((english, "gap sentences"), (chinese, "缺失的句子")):
        assert label in page[page.index("<figure") : page.index("</figure>")]
    assert "compiled by Chen Wen, proofread by Maria Keller" in english
