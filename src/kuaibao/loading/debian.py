"""Real text from Debian's archive, through apt: package descriptions and documentation packages.

Nothing of the system changes and no root is needed: lists and packages go into a folder of their
own. apt verifies what it fetches by the archive's signatures; what lies in the cache is verified
by its hash whenever it is used again.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kuaibao.errors import InputError
from kuaibao.files import hash_file, write_json, write_text

__all__ = ["descriptions", "fetch_descriptions", "fetch_documentation", "packages", "update_lists"]

_APT_HELPER = "/usr/lib/apt/apt-helper"
_TIMEOUT_S = 300
_BULLET = re.compile(r"^\s*[*+-]\s+")
_TEXT = (".txt", ".rst", ".md")
MAX_TEXT_BYTES = 20_000_000
"""Of one file of a documentation package."""
MIN_CHARACTERS = 200


def fetch_descriptions(folder: Path) -> Path:
    """All package descriptions as `folder/descriptions.jsonl`, unless they lie there.

    A line has `text` (name, summary, section and description), and `group`: the source package,
    so that near-identical siblings such as `-dev` and `-doc` never stand on both sides of a split.

    Raises:
        InputError: This is no Debian system, or its archive can't be reached.
    """
    file = folder / "descriptions.jsonl"
    if _is_verified(file):
        return file
    lists = update_lists(folder / "apt")
    known_packages = {p["Package"]: p for p in packages(lists)}
    rows: dict[str, str] = {}
    for name, summary, description in sorted(descriptions(lists)):
        known = known_packages.get(name, {})
        group = known.get("Source", name).split(" ")[0]
        head = f"Package: {name}\nSummary: {summary}\nSection: {known.get('Section', 'misc')}"
        row = {"text": f"{head}\n\n{description}", "group": group}
        rows.setdefault(description, json.dumps(row, ensure_ascii=False))
    if not rows:
        raise InputError("apt gave no English descriptions", hint="Is the archive reachable?")
    write_text(file, "\n".join(rows.values()) + "\n")
    _note_hash(file)
    return file


def fetch_documentation(package: str, folder: Path) -> Path:
    """The text files of a package as `folder/PACKAGE.jsonl`, one document a line.

    Raises:
        InputError: There is no such package, it has no text, or this is no Debian system.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", package):
        raise InputError(f"{package!r} is no name of a Debian package")
    file = folder / f"{package}.jsonl"
    if _is_verified(file):
        return file
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        where = Path(place)
        _run(["apt-get", "-oAPT::Sandbox::User=", "download", package], where)
        archives = list(where.glob("*.deb"))
        if not archives:
            raise InputError(f"apt has no package '{package}'")
        _run(["dpkg-deb", "-x", str(archives[0]), "files"], where)
        rows = [json.dumps({"text": text}, ensure_ascii=False) for text in _texts(where / "files")]
    if not rows:
        raise InputError(f"the package '{package}' holds no text files")
    write_text(file, "\n".join(rows) + "\n")
    _note_hash(file)
    return file


def _is_verified(file: Path) -> bool:
    note = file.with_suffix(".sha256.json")
    try:
        return json.loads(note.read_text(encoding="utf-8"))["sha256"] == hash_file(file)
    except (OSError, ValueError, KeyError):
        return False


def _note_hash(file: Path) -> None:
    write_json(file.with_suffix(".sha256.json"), {"sha256": hash_file(file)})


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"'{command[0]}' is wanted, and an archive that answers: this text comes from Debian",
            hint="Elsewhere name files or folders of your own as the corpus.",
        ) from error
    if done.returncode:
        tail = done.stderr.decode(errors="replace")[-300:].strip()
        raise InputError(f"{' '.join(command[:1] + command[-2:])} failed: {tail}")


def _texts(root: Path) -> Iterator[str]:
    """Text files, also gzipped ones; links are not followed."""
    for path in sorted(root.rglob("*")):
        name = path.name.removesuffix(".gz")
        if path.is_symlink() or not path.is_file() or not name.endswith(_TEXT):
            continue
        opener = gzip.open if path.name.endswith(".gz") else open
        with opener(path, "rb") as stream:
            text = stream.read(MAX_TEXT_BYTES).decode("utf-8", errors="replace").strip()
        if len(text) >= MIN_CHARACTERS and "\x00" not in text:
            yield text


def update_lists(folder: Path) -> Path:
    """The archive's lists with English descriptions, fetched anew into `folder`; gives their place.

    Raises:
        InputError: This is no Debian system, or its archive can't be reached.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("lists/partial", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = {"Acquire::Languages": "en", "Dir::State::Lists": str(folder / "lists"),
               "Dir::Cache": str(folder / "cache"), "APT::Sandbox::User": ""}  # fmt: skip
    _run(["apt-get", *(f"-o{k}={v}" for k, v in options.items()), "update"], folder)
    return folder / "lists"


def _stanzas(path: Path) -> Iterator[list[str]]:
    """Stanzas of an apt list, whatever its compression."""
    shown = subprocess.run(
        [_APT_HELPER, "cat-file", str(path)], capture_output=True, timeout=_TIMEOUT_S, check=True
    )
    for block in shown.stdout.decode("utf-8", errors="replace").split("\n\n"):
        if block.strip():
            yield block.split("\n")


def packages(lists: Path) -> Iterator[dict[str, str]]:
    """`Package`, `Source` and `Section` of each package, where it has them."""
    wanted = ("Package: ", "Source: ", "Section: ")
    for path in sorted(lists.glob("*_Packages*")):
        for lines in _stanzas(path):
            fields = dict(line.split(": ", 1) for line in lines if line.startswith(wanted))
            if "Package" in fields:
                yield fields


def descriptions(lists: Path) -> Iterator[tuple[str, str, str]]:
    """Package, summary and description of each."""
    for path in sorted(lists.glob("*_Translation-en*")):
        for lines in _stanzas(path):
            package = next((x[9:] for x in lines if x.startswith("Package: ")), "")
            start = next((i for i, x in enumerate(lines) if x.startswith("Description-en: ")), -1)
            if package and start >= 0:
                yield package, lines[start][16:].strip(), _paragraphs(lines[start + 1 :])


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
