"""Real pairs that every Debian system can fetch: package descriptions and their synopses.

60,000 programs are described there twice: by a paragraph or more, and by one line. The loader asks
apt for the lists (into a folder of its own: nothing of the system changes, no root needed), groups
packages by their source package, so that siblings such as `-dev` and `-doc` never stand on both
sides of a split, and writes JSON lines.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kuaibao.errors import InputError
from kuaibao.files import write_text

__all__ = ["Split", "debian_cache", "fetch_debian_pairs", "split_of"]

_APT_HELPER = "/usr/lib/apt/apt-helper"
_TIMEOUT_S = 300
_BULLET = re.compile(r"^\s*[*+-]\s+")
MIN_WORDS = 12
"""A description that is hardly longer than its synopsis is no document."""

Split = str
"""`train`, `validation` or `test`."""


@dataclass(frozen=True, slots=True)
class _Stanza:
    package: str
    synopsis: str
    description: str


def debian_cache() -> Path:
    """Where the pairs lie between runs: `KUAIBAO_CACHE`, or the user's cache folder."""
    import platformdirs

    own = os.environ.get("KUAIBAO_CACHE")
    return (Path(own) if own else platformdirs.user_cache_path("kuaibao")) / "debian"


def split_of(group: str) -> Split:
    """90 % train, 5 % validation, 5 % test, by a hash of the source package's name."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return "train" if place < 0.9 else "validation" if place < 0.95 else "test"


def fetch_debian_pairs(folder: Path) -> Path:
    """Fetch the pairs into `folder/debian.jsonl`, unless they are there.

    Each line has `id`, `group`, `split`, `document` and `summary`.

    Raises:
        InputError: This is no Debian system, or its archive can't be reached.
    """
    file = folder / "debian.jsonl"
    if file.is_file():
        return file
    lists = _update_lists(folder / "apt")
    sources = dict(_sources(lists))
    seen: set[str] = set()
    lines: list[str] = []
    for stanza in sorted(_stanzas(lists), key=lambda s: s.package):
        if stanza.description in seen or len(stanza.description.split()) < MIN_WORDS:
            continue
        seen.add(stanza.description)
        group = sources.get(stanza.package, stanza.package)
        pair = {
            "id": stanza.package,
            "group": group,
            "split": split_of(group),
            "document": stanza.description,
            "summary": stanza.synopsis,
        }
        lines.append(json.dumps(pair, ensure_ascii=False))
    if not lines:
        raise InputError(
            "apt gave no English package descriptions", hint="Is the archive reachable?"
        )
    write_text(file, "\n".join(lines) + "\n")
    return file


def _update_lists(folder: Path) -> Path:
    for name in ("lists/partial", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = {
        "Acquire::Languages": "en",
        "Dir::State::Lists": str(folder / "lists"),
        "Dir::Cache": str(folder / "cache"),
        "APT::Sandbox::User": "",
    }
    command = ["apt-get", *(f"-o{k}={v}" for k, v in options.items()), "update"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise InputError(
            "the package descriptions need apt-get and a reachable archive",
            hint="Elsewhere name a JSONL file of pairs: one object a line, document and summary.",
        ) from error
    if done.returncode:
        raise InputError(f"apt-get update failed: {done.stderr.decode(errors='replace')[-300:]}")
    return folder / "lists"


def _read(path: Path) -> Iterator[list[str]]:
    """Stanzas of an apt list, whatever its compression."""
    shown = subprocess.run(
        [_APT_HELPER, "cat-file", str(path)], capture_output=True, timeout=_TIMEOUT_S, check=True
    )
    for block in shown.stdout.decode("utf-8", errors="replace").split("\n\n"):
        if block.strip():
            yield block.split("\n")


def _sources(lists: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(lists.glob("*_Packages*")):
        for lines in _read(path):
            fields = dict(
                line.split(": ", 1) for line in lines if line.startswith(("Package: ", "Source: "))
            )
            if "Package" in fields:
                yield fields["Package"], fields.get("Source", fields["Package"]).split(" ")[0]


def _stanzas(lists: Path) -> Iterator[_Stanza]:
    for path in sorted(lists.glob("*_Translation-en*")):
        for lines in _read(path):
            package = next((x[9:] for x in lines if x.startswith("Package: ")), "")
            start = next((i for i, x in enumerate(lines) if x.startswith("Description-en: ")), -1)
            if package and start >= 0:
                body = lines[start + 1 :]
                yield _Stanza(package, lines[start][16:].strip(), _paragraphs(body))


def _paragraphs(lines: list[str]) -> str:
    """Debian's indented paragraphs as text: ` .` parts them, deeper lines stand for themselves."""
    paragraphs: list[str] = [""]
    for line in lines:
        if not line.startswith(" "):
            break
        text = line[1:]
        if text.strip() == ".":
            paragraphs.append("")
        elif _BULLET.match(text) or text.startswith("  "):
            paragraphs.append(_BULLET.sub("- ", text.strip()))
        else:
            paragraphs[-1] = f"{paragraphs[-1]} {text.strip()}".strip()
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)
