"""Runs what a documentation page shows: files by their titles, commands, and what they print.

A page's ```lang title="name"``` blocks are written to a folder, then its ```console``` blocks run
there line by line. What stands under a command is compared with what it prints, `...` being any
text. A block after `<!-- not run -->` is left alone.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?P<note><!-- not run[^>]*-->\n+)?```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)```",
    re.DOTALL,
)


@dataclass
class Command:
    line: str
    expected: str


def write_files(page: str, folder: Path) -> None:
    for block in _BLOCK.finditer(page):
        if block["title"]:
            path = folder / block["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], encoding="utf-8")


def commands(page: str) -> list[Command]:
    found = []
    for block in _BLOCK.finditer(page):
        if block["kind"] != "console" or block["note"]:
            continue
        for part in re.split(r"(?m)^\$ ", block["text"])[1:]:
            line, _, expected = part.partition("\n")
            found.append(Command(line, expected.strip()))
    return found


def run(command: Command, folder: Path) -> subprocess.CompletedProcess:
    """Run through a shell whose `kuaibao` is the one under test."""
    line = re.sub(r"\bkuaibao ", f"{shlex.quote(sys.executable)} -m kuaibao ", command.line)
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=170,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )  # fmt: skip


def matches(expected: str, printed: str) -> bool:
    pattern = re.escape(expected).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
