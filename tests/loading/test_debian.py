"""Text from Debian's archive: parsed, verified by its hash, refused with words."""

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kuaibao.errors import InputError
from kuaibao.loading.debian import fetch_descriptions, fetch_documentation

pytestmark = pytest.mark.skipif(
    not (shutil.which("dpkg-deb") and Path("/usr/lib/apt/apt-helper").exists()),
    reason="no Debian system: dpkg-deb and apt-helper are wanted",
)

PACKAGES = """Package: tool
Section: editors

Package: tool-doc
Source: tool (1.2)
Section: doc
"""
TRANSLATION = """Package: tool
Description-md5: x
Description-en: edits texts
 A tool that edits
 texts of any kind.
 .
 It can:
  * open files
  * close files

Package: tool-doc
Description-en: manual of tool
 This is the manual.

Package: tool-copy
Description-en: the same again
 This is the manual.
"""


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """An apt-get that gives a small archive: real lists, a real package."""
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: some-doc\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: x\n"
    )
    docs = root / "usr" / "share" / "doc"
    docs.mkdir(parents=True)
    (docs / "a.rst").write_text("The first text. " * 20)
    (docs / "b.txt.gz").write_bytes(gzip.compress(b"The second text. " * 20))
    (docs / "short.txt").write_text("no")
    (docs / "binary.txt").write_bytes(b"\x00" * 500)
    (docs / "link.txt").symlink_to("/etc/hostname")
    lists = tmp_path / "given"
    lists.mkdir()
    (lists / "x_main_binary-amd64_Packages").write_text(PACKAGES)
    (lists / "x_main_i18n_Translation-en").write_text(TRANSLATION)
    subprocess.run(["dpkg-deb", "--build", root, tmp_path / "some-doc_1_all.deb"], check=True,
                   capture_output=True)  # fmt: skip
    script = tmp_path / "bin" / "apt-get"
    script.parent.mkdir()
    script.write_text(
        f"""#!/bin/sh
echo run >> {tmp_path}/runs
for option in "$@"; do case "$option" in -oDir::State::Lists=*) lists="${{option#*=}}";; esac; done
case "$*" in
  *update) cp {lists}/* "$lists/" ;;
  *"download some-doc") cp {tmp_path}/some-doc_1_all.deb . ;;
  *) echo "no such package" >&2; exit 100 ;;
esac
"""
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    return tmp_path


def test_descriptions_become_documents_grouped_by_source(apt):
    file = fetch_descriptions(apt / "cache")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["group"] for row in rows] == ["tool", "tool-copy"]
    assert rows[0]["text"] == (
        "Package: tool\nSummary: edits texts\nSection: editors\n\n"
        "A tool that edits texts of any kind.\nIt can:\n- open files\n- close files"
    )
    assert sum("This is the manual." in row["text"] for row in rows) == 1


def test_documentation_is_read_from_a_package(apt):
    file = fetch_documentation("some-doc", apt / "cache")
    texts = [json.loads(line)["text"] for line in file.read_text().splitlines()]
    assert texts == [("The first text. " * 20).strip(), ("The second text. " * 20).strip()]


def test_it_is_fetched_once_and_again_when_damaged(apt):
    file = fetch_documentation("some-doc", apt / "cache")
    good = file.read_bytes()
    fetch_documentation("some-doc", apt / "cache")
    assert (apt / "runs").read_text().count("run") == 1
    file.write_bytes(good[:-9])
    assert fetch_documentation("some-doc", apt / "cache").read_bytes() == good
    assert (apt / "runs").read_text().count("run") == 2


def test_what_is_not_there_is_named(apt, monkeypatch):
    with pytest.raises(InputError, match="no such package"):
        fetch_documentation("other-doc", apt / "cache")
    monkeypatch.setenv("PATH", str(apt / "nowhere"))
    with pytest.raises(InputError, match="of your own"):
        fetch_descriptions(apt / "cache2")
