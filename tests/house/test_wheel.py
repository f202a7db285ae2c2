"""The package as users get it: everything it needs lies in the wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, unpacked where nothing of the checkout is seen."""
    folder = tmp_path_factory.mktemp("wheel")
    run = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q",
         "-w", str(folder), str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (made,) = folder.glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _run(site, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "kuaibao", *arguments],
        cwd=site, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def test_every_file_of_the_source_tree_is_in_the_wheel(wheel):
    source = ROOT / "src"
    wanted = {
        p.relative_to(source).as_posix()
        for p in source.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert wanted <= {p.relative_to(wheel).as_posix() for p in wheel.rglob("*")}


def test_the_installed_command_reads_a_text(wheel):
    assert _run(wheel, "--version").returncode == 0
    text = "The room is quiet. The room has forty desks and the desks are free. Nobody knows why."
    (wheel / "text.txt").write_text(text)
    run = _run(wheel, "summarize", "text.txt", "--sentences", "1", "--json")
    assert run.returncode == 0, run.stderr
    (sentence,) = json.loads(run.stdout)["sentences"]
    assert text[sentence["start"] : sentence["end"]] == sentence["text"]


def test_the_installed_command_builds_an_issue(wheel, tmp_path):
    (tmp_path / "note.md").write_text("# A quiet room\n\nThe room is quiet. It has forty desks.\n")
    (tmp_path / "bulletin.toml").write_text(
        'series = "S"\ntitle = "T"\nlanguage = "en"\nnumber = 1\nday = 2020-06-30\n'
        '[[sources]]\nid = "notes"\nkind = "folder"\npath = "."\ninclude = ["*.md"]\n'
    )
    run = _run(wheel, "build", str(tmp_path), "--json")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "issue.pdf").read_bytes().startswith(b"%PDF-")
