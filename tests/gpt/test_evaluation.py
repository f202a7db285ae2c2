"""Bits a byte, n-grams, few-shot scoring and overlaps agree with what can be worked out by hand."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from small import TEXT, small_model

from kuaibao.errors import InputError
from kuaibao.gpt.documents import Document
from kuaibao.gpt.evaluation import bits_of_tokens, evaluate_text
from kuaibao.gpt.few_shot import (
    Choice,
    build_prompt,
    evaluate_choices,
    find_overlaps,
    option_scores,
    read_choices,
)
from kuaibao.gpt.ngrams import KneserNey
from kuaibao.transformer import log_probabilities


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    model, words = small_model(tmp_path_factory.mktemp("m"), n_positions=16)
    return model.eval(), words


@given(st.lists(st.integers(0, 6), min_size=6, max_size=60), st.integers(1, 4))
@settings(deadline=None)
def test_the_probabilities_of_n_grams_sum_to_one(tokens, n):
    model = KneserNey(np.array(tokens), 7, n)
    for context in ([], tokens[:3], [6, 6, 6]):
        base = model.bits_of(np.array(context, dtype=np.int64)) if context else 0.0
        total = sum(2 ** (base - model.bits_of(np.array([*context, w]))) for w in range(7))
        assert total == pytest.approx(1.0, abs=1e-9)


def test_bigrams_by_hand():
    # a b a b a c: continuation counts a: {b}, b: {a}, c: {a}; D1 = 1 (→ 0.99), D2 = 1/3.
    model = KneserNey(np.array([0, 1, 0, 1, 0, 2]), 3, 2)
    unigram = [(1 - 0.99) / 3 + 0.99 / 3] * 3
    discount = 1 / (1 + 2 * 2)
    expected = (2 - discount) / 3 + discount * 2 / 3 * unigram[1]
    found = 2 ** (model.bits_of(np.array([0])) - model.bits_of(np.array([0, 1])))
    assert found == pytest.approx(expected)


def test_more_context_predicts_repetition_better():
    stream = np.array([1, 2, 3, 4, 1, 2, 5, 6] * 60)
    bits = [KneserNey(stream[:240], 8, n).bits_of(stream[240:]) for n in (1, 2, 3)]
    assert bits[0] > bits[1] > bits[2]
    with pytest.raises(InputError, match="63 bits"):
        KneserNey(stream, 50_000, 5)
    with pytest.raises(InputError, match="too few"):
        KneserNey(stream[:3], 8, 5)


def test_every_token_is_scored_once_with_its_context(small):
    model, words = small
    for n in (1, 5, 15, 16, 17, 24, 25, 90):
        stream = np.random.default_rng(n).integers(0, words.vocab_size, n)
        whole = bits_of_tokens(model, stream, words.eos_id)
        if n <= 15:
            expected = -sum(log_probabilities(model, [words.eos_id, *stream])) / math.log(2)
            assert whole == pytest.approx(expected, rel=1e-5)
        assert whole == pytest.approx(n * math.log2(words.vocab_size), rel=0.05)


def test_figures_of_a_text(small):
    model, words = small
    documents = [Document(text) for text in TEXT * 3]
    figures = evaluate_text(model, words, documents, documents)
    assert figures.n_byte == sum(len(t.encode()) for t in TEXT * 3)
    assert figures.kneser_ney < figures.xz
    assert figures.perplexity == pytest.approx(words.vocab_size, rel=0.1)
    assert evaluate_text(model, words, documents).kneser_ney is None
    with pytest.raises(InputError, match="no held-out"):
        evaluate_text(model, words, [])


def test_scores_are_log_probabilities_by_each_normalisation(small):
    model, words = small
    question = Choice("a dog", (" ran", " sat on"), 1, "A:")
    scores = option_scores(model, words, "a dog", question)

    def log_probability(context, text):
        before, own = [words.eos_id, *words.encode(context)], words.encode(text)
        return sum(log_probabilities(model, [*before, *own])[len(before) - 1 :]), len(own)

    for i, option in enumerate(question.options):
        total, n = log_probability("a dog", option)
        assert scores["sum"][i] == pytest.approx(total, abs=1e-4)
        assert scores["token"][i] == pytest.approx(total / n, abs=1e-4)
        assert scores["byte"][i] == pytest.approx(total / len(option), abs=1e-4)
        alone, _ = log_probability("A:", option)
        assert scores["unconditional"][i] == pytest.approx(total - alone, abs=1e-4)


def test_examples_come_from_the_training_split_and_never_from_the_question(small):
    model, words = small
    questions = [Choice(f"q{i}:", (" a", " b"), i % 2) for i in range(4)]
    assert build_prompt(questions[:2], questions[2]) == "q0: a\n\nq1: b\n\nq2:"
    figures = evaluate_choices(
        model, words, questions, n_shot=3, seed=1, overlaps=[True] * 3 + [False]
    )
    assert (figures.n, figures.n_shot, figures.chance, figures.n_clean) == (4, 3, 0.5, 1)
    again = evaluate_choices(model, words, questions, n_shot=3, seed=1)
    assert again.accuracy == figures.accuracy
    with pytest.raises(InputError, match="there are 3"):
        evaluate_choices(model, words, questions, n_shot=4)


def test_a_model_that_knows_is_right(small):
    model, words = small

    class Knows:
        config, device = model.config, torch.device("cpu")

        def __call__(self, ids):
            logits = torch.zeros(*ids.shape, words.vocab_size)
            logits[..., words.encode(" sun")[0]] = 9.0
            return logits

    questions = [Choice("the", (" sun", " mat", " red"), 0), Choice("a", (" red", " sun"), 1)]
    assert set(evaluate_choices(Knows(), words, questions).accuracy.values()) <= {1.0, 0.5}
    assert evaluate_choices(Knows(), words, questions).accuracy["token"] == 1.0


def test_overlaps_are_runs_of_words_that_are_no_boilerplate():
    long = " ".join(f"w{i}" for i in range(20))
    training = [f"x {long} y", "short one", *["this is boilerplate text"] * 11]
    texts = [
        long,
        " ".join(f"v{i}" for i in range(20)),
        "short one",
        "this is boilerplate text",
        "",
    ]
    assert find_overlaps(texts, training) == [True, False, True, False, False]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"prompt": "a", "options": ["x"], "answer": 1}', '{"prompt": "a"}',
             '{"prompt": "a", "options": 3, "answer": 0}'],
)  # fmt: skip
def test_wrong_questions_are_named(line, tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text(json.dumps({"prompt": "a", "options": ["x"], "answer": 0}) + "\n" + line)
    with pytest.raises(InputError, match=r"q\.jsonl:2"):
        read_choices(file)
    with pytest.raises(InputError, match="no questions"):
        (tmp_path / "e.jsonl").write_text("\n")
        read_choices(tmp_path / "e.jsonl")
