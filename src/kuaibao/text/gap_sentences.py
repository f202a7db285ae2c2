"""Gap sentences: the sentences that best stand for the rest of a document (PEGASUS, section 3.1).

A choice S of a document D scores ROUGE-1 F1 between S and D without S. Let c(w) be how often the
word w stands in D and s(w) how often in S. Then

- *Orig* counts a multiset: overlap = Σ min(s(w), c(w) - s(w)), and the two sides together hold
  always |D| words, so F1 = 2 · overlap / |D|;
- *Uniq* counts a set: overlap = the words that stand on both sides, and the two sides together
  hold V + overlap different words, so F1 = 2 · overlap / (V + overlap).

Both grow with the overlap alone: choices are compared as integers, and ties, which floating point
would decide by chance, are real ties. They go to the later sentence, as in the authors' code. The
overlap is a sum of concave functions of S, hence submodular: what a sentence adds never grows while
the choice grows. The greedy *Seq* strategies therefore keep old gains in a heap as upper bounds
(Minoux 1978) and renew only the top, which gives exactly the choice of the full search.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from kuaibao.errors import did_you_mean
from kuaibao.text.errors import StrategyError
from kuaibao.text.words import words

__all__ = [
    "DEFAULT_RATIO",
    "STRATEGIES",
    "check_strategy",
    "count_gap_sentences",
    "score_sentences",
    "select_gap_sentences",
]

STRATEGIES = ("ind-orig", "ind-uniq", "lead", "random", "seq-orig", "seq-uniq")
DEFAULT_RATIO = 0.3
"""The gap-sentence ratio of the paper's large model."""

Counts = Mapping[str, int]


def select_gap_sentences(
    sentences: Sequence[str],
    ratio: float | None = None,
    strategy: str = "ind-orig",
    *,
    n_sentences: int | None = None,
    noise: float = 0.0,
    seed: int = 0,
    tokenize: Callable[[str], list[str]] = words,
) -> list[int]:
    """Indices of the chosen sentences, in document order.

    Chosen are min(n, max(1, int(n · ratio))) of n sentences, or `n_sentences` if that is given.

    Args:
        sentences: The document; English, Chinese or both.
        ratio: Gap-sentence ratio from 0 to 1; 0.3 if neither it nor `n_sentences` is given.
        strategy: `random`, `lead`, `ind-orig`, `ind-uniq`, `seq-orig` or `seq-uniq`.
        n_sentences: How many to choose; at most all.
        noise: Each sentence's score (in *Seq* what it adds) is multiplied by 1 + u with u uniform
            in [-noise, noise]: 0.2 for the paper's stochastic model.
        seed: Of `random` and of the noise.
        tokenize: A sentence's words.

    Raises:
        StrategyError: Unknown strategy; ratio, number or noise out of range; or both ratio and
            number given.
    """
    check_strategy(strategy)
    if not 0.0 <= noise < 1.0:
        raise StrategyError(f"noise is a share from 0 to below 1, got {noise}")
    n = len(sentences)
    wanted = count_gap_sentences(n, ratio, n_sentences)
    if wanted == n:
        return list(range(n))
    if strategy == "lead":
        return list(range(wanted))
    if strategy == "random":
        return sorted(random.Random(seed).sample(range(n), wanted))
    factors = _disturbances(n, noise, seed) if noise else None
    manner, counting = strategy.split("-")
    bags, total = _count(sentences, counting == "uniq", tokenize)
    if manner == "ind":
        return _best(_gains_alone(bags, total, counting == "uniq"), factors, wanted)
    return _greedy(bags, total, counting == "uniq", factors, wanted)


def score_sentences(
    sentences: Sequence[str],
    strategy: str = "ind-orig",
    *,
    tokenize: Callable[[str], list[str]] = words,
) -> list[float]:
    """ROUGE-1 F1 of each sentence alone against the rest of the document.

    Args:
        sentences: The document.
        strategy: `ind-orig` or `ind-uniq`.
        tokenize: A sentence's words.

    Raises:
        StrategyError: Another strategy.
    """
    if strategy not in ("ind-orig", "ind-uniq"):
        raise StrategyError(f"{strategy!r} gives single sentences no score of their own")
    unique = strategy == "ind-uniq"
    bags, total = _count(sentences, unique, tokenize)
    n_word = len(total) if unique else sum(total.values())
    overlaps = _gains_alone(bags, total, unique)
    return [2 * o / (n_word + o * unique) if o else 0.0 for o in overlaps]


