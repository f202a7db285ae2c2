"""Phrases of an item, and counts of them by month that stay bounded however large the archive."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kuaibao.database import fold
from kuaibao.text import segment_words, stop_words

__all__ = ["MonthlyCounts", "phrases_of"]

MAX_TEXT = 3_000
MAX_PHRASES = 200_000
"""Different phrases held at a time; the rarest go when there are more."""
_PAUSE = re.compile(r"[^\w\s'’+#.-]+|[.](?:\s|$)|\n", re.UNICODE)
_HAN = re.compile("[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


def phrases_of(text: str) -> set[str]:
    """Words and runs of two and three content words; Chinese words and what two or three make."""
    stops = stop_words("en") | stop_words("zh")
    found: set[str] = set()
    for piece in _PAUSE.split(fold(text[:MAX_TEXT])):
        run: list[str] = []
        for word in [*segment_words(piece), ""]:
            if word and word not in stops and _is_content(word):
                run.append(word)
                continue
            found.update(_of_run(run))
            run = []
    return found


def _is_content(word: str) -> bool:
    return len(word) > 1 and _LETTER.search(word) is not None


def _of_run(run: list[str]) -> Iterator[str]:
    for i, word in enumerate(run):
        if len(word) > 2 or _HAN.search(word):
            yield word
        for size in (2, 3):
            part = run[i : i + size]
            if len(part) < size:
                break
            is_chinese = all(_HAN.search(w) for w in part)
            joined = "".join(part)
            if is_chinese and len(joined) <= 8:
                yield joined
            elif not any(_HAN.search(w) for w in part):
                yield " ".join(part)


class MonthlyCounts:
    """In how many items of each month a phrase stands."""

    def __init__(self) -> None:
        self.n_item: Counter[str] = Counter()
        """Month (`2020-06`) → items."""
        self.counts: dict[str, Counter[str]] = {}
        """Phrase → month → items."""

    def add(self, month: str, phrases: set[str]) -> None:
        """Count an item."""
        self.n_item[month] += 1
        for phrase in phrases:
            self.counts.setdefault(phrase, Counter())[month] += 1
        if len(self.counts) > MAX_PHRASES:
            self._drop_rarest()

    def total(self, phrase: str) -> int:
        """In how many items it stands."""
        found = self.counts.get(phrase)
        return found.total() if found else 0

    def _drop_rarest(self) -> None:
        limit = 1
        while len(self.counts) > MAX_PHRASES // 2:
            self.counts = {p: c for p, c in self.counts.items() if c.total() > limit}
            limit += 1

    def distinct(self, least: int) -> list[str]:
        """Phrases in `least` items and more, most first; parts of a longer one of the same items
        left out.
        """
        often = {p: self.total(p) for p in self.counts if self.total(p) >= least}
        hidden: set[str] = set()
        for phrase, n in often.items():
            for part in _parts(phrase):
                if often.get(part, 0) and n >= 0.8 * often[part]:
                    hidden.add(part)
        most = 0.5 * max(1, self.n_item.total())
        kept = [p for p, n in often.items() if p not in hidden and (n <= most or " " in p)]
        return sorted(kept, key=lambda p: (-often[p], p))


def _parts(phrase: str) -> Iterator[str]:
    words = phrase.split(" ")
    for size in range(1, len(words)):
        for i in range(len(words) - size + 1):
            yield " ".join(words[i : i + size])
    if len(words) == 1 and _HAN.search(phrase):
        for size in range(2, len(phrase)):
            for i in range(len(phrase) - size + 1):
                yield phrase[i : i + size]
