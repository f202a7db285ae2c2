"""Choosing gap sentences: ours against the same choice made with `rouge_score`, in one run.

    python benchmarks/pegasus/selection.py [--small]

Prints documents a second for documents of 30 and 100 sentences (in turns, medians), the ratio, and
how our own time grows with the number of sentences. The two choices are compared, ties by the later
sentence.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from statistics import median

from rouge_score import rouge_scorer

from kuaibao.text import count_gap_sentences, select_gap_sentences

STRATEGIES = ("ind-orig", "seq-orig")


def document(n_sentence: int, seed: int) -> list[str]:
    """Sentences of 8 to 30 words with frequencies as in a language (Zipf)."""
    generator = random.Random(seed)
    return [
        " ".join(f"w{int(generator.paretovariate(0.9))}" for _ in range(generator.randint(8, 30)))
        for _ in range(n_sentence)
    ]


def by_rouge_score(sentences: list[str], strategy: str) -> list[int]:
    """The plain way: every candidate is scored against the rest by the peer."""
    wanted = count_gap_sentences(len(sentences), 0.3)
    scorer = rouge_scorer.RougeScorer(["rouge1"])

    def score(chosen: set[int]) -> float:
        inside = " ".join(s for i, s in enumerate(sentences) if i in chosen)
        rest = " ".join(s for i, s in enumerate(sentences) if i not in chosen)
        return round(float(scorer.score(rest, inside)["rouge1"].fmeasure), 12)

    everything = range(len(sentences))
    if strategy == "ind-orig":
        return sorted(sorted(everything, key=lambda i: (score({i}), i), reverse=True)[:wanted])
    chosen: set[int] = set()
    while len(chosen) < wanted:
        chosen.add(
            max((i for i in everything if i not in chosen), key=lambda i: (score(chosen | {i}), i))
        )
    return sorted(chosen)


def timed(
    choose: Callable[[list[str], str], list[int]], sentences: list[str], strategy: str, repeat: int
) -> tuple[float, list[int]]:
    """CPU seconds of one choice, and the choice."""
    start = time.process_time()
    for _ in range(repeat - 1):
        choose(sentences, strategy)
    chosen = choose(sentences, strategy)
    return (time.process_time() - start) / repeat, chosen


def ours(sentences: list[str], strategy: str) -> list[int]:
    """The choice of kuaibao.text."""
    return select_gap_sentences(sentences, 0.3, strategy)


def main() -> None:
    """Compare, then print one line for each strategy and length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="documents of 10 and 20 sentences")
    for n in (10, 20) if parser.parse_args().small else (30, 100):
        sentences = document(n, seed=n)
        for strategy in STRATEGIES:
            rounds = [
                (timed(by_rouge_score, sentences, strategy, repeat=1),
                 timed(ours, sentences, strategy, repeat=200))
                for _ in range(9 if strategy == "ind-orig" else 1)
            ]  # fmt: skip
            slow, fast = (median(took[i][0] for took in rounds) for i in (0, 1))
            theirs, chosen = (rounds[0][i][1] for i in (0, 1))
            print(
                f"{strategy:9} {n:6} sentences: ours {1 / fast:8.0f} documents/s, rouge_score "
                f"{1 / slow:8.2f}, ratio {slow / fast:6.0f}x, same choice: {chosen == theirs}"
            )
    for n in (100, 1_000, 10_000):
        took, _ = timed(ours, document(n, seed=n), "seq-orig", repeat=1)
        print(f"seq-orig  {n:6} sentences: {took * 1e6 / n:6.1f} µs a sentence")


if __name__ == "__main__":
    main()
