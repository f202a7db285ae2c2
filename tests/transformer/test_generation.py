"""Generation: alone as in a batch, repeatable, and beam for beam as transformers."""

import math
import sys
import tempfile
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from families import hub_model

from kuaibao.transformer import GenerationError, load_pretrained, log_probabilities
from kuaibao.transformer.sampling import Sampling, adjust_logits, banned_by_ngrams, sample

PROMPTS = [[5, 6, 7], [1], [9, 3, 2, 8, 8, 4, 1], [30, 31]]


def both(family, **more):
    theirs = hub_model(family, **more)
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        return theirs, load_pretrained(folder)


@pytest.fixture(scope="module")
def gpt():
    return both("gpt2")


@pytest.fixture(scope="module")
def pegasus():
    return both("pegasus")


def test_greedy_text_is_that_of_transformers(gpt):
    theirs, ours = gpt
    for prompt in PROMPTS:
        expected = theirs.generate(
            torch.tensor([prompt]), max_new_tokens=20, do_sample=False, pad_token_id=0
        )[0, len(prompt) :].tolist()
        ((found,),) = ours.generate([prompt], max_new_tokens=20)
        assert found.tokens == [t for t in expected if t != 96]


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.9, "top_p": 0.9, "seed": 5}])
def test_a_batch_of_lengths_gives_what_each_prompt_gets_alone(gpt, settings):
    ours = gpt[1]
    together = ours.generate(PROMPTS, max_new_tokens=15, **settings)
    for i, prompt in enumerate(PROMPTS):
        alone = dict(settings)
        if "seed" in alone:
            alone["seed"] += i
        ((single,),) = ours.generate([prompt], max_new_tokens=15, **alone)
        assert single.tokens == together[i][0].tokens
        assert single.log_probabilities == pytest.approx(together[i][0].log_probabilities, abs=1e-4)


def test_seeds_reproduce(gpt):
    ours = gpt[1]
    draws = [
        ours.generate([[5]], max_new_tokens=12, temperature=1.5, seed=s, n=2) for s in (1, 1, 3)
    ]
    texts = [[g.tokens for g in d[0]] for d in draws]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0][0] != texts[0][1]


def test_log_probabilities_are_the_models_own(gpt):
    ours = gpt[1]
    ((found,),) = ours.generate([[5, 6]], max_new_tokens=10, repetition_penalty=1.3, temperature=0)
    whole = log_probabilities(ours, [5, 6, *found.tokens])
    assert found.log_probabilities == pytest.approx(whole[1:], abs=1e-4)


def test_best_of_keeps_the_likeliest(gpt):
    ours = gpt[1]
    (drawn,) = ours.generate([[5]], max_new_tokens=8, temperature=1.0, seed=2, n=6)
    (best,) = ours.generate([[5]], max_new_tokens=8, temperature=1.0, seed=2, n=2, best_of=6)
    assert [g.tokens for g in best] == [g.tokens for g in sorted(drawn, key=lambda g: -g.score)[:2]]


def test_stop_sequences_and_the_end_token(gpt):
    ours = gpt[1]
    ((whole,),) = ours.generate([[5, 6]], max_new_tokens=20)
    stop = whole.tokens[4:6]
    ((cut,),) = ours.generate([[5, 6]], max_new_tokens=20, stop=[[1000], stop])
    assert cut.finish_reason == "stop"
    assert whole.tokens[: len(cut.tokens)] == cut.tokens
    assert (cut.tokens + stop)[: len(cut.tokens) + 2] == whole.tokens[: len(cut.tokens) + 2]
    ((ended,),) = ours.generate([[5, 6]], max_new_tokens=20, eos_id=whole.tokens[3])
    assert ended.tokens == whole.tokens[: whole.tokens.index(whole.tokens[3])]


@pytest.mark.parametrize("num_beams", [2, 4])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
def test_beams_of_gpt_are_those_of_transformers(gpt, num_beams, length_penalty):
    theirs, ours = gpt
    for early_stopping in (False, True):
        for prompt in PROMPTS[:3]:
            expected = theirs.generate(
                torch.tensor([prompt]), max_new_tokens=10, num_beams=num_beams, do_sample=False,
                length_penalty=length_penalty, num_return_sequences=num_beams, pad_token_id=0,
                early_stopping=early_stopping, return_dict_in_generate=True, output_scores=True,
            )  # fmt: skip
            (found,) = ours.generate(
                [prompt], max_new_tokens=10, num_beams=num_beams, n=num_beams,
                length_penalty=length_penalty, early_stopping=early_stopping,
            )  # fmt: skip
            scores = expected.sequences_scores.tolist()
            assert [g.score for g in found] == pytest.approx(scores, abs=1e-4)
            for beam, row in zip(found, expected.sequences.tolist(), strict=True):
                assert beam.tokens == row[len(prompt) : len(prompt) + len(beam.tokens)]


