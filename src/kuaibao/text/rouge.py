"""ROUGE-1, -2, -L and -Lsum, equal to Google's `rouge_score`, and by characters for Chinese.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries". Own code, because the base
install has no `rouge_score` and because that package drops Chinese; a test holds them equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kuaibao.text.words import stemmed_words, words

__all__ = ["ROUGE_KINDS", "RougeScore", "ngrams", "rouge", "rouge_l", "rouge_lsum", "rouge_n"]

ROUGE_KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")


@dataclass(frozen=True, slots=True)
class RougeScore:
    """Precision, recall and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float
    f1: float


def ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """All runs of `n` tokens, in order.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"an n-gram has at least one word, got n = {n}")
    return list(zip(*(tokens[i:] for i in range(n)), strict=False))


def rouge(
    reference: str,
    prediction: str,
    kinds: Sequence[str] = ROUGE_KINDS,
    *,
    use_stemmer: bool = False,
) -> dict[str, RougeScore]:
    """Scores of `prediction` against `reference`, by kind.

    Args:
        reference: The wanted text; for `rougeLsum` one sentence a line.
        prediction: The text to score, likewise.
        kinds: `rouge1` to `rouge9`, `rougeL`, `rougeLsum`.
        use_stemmer: Cut English words by Porter's rules first, as the PEGASUS paper does.

    Raises:
        ValueError: An unknown kind.
    """
    tokenize = stemmed_words if use_stemmer else words
    pair = (tokenize(reference), tokenize(prediction))
    scores: dict[str, RougeScore] = {}
    for kind in kinds:
        if kind == "rougeL":
            scores[kind] = rouge_l(*pair)
        elif kind == "rougeLsum":
            scores[kind] = rouge_lsum(_lines(reference, tokenize), _lines(prediction, tokenize))
        elif kind[:5] == "rouge" and kind[5:].isdigit() and 1 <= int(kind[5:]) <= 9:
            scores[kind] = rouge_n(*pair, n=int(kind[5:]))
        else:
            raise ValueError(
                f"unknown kind of ROUGE {kind!r}; known: rouge1 … rouge9, rougeL, rougeLsum"
            )
    return scores


def rouge_n(reference: Sequence[str], prediction: Sequence[str], *, n: int) -> RougeScore:
    """Overlap of n-grams, each counted at most as often as the other side has it."""
    wanted, given = Counter(ngrams(reference, n)), Counter(ngrams(prediction, n))
    overlap = (wanted & given).total()
    return _score(overlap, max(given.total(), 1), max(wanted.total(), 1))


def rouge_l(reference: Sequence[str], prediction: Sequence[str]) -> RougeScore:
    """Longest common subsequence of the two texts."""
    if not reference or not prediction:
        return RougeScore(0.0, 0.0, 0.0)
    length = _lcs_length(reference, prediction)
    return _score(length, len(prediction), len(reference))


def rouge_lsum(
    reference: Sequence[Sequence[str]], prediction: Sequence[Sequence[str]]
) -> RougeScore:
    """LCS by sentences: what each reference sentence shares with any sentence of the prediction.

    A word counts at most as often as either text has it.
    """
    n_reference, n_prediction = sum(map(len, reference)), sum(map(len, prediction))
    if n_reference == 0 or n_prediction == 0:
        return RougeScore(0.0, 0.0, 0.0)
    left_in_reference = Counter(word for line in reference for word in line)
    left_in_prediction = Counter(word for line in prediction for word in line)
    hits = 0
    for line in reference:
        places = set[int]().union(*(_lcs_places(line, other) for other in prediction))
        for place in sorted(places):
            word = line[place]
            if left_in_reference[word] > 0 and left_in_prediction[word] > 0:
                hits += 1
                left_in_reference[word] -= 1
                left_in_prediction[word] -= 1
    return _score(hits, n_prediction, n_reference)


def _lines(text: str, tokenize: Callable[[str], list[str]]) -> list[list[str]]:
    return [tokenize(line) for line in text.split("\n") if line]


def _score(overlap: int, n_prediction: int, n_reference: int) -> RougeScore:
    precision, recall = overlap / n_prediction, overlap / n_reference
    total = precision + recall
    return RougeScore(precision, recall, 2 * precision * recall / total if total > 0 else 0.0)


def _lcs_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length by bits (Hyyrö 2004): one big-integer step for each word of `b`."""
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        match = row & places.get(word, 0)
        row = (row + match | row - match) & full
    return len(a) - row.bit_count()


def _lcs_places(a: Sequence[str], b: Sequence[str]) -> list[int]:
    """Places in `a` of the one longest common subsequence that `rouge_score` picks."""
    if not a or not b:
        return []
    table = [[0] * (len(b) + 1)]
    for word in a:
        above, row = table[-1], [0]
        for j, other in enumerate(b):
            row.append(above[j] + 1 if word == other else max(above[j + 1], row[j]))
        table.append(row)
    i, j = len(a), len(b)
    places: list[int] = []
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places
