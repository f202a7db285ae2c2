"""Pairs of a document and its summary, as JSON lines or as Hugging Face data sets are laid out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.errors import InputError, Place

__all__ = ["Pair", "iterate_pairs", "read_pairs"]

DOCUMENT_FIELDS = ("document", "text", "article", "source", "input", "prompt", "report", "dialogue")
SUMMARY_FIELDS = ("summary", "highlights", "target", "abstract", "completion", "synopsis", "title")
MAX_LINE = 20_000_000
"""Characters of one line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A document with what a person wrote of it."""

    document: str
    summary: str
    split: str = ""
    """`train`, `validation`, `test`, or empty where the file does not say."""


def read_pairs(path: Path, *, split: str = "") -> list[Pair]:
    """All pairs of a file, or those of one split.

    Raises:
        InputError: No such file, or a line that is no pair; with its number.
    """
    pairs = [pair for pair in iterate_pairs(path) if not split or pair.split in ("", split)]
    if not pairs:
        raise InputError(f"{path} holds no pairs" + (f" of the split '{split}'" if split else ""))
    return pairs


def iterate_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a JSONL file one by one.

    Raises:
        InputError: No such file, or a line that is no pair; with its number.
    """
    try:
        lines = path.open(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    with lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _pair(line, Place(file=str(path), line=number))
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8: {error.reason}") from error


def _pair(line: str, place: Place) -> Pair:
    if len(line) > MAX_LINE:
        raise InputError(f"a line of {len(line)} characters is too long", place=place)
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", place=place) from error
    if not isinstance(row, dict):
        raise InputError("a pair is a JSON object", place=place)
    return Pair(
        _field(row, DOCUMENT_FIELDS, place),
        _field(row, SUMMARY_FIELDS, place),
        str(row.get("split", "")),
    )


def _field(row: dict[str, Any], names: tuple[str, ...], place: Place) -> str:
    value = next((row[name] for name in names if name in row), None)
    if not isinstance(value, str):
        raise InputError(
            f"no '{names[0]}' that is a text", place=place, hint=f"Known names: {', '.join(names)}."
        )
    return value
