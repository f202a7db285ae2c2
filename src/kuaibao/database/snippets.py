"""The stretch of a text that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from kuaibao.database.fulltext import Term, fold, parse_query

__all__ = ["snippet"]


def snippet(
    text: str, query: str, *, width: int = 160, columns: Sequence[str] = ("title", "people", "body")
) -> str:
    """About `width` characters round the first match, matches marked «so».

    The index folds traditional characters and stems words; here words are compared by their
    beginnings, so a few matches stay unmarked rather than wrong ones marked.
    """
    flat = " ".join(text.split())
    folded = "".join(_fold_character(c) for c in flat)
    spans = _spans(folded, parse_query(query, columns))
    start = max(0, (spans[0][0] if spans else 0) - width // 3)
    end = min(len(flat), start + width)
    if start:  # begin at a word
        blank = flat.find(" ", start, start + 15)
        start = blank + 1 if blank >= 0 and (not spans or blank < spans[0][0]) else start
    parts: list[str] = []
    at = start
    for left, right in spans:
        if left < at or right > end:
            continue
        parts += [flat[at:left], "«", flat[left:right], "»"]
        at = right
    parts.append(flat[at:end])
    return ("…" if start else "") + "".join(parts).strip() + ("…" if end < len(flat) else "")


@lru_cache(maxsize=16_384)
def _fold_character(character: str) -> str:
    """Folding that keeps every offset."""
    folded = fold(character)
    return folded if len(folded) == 1 else character


def _spans(folded: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for term in terms:
        if term.is_excluded:
            continue
        parts = [_beginning(word) for word in term.words]
        pattern = r"[\W_]*".join(parts)
        found += [match.span() for match in re.finditer(pattern, folded)]
    merged: list[tuple[int, int]] = []
    for left, right in sorted(found):
        if merged and left < merged[-1][1]:
            continue
        merged.append((left, right))
    return merged


def _beginning(word: str) -> str:
    """A word as it may stand in the text, with another ending."""
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])" if word.isascii() else re.escape(word)
    stem = re.sub(r"(ing|ies|ed|es|s|y|e)$", "", word)
    return rf"(?<![a-z0-9]){re.escape(stem if len(stem) > 2 else word)}[a-z]{{0,4}}(?![a-z0-9])"
