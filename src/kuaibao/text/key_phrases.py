"""Key phrases: runs of content words, scored by how often and how early they stand.

Rose et al. (2010), "Automatic keyword extraction from individual documents" (RAKE): candidates are
runs between stop words and punctuation; a word's weight is its degree over its frequency. A phrase
counts for its number of occurrences, so that a hapax of four words does not win.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from kuaibao.text.words import han_share, has_han

__all__ = ["KeyPhrase", "key_phrases", "segment_words", "stop_words"]

N_READ = 200_000
"""Characters that are looked at."""

_WORD = re.compile(r"[^\W_][\w'’+#.-]*[\w+#]|[^\W_]", re.UNICODE)
_PAUSE = re.compile(r"[.,;:!?()\[\]{}\"“”。，；：！？、（）《》「」『』…/|<>=\n]+")


@dataclass(frozen=True)
class KeyPhrase:
    """A phrase as it is written most often, with its score (largest first) and count."""

    text: str
    score: float
    n_occurrence: int


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words without content, `en` or `zh`; empty for other languages."""
    path = files("kuaibao.text").joinpath("stopwords", f"{language}.txt")
    return frozenset(path.read_text(encoding="utf-8").split()) if path.is_file() else frozenset()


def segment_words(text: str) -> list[str]:
    """Words in order: Chinese by rjieba's dictionary, other scripts by their letters."""
    if not has_han(text):
        return _WORD.findall(text)
    import rjieba

    return [word for word in rjieba.cut(text) if _WORD.fullmatch(word)]


def key_phrases(text: str, *, n: int = 10) -> list[KeyPhrase]:
    """The n best phrases, English or Chinese.

    Args:
        text: The document; the first 200,000 characters count.
        n: How many.
    """
    text = text[:N_READ]
    is_chinese = han_share(text) >= 0.3
    runs = list(_runs(text, is_chinese))
    if not runs:
        return []
    frequency, degree = Counter[str](), Counter[str]()
    for _, run in runs:
        for word in run:
            frequency[word.lower()] += 1
            degree[word.lower()] += len(run)
    spelled: dict[str, Counter[str]] = {}
    first: dict[str, int] = {}
    alone: dict[str, bool] = {}
    for at, run in runs:
        for phrase, stands_alone in _candidates(run, is_chinese):
            key = phrase.lower()
            alone[key] = alone.get(key, False) or stands_alone
            spelled.setdefault(key, Counter())[phrase] += 1
            first.setdefault(key, at)
    ranked = [
        _scored(key, forms, first[key] / len(text), frequency, degree, is_chinese)
        for key, forms in spelled.items()
        if alone[key] or forms.total() > 1
    ]
    ranked.sort(key=lambda p: (-p.score, p.text))
    return _distinct(ranked, n)


def _runs(text: str, is_chinese: bool) -> Iterator[tuple[int, list[str]]]:
    """Content words between stop words and punctuation, with where they begin."""
    stops = stop_words("en") | stop_words("zh")
    at = 0
    for piece in _pieces(text):
        run: list[str] = []
        for word in segment_words(piece):
            too_short = len(word) < 2 and not (is_chinese and word.isascii() and word.isupper())
            if word.lower() in stops or too_short or word.replace(".", "").isdigit():
                if run:
                    yield at, run
                run = []
            else:
                run.append(word)
        if run:
            yield at, run
        at += len(piece) + 1


def _pieces(text: str) -> list[str]:
    return _PAUSE.split(text)


def _candidates(run: list[str], is_chinese: bool) -> Iterator[tuple[str, bool]]:
    """Phrases of a run, and whether each is the whole run.

    Runs of up to four words, and the words, pairs and triples within; in Chinese words and pairs.
    """
    if not is_chinese and len(run) <= 4:
        yield " ".join(run), True
    for size in (1, 2) if is_chinese else (1, 2, 3):
        for i in range(len(run) - size + 1):
            part = run[i : i + size]
            if is_chinese:
                if size > 1 or len(part[0]) >= 2:
                    yield (part[0] if size == 1 else _join(*part)), True
            elif size < len(run) and (size > 1 or len(part[0]) > 3):
                yield " ".join(part), size == 1


def _join(a: str, b: str) -> str:
    return f"{a} {b}" if a[-1].isascii() and b[0].isascii() else a + b


def _scored(
    key: str,
    forms: Counter[str],
    place: float,
    frequency: Counter[str],
    degree: Counter[str],
    is_chinese: bool,
) -> KeyPhrase:
    n_occurrence = forms.total()
    words = key.split() if not is_chinese else [w for w in frequency if w in key]
    weight = sum(degree[w] / frequency[w] for w in words if frequency[w]) / max(1, len(words))
    length = math.sqrt(max(1, len(key.split()) if not is_chinese else len(key) / 2))
    score = n_occurrence * length * math.log2(1 + weight) * (1.5 - place)
    return KeyPhrase(min(forms, key=lambda f: (-forms[f], f)), score, n_occurrence)


def _distinct(ranked: list[KeyPhrase], n: int) -> list[KeyPhrase]:
    """Leave out what is part of a better phrase, or holds one that occurs as often."""
    chosen: list[KeyPhrase] = []
    for phrase in ranked:
        key = phrase.text.lower()
        if any(key in c.text.lower() or c.text.lower() in key for c in chosen):
            continue
        chosen.append(phrase)
        if len(chosen) == n:
            break
    return chosen