@pytest.mark.parametrize(
    ("num_beams", "length_penalty", "ngram"), [(1, 1.0, 0), (3, 0.6, 0), (8, 0.8, 0), (4, 0.8, 3)]
)
def test_summaries_of_pegasus_are_those_of_transformers(pegasus, num_beams, length_penalty, ngram):
    theirs, ours = pegasus
    sources = [[7, 8, 9, 10, 11, 12, 1], [20, 21, 1], [33, 5, 5, 60, 61, 62, 63, 64, 65, 1]]
    beams = {"num_beams": num_beams, "length_penalty": length_penalty} if num_beams > 1 else {}
    together = ours.generate(sources, max_new_tokens=14, no_repeat_ngram_size=ngram,
                             **({"temperature": 0} if num_beams == 1 else {}), **beams)  # fmt: skip
    for source, (found,) in zip(sources, together, strict=True):
        (expected,) = theirs.generate(
            torch.tensor([source]), max_new_tokens=14, num_beams=num_beams, do_sample=False,
            length_penalty=length_penalty, no_repeat_ngram_size=ngram,
        ).tolist()  # fmt: skip
        wanted = [t for t in expected[1:] if t not in (0, 1)]
        # Without beams transformers makes the last token the end; ours gives one token more.
        n = len(wanted) if num_beams == 1 else None
        assert [t for t in found.tokens if t not in (0, 1)][:n] == wanted
        ((alone,),) = ours.generate(
            [source], max_new_tokens=14, no_repeat_ngram_size=ngram,
            **({"temperature": 0} if num_beams == 1 else {}), **beams,
        )  # fmt: skip
        assert alone.tokens == found.tokens


def test_drawing_follows_the_distribution():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]]).repeat(4000, 1)
    generators = [torch.Generator().manual_seed(i) for i in range(4000)]
    for settings, expected in (
        ({}, torch.softmax(logits[0], 0)),
        ({"temperature": 0.5}, torch.softmax(logits[0] * 2, 0)),
        ({"top_k": 2}, torch.softmax(torch.tensor([2.0, 1.0, -math.inf, -math.inf]), 0)),
        ({"top_p": 0.7}, torch.softmax(torch.tensor([2.0, 1.0, -math.inf, -math.inf]), 0)),
    ):
        drawn = sample(logits, Sampling(**settings), generators).bincount(minlength=4) / 4000
        assert (drawn - expected).abs().max() < 0.03


def test_penalties_and_bans_do_what_they_say():
    logits = torch.tensor([[1.0, -1.0, 2.0, 0.0]])
    found = adjust_logits(
        logits, Sampling(repetition_penalty=2.0, presence_penalty=0.5, frequency_penalty=0.25,
                         logit_bias={3: 7.0}), [[1]], [[2, 2]],
    )  # fmt: skip
    assert found.tolist() == [[1.0, -2.0, 2.0 / 2 - 0.5 - 0.5, 7.0]]
    assert logits.tolist() == [[1.0, -1.0, 2.0, 0.0]]
    assert banned_by_ngrams([1, 2, 3, 1, 2], 3) == [3]
    assert banned_by_ngrams([1, 2], 3) == []
    assert sorted(banned_by_ngrams([4, 5], 1)) == [4, 5]


def test_the_last_token_needs_no_position_of_its_own(gpt):
    ours = gpt[1]  # of 48 positions
    ((whole,),) = ours.generate([[5, 6]], max_new_tokens=47, eos_id=-1)
    assert len(whole.tokens) == 47
    ((beam,),) = ours.generate([[5, 6]], max_new_tokens=47, num_beams=2, eos_id=-1)
    assert len(beam.tokens) == 47
    for more in ({}, {"num_beams": 2}):
        with pytest.raises(GenerationError, match="49 positions"):
            ours.generate([[5, 6]], max_new_tokens=48, **more)


def test_wrong_settings_are_named(gpt):
    ours = gpt[1]
    for prompts, settings, message in (
        ([[5]], {"temperatur": 1}, "temperatur"),
        ([[5]], {"temperature": -1}, "temperature"),
        ([[5]], {"top_p": 2}, "top_p"),
        ([], {}, "no prompts"),
        ([[]], {}, "empty"),
        ([[97]], {}, "outside"),
        ([[5]], {"max_new_tokens": 100}, "positions"),
        ([[5]], {"n": 3, "best_of": 2}, "best_of"),
        ([[5]], {"num_beams": 2, "n": 3}, "num_beams"),
    ):
        with pytest.raises(GenerationError, match=message):
            ours.generate(prompts, **settings)
