"""The documentation says what is so: generated pages are fresh, worked examples run."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import worked_examples

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "README.zh.md",
    "docs/bulletin.md",
    "docs/diagrams-domains.md",
    "docs/pegasus.md",
]


def _reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "../diagrams-library.md"])
def test_the_reference_is_what_the_program_says(name):
    """If it fails: `make docs`, and look at the difference."""
    page = ROOT / "docs" / "reference" / name
    assert page.read_text(encoding="utf-8") == _reference().pages()[name]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_what_happens(page, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    worked_examples.write_files(text, tmp_path)
    commands = worked_examples.commands(text)
    assert commands
    for command in commands:
        run = worked_examples.run(command, tmp_path)
        assert run.returncode == 0, f"{command.line}\n{run.stderr}"
        if command.expected:
            assert worked_examples.matches(command.expected, run.stdout), run.stdout


def test_every_page_of_the_site_is_there_and_in_its_contents():
    listed = set(re.findall(r": ([\w/-]+\.md)", (ROOT / "mkdocs.yml").read_text()))
    there = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    assert listed == there


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "docs").glob("*.md")))
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_every_benchmark_has_its_row():
    rows = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for script in (ROOT / "benchmarks").rglob("*.py"):
        name = script.relative_to(ROOT / "benchmarks").as_posix()
        if not name.rpartition("/")[2].startswith("_"):
            assert f"`{name}`" in rows, f"benchmarks/README.md does not tell of {name}"
