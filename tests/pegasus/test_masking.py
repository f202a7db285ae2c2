"""Gap sentences are taken out as the paper says; words are masked as BERT masks them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.pegasus import mask_document, mask_words
from kuaibao.text import StrategyError, select_gap_sentences

DOCUMENT = (
    "Pegasus is a horse of myth. Pegasus the model masks whole sentences of a text. "
    "The model writes the masked sentences of the text. Snow fell on the hills."
)


def test_a_golden_document() -> None:
    masked = mask_document(DOCUMENT, 0.5, "ind-orig")
    assert masked.gaps == (1, 2)
    assert masked.source == "Pegasus is a horse of myth. <mask_1> <mask_1> Snow fell on the hills."
    assert masked.target == (
        "Pegasus the model masks whole sentences of a text. "
        "The model writes the masked sentences of the text."
    )


def test_chinese_sentences_are_joined_without_blanks() -> None:
    masked = mask_document("模型读文本。模型写文本。天下雪。", 0.34, "ind-orig")
    assert masked.source == "模型读文本。<mask_1>天下雪。" or masked.source.count("<mask_1>") == 1
    assert masked.target in ("模型读文本。", "模型写文本。")


@given(
    st.lists(st.sampled_from(["a b", "b c", "c", "", "模型。", "d e f"]), max_size=12),
    st.tuples(st.floats(0, 0.5), st.floats(0.5, 1)),
    st.sampled_from(["random", "lead", "seq-uniq", "ind-orig"]),
    st.integers(0, 99),
)
def test_source_and_target_hold_the_whole_document(
    sentences: list[str], ratio: tuple[float, float], strategy: str, seed: int
) -> None:
    masked = mask_document(sentences, ratio, strategy, noise=0.2, seed=seed)
    assert masked == mask_document(sentences, ratio, strategy, noise=0.2, seed=seed)
    assert masked.source.count("<mask_1>") == len(masked.gaps) >= min(1, len(sentences))
    for i, sentence in enumerate(sentences):
        assert sentence in (masked.target if i in masked.gaps else masked.source)


def test_some_gap_sentences_stay_in_the_source_to_be_copied() -> None:
    sentences = [f"w{i} x{i} y{i % 3}." for i in range(20)]
    plain = mask_document(sentences, 0.5, seed=3)
    assert mask_document(sentences, 0.5, kept_share=1.0, seed=3).source == " ".join(sentences)
    n_mask = [
        mask_document(sentences, 0.5, kept_share=0.2, seed=seed).source.count("<mask_1>")
        for seed in range(100)
    ]
    assert 750 < sum(n_mask) < 850
    kept = mask_document(sentences, 0.5, kept_share=0.2, seed=3)
    assert (kept.target, kept.gaps) == (plain.target, plain.gaps)
    with pytest.raises(StrategyError, match="kept_share"):
        mask_document(sentences, 0.5, kept_share=1.2)


def test_the_choice_is_that_of_the_summariser() -> None:
    sentences = [f"w{i % 3} w{i % 5} w{i % 7}" for i in range(20)]
    assert list(mask_document(sentences, 0.3, "seq-orig").gaps) == select_gap_sentences(
        sentences, 0.3, "seq-orig"
    )
    with pytest.raises(StrategyError):
        mask_document(sentences, 1.2)


def test_fifteen_per_cent_of_the_words_are_disturbed_eighty_ten_ten() -> None:
    n = 20_000
    ids = [200 + i % 50 for i in range(n)]
    starts = [i % 2 == 0 for i in range(n)]
    disturbed, labels = mask_words(
        ids, starts, mask_id=3, draw=lambda g: g.randint(1000, 1100), generator=random.Random(1),
        special_ids=frozenset({200}),
    )  # fmt: skip
    chosen = [i for i in range(n) if labels[i] != -100]
    assert all(labels[i] == ids[i] for i in chosen)
    assert all(disturbed[i] == ids[i] for i in range(n) if labels[i] == -100)
    assert not any(ids[i] == 200 for i in chosen)
    masked = sum(disturbed[i] == 3 for i in chosen) / len(chosen)
    random_share = sum(disturbed[i] >= 1000 for i in chosen) / len(chosen)
    assert 0.13 < len(chosen) / n < 0.17
    assert 0.77 < masked < 0.83
    assert 0.08 < random_share < 0.12
    # whole words: both pieces of a word share its fate (where neither is special)
    for i in range(0, n, 2):
        if 200 not in (ids[i], ids[i + 1]):
            assert (labels[i] == -100) == (labels[i + 1] == -100)
