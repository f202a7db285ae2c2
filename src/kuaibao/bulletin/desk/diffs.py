"""What changed between two texts, readable: words of Latin script, characters of Han."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from kuaibao.bulletin.desk.text import PieceText

__all__ = ["Change", "PartDiff", "diff_strings", "diff_texts"]

_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_]+|\s+|.", re.UNICODE | re.DOTALL)
MAX_TOKENS = 20_000


@dataclass(frozen=True)
class Change:
    """A run that stayed, came or went."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True)
class PartDiff:
    """The changes of one part of a text."""

    part: str
    changes: tuple[Change, ...]


def diff_texts(old: PieceText, new: PieceText) -> tuple[PartDiff, ...]:
    """The parts that differ."""
    before = {"title": old.title, "body": old.body, **dict(old.fields)}
    after = {"title": new.title, "body": new.body, **dict(new.fields)}
    names = dict.fromkeys([*after, *before])
    return tuple(
        PartDiff(name, diff_strings(before.get(name, ""), after.get(name, "")))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def diff_strings(old: str, new: str) -> tuple[Change, ...]:
    """Runs in reading order; joined without the removed ones they are `new`."""
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(a) + len(b) > MAX_TOKENS:  # by lines: quadratic time is for people's texts only
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    changes: list[Change] = []

    def add(kind: Literal["same", "added", "removed"], tokens: list[str]) -> None:
        if tokens:
            changes.append(Change(kind, "".join(tokens)))

    for tag, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            add("same", a[i:i_end])
        else:
            add("removed", a[i:i_end])
            add("added", b[j:j_end])
    return tuple(changes)
