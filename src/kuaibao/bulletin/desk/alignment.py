"""Sentences of an original beside those of its translation: pairs in reading order.

Dynamic programming over lengths after Gale and Church ("A Program for Aligning Sentences in
Bilingual Corpora", 1993), with anchors: numbers by value, Latin words that stay as they are, terms
of the glossary. A translation may leave out sentences (a bulletin summarises), join or split them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kuaibao.text import numbers_in

__all__ = ["Pair", "align_sentences"]

MAX_CELLS = 400 * 400
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,}")
_HAN = re.compile(r"[\u3400-\u9fff]")
_COMMON = frozenset(
    ["the", "of", "and", "to", "in", "is", "for", "with", "that", "on", "as", "by", "we", "it",
     "be", "are", "this", "from", "an"]
)  # fmt: skip
HAN_PER_LATIN = 3.2
"""Latin characters that say as much as one Han character, roughly."""
SURE = 0.62
"""A pair below this is a guess and shown as one."""
_SKIP = 0.18
"""What a source sentence without a partner gains: a summary leaves most of them out."""


@dataclass(frozen=True)
class Pair:
    """Sentences that say the same, by index."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    score: float

    @property
    def is_sure(self) -> bool:
        """Whether the pair stands on more than its place."""
        return self.score >= SURE


@dataclass(frozen=True)
class _Features:
    length: float
    anchors: frozenset[str]
    text: str


def align_sentences(
    source: Sequence[str], target: Sequence[str], terms: Mapping[str, str] | None = None
) -> tuple[Pair, ...]:
    """Pairs for every target sentence, in order; source sentences may stay alone.

    Args:
        source: Sentences of the original.
        target: Sentences of the translation.
        terms: Source term → target term of a glossary.
    """
    if not source or not target or len(source) * len(target) > MAX_CELLS:
        return tuple(Pair((), (j,), 0.0) for j in range(len(target)))
    glossary = {k.lower(): v.lower() for k, v in (terms or {}).items()}
    a, b = [_features(s) for s in source], [_features(s) for s in target]
    n, m = len(a), len(b)
    ratio = sum(f.length for f in b) / max(1.0, sum(f.length for f in a))
    ratio = min(1.6, max(0.6, ratio)) if m > 0.6 * n else 1.0
    best = [[-math.inf] * (m + 1) for _ in range(n + 1)]
    step: list[list[tuple[int, int, float]]] = [[(0, 0, 0.0)] * (m + 1) for _ in range(n + 1)]
    best[0] = [0.0] * (m + 1)
    for j in range(1, m + 1):
        step[0][j] = (0, 1, 0.0)
    for i in range(n + 1):
        for j in range(m + 1):
            if i == 0:
                continue
            options: list[tuple[float, int, int, float]] = [
                (best[i - 1][j] + (_SKIP if m < n else 0.0), 1, 0, 0.0)
            ]
            if j:
                options.append((best[i][j - 1], 0, 1, 0.0))
                place = 1 - abs(i / n - j / m)
                for di, dj in ((1, 1), (2, 1), (1, 2)):
                    if i >= di and j >= dj:
                        score = _score(a[i - di : i], b[j - dj : j], ratio, place, glossary)
                        gain = {(1, 1): score, (2, 1): score - 0.12, (1, 2): score * 1.2}[di, dj]
                        options.append((best[i - di][j - dj] + gain, di, dj, score))
            total, di, dj, score = max(options, key=lambda o: o[0])
            best[i][j], step[i][j] = total, (di, dj, score)
    pairs: list[Pair] = []
    i, j = n, m
    while i or j:
        di, dj, score = step[i][j] if i else (0, 1, 0.0)
        if dj:
            pairs.append(Pair(tuple(range(i - di, i)), tuple(range(j - dj, j)), score))
        i, j = i - di, j - dj
    return tuple(reversed(pairs))


def _features(sentence: str) -> _Features:
    han = len(_HAN.findall(sentence))
    anchors = {f"#{value}" for value, _ in numbers_in(sentence)}
    anchors |= {w.lower() for w in _LATIN.findall(sentence)} - _COMMON
    rest = len(sentence) - han
    return _Features(han * HAN_PER_LATIN + rest, frozenset(anchors), sentence.lower())


def _score(
    a: Sequence[_Features], b: Sequence[_Features], ratio: float, place: float,
    glossary: Mapping[str, str],
) -> float:  # fmt: skip
    """From 0 (nothing in common) to about 1."""
    left, right = sum(f.length for f in a), sum(f.length for f in b)
    close = math.exp(-1.5 * abs(math.log(max(right, 1) / max(left * ratio, 1))))
    of_a = frozenset[str]().union(*(f.anchors for f in a))
    of_b = frozenset[str]().union(*(f.anchors for f in b))
    shared = len(of_a & of_b)
    smaller = min(len(of_a), len(of_b))
    overlap = shared / smaller if smaller else 0.0
    text_a, text_b = " ".join(f.text for f in a), " ".join(f.text for f in b)
    hits = sum(1 for s, t in glossary.items() if s in text_a and t in text_b)
    anchored = min(1.0, overlap * min(1.0, shared / 2) + 0.35 * hits)
    return 0.35 * close + 0.15 * place + 0.5 * anchored
