"""The texts of a corpus: plain files, JSON lines, and Debian's archive by name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.errors import InputError, Place
from kuaibao.files import hash_value
from kuaibao.loading.debian import fetch_descriptions, fetch_documentation

__all__ = ["Document", "iterate_documents", "resolve_source", "text_cache"]

SUFFIXES = (".txt", ".md", ".rst", ".jsonl", ".py", ".html")
MAX_FILE_BYTES = 2_000_000_000
PIECE = 50_000
"""Characters of a plain file that are one document at most."""
DEBIAN = "debian:"
_TEXT_FIELDS = ("text", "document", "content", "paragraphs")
_HELD_OUT_SPLITS = ("validation", "valid", "dev", "test")


@dataclass(frozen=True, slots=True)
class Document:
    """One text, and what decides whether it is held out."""

    text: str
    group: str = ""
    """Texts of one group are held out together; the text's beginning if not given."""
    split: str = ""
    """Said by the file itself: `train`, or one of the held-out ones."""

    def is_held_out(self, share: float) -> bool:
        """Whether it is kept from training, by its file's word or by a hash."""
        if self.split:
            return self.split in _HELD_OUT_SPLITS
        return int(hash_value(self.group or self.text[:1000])[:8], 16) / 2**32 < share


def text_cache() -> Path:
    """Where fetched texts lie between runs: `KUAIBAO_CACHE`, or the user's cache folder."""
    import platformdirs

    own = os.environ.get("KUAIBAO_CACHE")
    return (Path(own) if own else platformdirs.user_cache_path("kuaibao")) / "debian-text"


def resolve_source(name: str, folder: Path) -> Path:
    """The file or folder that a recipe's `corpus` entry stands for.

    Args:
        name: A path from `folder`; `debian:descriptions`; or `debian:PACKAGE`, a documentation
            package. Debian's texts are fetched once, through apt.
        folder: Of the recipe.

    Raises:
        InputError: It can't be fetched, or does not exist.
    """
    if not name.startswith(DEBIAN):
        path = folder / name
        if not path.exists():
            raise InputError(f"the corpus {path} does not exist")
        return path
    package = name.removeprefix(DEBIAN)
    if package == "descriptions":
        return fetch_descriptions(text_cache())
    return fetch_documentation(package, text_cache())


def iterate_documents(paths: Sequence[Path]) -> Iterator[Document]:
    """Documents of files and folders: plain files (long ones in pieces), JSON lines one by one.

    Raises:
        InputError: A path does not exist, a file is too large, or a line is no JSON.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"the corpus {path} does not exist")
        files = (
            sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
        )
        for file in files:
            if file.stat().st_size > MAX_FILE_BYTES:
                raise InputError(f"{file} is larger than {MAX_FILE_BYTES // 10**9} GB")
            if file.suffix == ".jsonl":
                yield from _lines(file)
            else:
                yield from map(Document, _pieces(file))


def _pieces(file: Path) -> Iterator[str]:
    """A plain file; a long one in pieces that end with a line, so that some can be held out."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        piece: list[str] = []
        size = 0
        # readline with a limit: a file without line ends is bounded too.
        while line := lines.readline(PIECE):
            piece.append(line)
            size += len(line)
            if size >= PIECE:
                yield "".join(piece)
                piece, size = [], 0
        if piece:
            yield "".join(piece)


def _lines(file: Path) -> Iterator[Document]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row: Any = json.loads(line)
            except (ValueError, RecursionError) as error:
                place = Place(file=str(file), line=number)
                raise InputError(f"not JSON: {error}", place=place) from error
            if isinstance(row, str):
                yield Document(row)
            elif isinstance(row, dict) and (text := _text_of(row)):
                yield Document(text, str(row.get("group", "")), str(row.get("split", "")))


def _text_of(row: dict[str, Any]) -> str:
    value = next((row[name] for name in _TEXT_FIELDS if name in row), "")
    text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{row['summary']}\n{text}" if "summary" in row and "document" in row else text
