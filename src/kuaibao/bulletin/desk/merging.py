"""Two people typed at one text: three-way merge, sentence by sentence (diff3).

What only one of them changed is taken over. Where both changed the same sentences in different ways
nothing is decided: both readings are handed back, and neither is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from kuaibao.bulletin.desk.text import PieceText

__all__ = ["Conflict", "Merge", "merge_strings", "merge_texts", "units_of"]

_UNIT = re.compile(
    r"[^\n。！？!?.；;]*(?:[。！？!?；;]+[\"'”’」』）)]*|\.(?=\s|$)|\.|\n)\s*|[^\n]+$"
)


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A stretch that both changed differently."""

    part: str
    """`title`, `body`, or a field's name."""
    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, kw_only=True)
class Merge:
    """The merged text; where there are conflicts it holds what was saved first (theirs)."""

    text: PieceText
    conflicts: tuple[Conflict, ...] = ()


def units_of(text: str) -> list[str]:
    """The text in pieces that end with a sentence or a line; joined they are the text again."""
    units: list[str] = []
    at = 0
    for match in _UNIT.finditer(text):
        if match.start() > at:
            units.append(text[at : match.start()])
        units.append(match.group())
        at = match.end()
    if at < len(text):
        units.append(text[at:])
    return [unit for unit in units if unit]


def merge_texts(base: PieceText, mine: PieceText, theirs: PieceText) -> Merge:
    """Merge part by part."""
    conflicts: list[Conflict] = []

    def merged(part: str, b: str, m: str, t: str) -> str:
        text, found = merge_strings(b, m, t)
        conflicts.extend(Conflict(part=part, base=x, mine=y, theirs=z) for x, y, z in found)
        return text

    names = list(dict.fromkeys(name for text in (theirs, mine) for name, _ in text.fields))
    of_base, of_mine, of_theirs = dict(base.fields), dict(mine.fields), dict(theirs.fields)
    fields = tuple(
        (
            name,
            merged(name, of_base.get(name, ""), of_mine.get(name, ""), of_theirs.get(name, "")),
        )
        for name in names
    )
    text = PieceText(
        title=merged("title", base.title, mine.title, theirs.title),
        body=merged("body", base.body, mine.body, theirs.body),
        fields=fields,
    )
    return Merge(text=text, conflicts=tuple(conflicts))


def merge_strings(base: str, mine: str, theirs: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The merged string and the conflicts as (base, mine, theirs)."""
    if mine in (base, theirs):
        return theirs, []
    if theirs == base:
        return mine, []
    b, m, t = units_of(base), units_of(mine), units_of(theirs)
    out: list[str] = []
    conflicts: list[tuple[str, str, str]] = []
    for chunk in _chunks(b, m, t):
        old, own, other = ("".join(part) for part in chunk)
        if own in (old, other):
            out.append(other)
        elif other == old:
            out.append(own)
        else:
            out.append(other)
            conflicts.append((old, own, other))
    return "".join(out), conflicts


def _chunks(
    b: list[str], m: list[str], t: list[str]
) -> list[tuple[list[str], list[str], list[str]]]:
    """Base, mine and theirs cut where all three agree."""
    in_mine, in_theirs = _matches(b, m), _matches(b, t)
    chunks: list[tuple[list[str], list[str], list[str]]] = []
    i = j = k = 0
    for at in range(len(b) + 1):
        if at < len(b) and not (at in in_mine and at in in_theirs):
            continue
        own = in_mine[at] if at < len(b) else len(m)
        other = in_theirs[at] if at < len(b) else len(t)
        chunks.append((b[i:at], m[j:own], t[k:other]))
        if at < len(b):
            chunks.append(([b[at]], [m[own]], [t[other]]))
        i, j, k = at + 1, own + 1, other + 1
    return [chunk for chunk in chunks if any(chunk)]


def _matches(base: list[str], other: list[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}