def count_gap_sentences(n: int, ratio: float | None = None, n_sentences: int | None = None) -> int:
    """How many of `n` sentences are chosen.

    Raises:
        StrategyError: Ratio or number out of range, or both given.
    """
    if ratio is not None and n_sentences is not None:
        raise StrategyError("give a ratio or a number of sentences, not both")
    if n_sentences is not None:
        if n_sentences < 1:
            raise StrategyError(f"at least one sentence must be chosen, got {n_sentences}")
        return min(n, n_sentences)
    share = DEFAULT_RATIO if ratio is None else ratio
    if math.isnan(share) or not 0.0 <= share <= 1.0:
        raise StrategyError(f"the ratio is a share from 0 to 1, got {share}")
    return min(n, max(1, int(n * share)))


def check_strategy(strategy: str) -> None:
    """Raise `StrategyError` with the nearest names unless the strategy exists."""
    if strategy not in STRATEGIES:
        raise StrategyError(
            f"unknown strategy {strategy!r}", hint=did_you_mean(strategy, STRATEGIES)
        )


def _count(
    sentences: Sequence[str], unique: bool, tokenize: Callable[[str], list[str]]
) -> tuple[list[dict[str, int]], Counter[str]]:
    """Each sentence's words, and the document's; with `unique` a sentence has a word once."""
    found = [tokenize(sentence) for sentence in sentences]
    bags = [dict.fromkeys(bag, 1) for bag in found] if unique else list(map(_bag, found))
    # Counting one long list is C; adding up the bags would be Python.
    return bags, Counter(chain.from_iterable(bags if unique else found))


def _bag(words_of_one: list[str]) -> dict[str, int]:
    """How often each word stands in one sentence: on so few quicker than a `Counter`."""
    bag: dict[str, int] = {}
    for word in words_of_one:
        bag[word] = bag.get(word, 0) + 1
    return bag


def _gains_alone(bags: list[dict[str, int]], total: Counts, unique: bool) -> list[int]:
    """Each sentence's overlap with the rest."""
    if unique:
        shared = {word for word, n in total.items() if n > 1}
        return [len(shared.intersection(bag)) for bag in bags]
    gains: list[int] = []
    for bag in bags:
        gain = 0
        for word, n in bag.items():
            rest = total[word] - n
            gain += n if n <= rest else rest
        gains.append(gain)
    return gains


def _disturbances(n: int, noise: float, seed: int) -> list[float]:
    generator = random.Random(seed)
    return [1.0 + generator.uniform(-noise, noise) for _ in range(n)]


def _best(gains: list[int], factors: list[float] | None, wanted: int) -> list[int]:
    keys = gains if factors is None else [g * f for g, f in zip(gains, factors, strict=True)]
    # A stable sort leaves the later sentence of a tie last, where the best ones are.
    return sorted(sorted(range(len(keys)), key=keys.__getitem__)[-wanted:])


def _greedy(
    bags: list[dict[str, int]],
    total: Counts,
    unique: bool,
    factors: list[float] | None,
    wanted: int,
) -> list[int]:
    """Add, `wanted` times, the sentence that raises the overlap most; ties to the later one."""
    taken: dict[str, int] = dict.fromkeys(total, 0)
    gain = _gain_of_sets if unique else _gain_of_multisets
    alone = _gains_alone(bags, total, unique)
    weight = factors or [1] * len(bags)
    # Rounds count up with the choice: a gain computed in this round is exact, an older one a bound.
    heap = [(-g * weight[i], -i, 0) for i, g in enumerate(alone)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while len(chosen) < wanted:
        _, negative, computed = heap[0]
        index = -negative
        if computed == len(chosen):
            heapq.heappop(heap)
            chosen.append(index)
            for word, n in bags[index].items():
                taken[word] += n
        else:
            exact = gain(bags[index], taken, total) * weight[index]
            heapq.heapreplace(heap, (-exact, negative, len(chosen)))
    return sorted(chosen)


def _gain_of_multisets(bag: Counts, taken: Counts, total: Counts) -> int:
    """By how much Σ min(s, c - s) grows when the bag joins the choice."""
    gain = 0
    for word, n in bag.items():
        s, c = taken[word], total[word]
        after = s + n
        if 2 * after <= c:
            gain += n
        elif 2 * s >= c:
            gain -= n
        else:
            gain += c - after - s
    return gain


def _gain_of_sets(bag: Counts, taken: Counts, total: Counts) -> int:
    """By how much the number of words on both sides grows when the bag joins the choice.

    `total` and `taken` count sentences that hold a word: it is on both sides while
    0 < taken < total.
    """
    gain = 0
    for word in bag:
        s, c = taken[word], total[word]
        if s == 0:
            gain += c > 1
        elif s + 1 == c:
            gain -= 1
    return gain
