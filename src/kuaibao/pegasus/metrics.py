"""How good a summary is, beyond ROUGE: length, novelty, extractiveness, repetition, faithfulness.

Coverage and density are those of Grusky et al. 2018 (Newsroom, section 4): the shares of summary
words that stand in, and the mean squared length of, fragments taken from the source word by word.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kuaibao.text import (
    names_in,
    ngrams,
    numbers_in,
    rouge,
    sentence_texts,
    unsupported_names,
    unsupported_numbers,
    words,
)

__all__ = ["Interval", "bootstrap", "fragments", "measure_summary", "summarize_figures"]

N_RESAMPLE = 1_000
"""Of the original ROUGE script."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the ends of its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def measure_summary(
    summary: str, *, reference: str = "", document: str = "", use_stemmer: bool = False
) -> dict[str, float]:
    """All figures of one summary; those that need a reference or a document only with it.

    Args:
        summary: What was written.
        reference: What a person wrote: gives `rouge1`, `rouge2`, `rougeLsum` (F1).
        document: The source: gives `novelty_unigrams`, `novelty` (of bigrams), `coverage`,
            `density`, and `faithful_numbers`, `faithful_names` and `faithfulness` of both (shares
            that stand in the source; 1 without any).
        use_stemmer: English words by their stems, as the paper scores.
    """
    found = words(summary)
    figures: dict[str, float] = {
        "n_words": float(len(found)),
        "repetition": _repetition(found),
    }
    if reference:
        scores = rouge(
            "\n".join(sentence_texts(reference)),
            "\n".join(sentence_texts(summary)),
            ("rouge1", "rouge2", "rougeLsum"),
            use_stemmer=use_stemmer,
        )
        figures.update({kind: score.f1 for kind, score in scores.items()})
    if document:
        figures.update(_against_source(summary, found, document))
    return figures


def _against_source(summary: str, found: list[str], document: str) -> dict[str, float]:
    source = words(document)
    lengths = fragments(source, found)
    n = max(1, len(found))
    n_number, n_name = len({v for v, _ in numbers_in(summary)}), len(set(names_in(summary)))
    wrong_numbers = len(unsupported_numbers(summary, document))
    wrong_names = len(unsupported_names(summary, document))
    return {
        "novelty_unigrams": _novelty(found, source, 1),
        "novelty": _novelty(found, source, 2),
        "coverage": sum(lengths) / n,
        "density": sum(length * length for length in lengths) / n,
        "faithful_numbers": _share(wrong_numbers, n_number),
        "faithful_names": _share(wrong_names, n_name),
        "faithfulness": _share(wrong_numbers + wrong_names, n_number + n_name),
    }


def fragments(source: Sequence[str], summary: Sequence[str]) -> list[int]:
    """Lengths of the runs that the summary shares with its source, the longest first found.

    The greedy matching of the Newsroom paper (figure 1), with an index of the source's words
    instead of a scan for each.
    """
    places: dict[str, list[int]] = {}
    for i, word in enumerate(source):
        places.setdefault(word, []).append(i)
    lengths: list[int] = []
    at = 0
    while at < len(summary):
        best = 0
        for start in places.get(summary[at], ()):
            length = 1
            while (
                at + length < len(summary)
                and start + length < len(source)
                and summary[at + length] == source[start + length]
            ):
                length += 1
            best = max(best, length)
        if best:
            lengths.append(best)
        at += max(1, best)
    return lengths


def bootstrap(values: Sequence[float], *, n_resample: int = N_RESAMPLE, seed: int = 0) -> Interval:
    """Mean and 95 % percentile interval by resampling.

    Raises:
        ValueError: No values.
    """
    if not values:
        raise ValueError("no values to average")
    generator = random.Random(seed)
    n = len(values)
    means = sorted(sum(generator.choices(values, k=n)) / n for _ in range(n_resample))
    return Interval(
        sum(values) / n, means[int(0.025 * n_resample)], means[int(0.975 * n_resample) - 1]
    )


def summarize_figures(rows: Sequence[Mapping[str, float]], *, seed: int = 0) -> dict[str, Interval]:
    """The mean of each figure over all summaries, with its interval."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {n: bootstrap([row[n] for row in rows if n in row], seed=seed) for n in names}


def _novelty(summary: list[str], source: list[str], n: int) -> float:
    grams = set(ngrams(summary, n))
    return len(grams - set(ngrams(source, n))) / len(grams) if grams else 0.0


def _repetition(found: list[str]) -> float:
    """Share of trigrams that stand in the summary already."""
    grams = ngrams(found, 3)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def _share(n_wrong: int, n: int) -> float:
    return 1 - n_wrong / n if n else 1.0
