"""The fast choice is the naive one, computed with rouge_score and exact fractions."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.text import (
    STRATEGIES,
    StrategyError,
    count_gap_sentences,
    score_sentences,
    select_gap_sentences,
    words,
)

WORDS = ["the", "model", "writes", "gap", "sentences", "模", "型", "a", "of", "text"]
documents = st.lists(
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), min_size=1, max_size=9
)


def naive_f1(chosen: list[str], rest: list[str], unique: bool) -> Fraction:
    """ROUGE-1 F1 as section 3.1 of the paper defines it, in fractions, so that ties are ties."""
    a, b = (Counter(w for s in side for w in words(s)) for side in (chosen, rest))
    if unique:
        # Each sentence counts a word once (the n-gram set of the paper's Uniq).
        a, b = Counter(dict.fromkeys(a, 1)), Counter(dict.fromkeys(b, 1))
    overlap, total = (a & b).total(), a.total() + b.total()
    return Fraction(2 * overlap, total) if total else Fraction(0)


def naive(sentences: list[str], wanted: int, strategy: str) -> list[int]:
    unique = strategy.endswith("uniq")

    def score(chosen: set[int]) -> Fraction:
        inside = [s for i, s in enumerate(sentences) if i in chosen]
        return naive_f1(inside, [s for i, s in enumerate(sentences) if i not in chosen], unique)

    n = range(len(sentences))
    if strategy.startswith("ind"):
        return sorted(sorted(n, key=lambda i: (score({i}), i), reverse=True)[:wanted])
    chosen: set[int] = set()
    while len(chosen) < wanted:
        chosen.add(max((i for i in n if i not in chosen), key=lambda i: (score(chosen | {i}), i)))
    return sorted(chosen)


@given(documents, st.sampled_from([s for s in STRATEGIES if "-" in s]), st.integers(1, 9))
def test_the_fast_choice_is_the_naive_one(sentences: list[str], strategy: str, wanted: int) -> None:
    wanted = min(wanted, len(sentences))
    found = select_gap_sentences(sentences, strategy=strategy, n_sentences=wanted)
    assert found == naive(sentences, wanted, strategy)


def test_scores_are_those_of_rouge_score() -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = rouge_scorer.RougeScorer(["rouge1"])
    generator = random.Random(7)
    for _ in range(30):
        sentences = [
            " ".join(f"w{int(generator.expovariate(0.1))}" for _ in range(generator.randint(1, 20)))
            for _ in range(12)
        ]
        ours = score_sentences(sentences, "ind-orig")
        for i, sentence in enumerate(sentences):
            rest = " ".join(sentences[:i] + sentences[i + 1 :])
            assert ours[i] == pytest.approx(scorer.score(rest, sentence)["rouge1"].fmeasure)


def test_a_choice_made_with_rouge_score_is_ours() -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = rouge_scorer.RougeScorer(["rouge1"])
    generator = random.Random(3)
    sentences = [
        " ".join(f"w{int(generator.expovariate(0.05))}" for _ in range(generator.randint(5, 25)))
        for _ in range(20)
    ]
    chosen: list[int] = []
    for _ in range(6):

        def score(i: int) -> float:
            mine = [s for j, s in enumerate(sentences) if j in chosen or j == i]
            rest = [s for j, s in enumerate(sentences) if j not in chosen and j != i]
            f1 = scorer.score(" ".join(rest), " ".join(mine))["rouge1"].fmeasure
            return round(float(f1), 12)

        chosen.append(max((i for i in range(20) if i not in chosen), key=lambda i: (score(i), i)))
    assert select_gap_sentences(sentences, ratio=0.3, strategy="seq-orig") == sorted(chosen)


@given(st.integers(0, 500), st.floats(0, 1))
def test_the_number_follows_the_ratio(n: int, ratio: float) -> None:
    assert count_gap_sentences(n, ratio) == min(n, max(1, int(n * ratio)))


@given(documents, st.sampled_from(STRATEGIES), st.floats(0, 1))
def test_a_choice_is_sorted_without_repeats_and_of_the_right_size(
    sentences: list[str], strategy: str, ratio: float
) -> None:
    found = select_gap_sentences(sentences, ratio=ratio, strategy=strategy, seed=5, noise=0.2)
    assert found == sorted(set(found))
    assert len(found) == count_gap_sentences(len(sentences), ratio)
    again = select_gap_sentences(sentences, ratio=ratio, strategy=strategy, seed=5, noise=0.2)
    assert found == again


def test_odd_documents() -> None:
    for strategy in STRATEGIES:
        assert select_gap_sentences([], 0.3, strategy) == []
        assert select_gap_sentences(["only one"], 0.3, strategy) == [0]
        assert len(select_gap_sentences(["the same"] * 10, 0.3, strategy)) == 3
        assert len(select_gap_sentences(["", "？", "!!!"] * 5, 0.2, strategy)) == 3
    assert select_gap_sentences(["a b"] * 10, 0.2, "seq-orig") == [8, 9]
    assert select_gap_sentences(list("abcdefghij"), 0.3, "lead") == [0, 1, 2]


def test_a_hundred_thousand_sentences() -> None:
    generator = random.Random(1)
    sentences = [
        f"w{generator.randint(0, 5000)} w{int(generator.expovariate(0.01))}" for _ in range(100_000)
    ]
    assert len(select_gap_sentences(sentences, 0.15, "seq-uniq")) == 15_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strategy": "ind-orgi"}, "ind-orig"),
        ({"ratio": 1.5}, "from 0 to 1"),
        ({"ratio": float("nan")}, "from 0 to 1"),
        ({"n_sentences": 0}, "at least one"),
        ({"ratio": 0.2, "n_sentences": 2}, "not both"),
        ({"noise": 1.0}, "noise"),
    ],
)
def test_wrong_settings_say_what_is_wrong(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        select_gap_sentences(["a", "b"], **arguments)  # type: ignore[arg-type]
    assert issubclass(StrategyError, ValueError)
