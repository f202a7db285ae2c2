"""Completions keep what was given, draw the rest, and are repeatable picture by picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import small_model

from kuaibao.errors import InputError
from kuaibao.image_gpt import complete, contact_sheet, sample_pictures, write_sheet
from kuaibao.image_gpt import sampling as drawing
from kuaibao.image_gpt.kernels import to_bfloat16
from kuaibao.image_gpt.lockstep import Lockstep, can_lockstep
from kuaibao.image_gpt.sampling import Cache, draw_tokens, next_logits, pick
from kuaibao.transformer.generation import generate
from kuaibao.transformer.sampling import Sampling

TOKENS = np.random.default_rng(0).integers(0, 8, (2, 16))


def test_what_is_given_stays_and_seeds_repeat() -> None:
    model = small_model()
    drawn = complete(model, TOKENS, 8, 5, seed=1)
    assert drawn.shape == (2, 5, 16)
    assert (drawn[:, :, :8] == TOKENS[:, None, :8]).all()
    assert np.array_equal(drawn, complete(model, TOKENS, 8, 5, seed=1))
    assert not np.array_equal(drawn, complete(model, TOKENS, 8, 5, seed=2))
    assert len(np.unique(drawn[0], axis=0)) > 1


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    decoder = small_model().decoder
    prompts = np.concatenate([np.full((3, 1), 8), TOKENS[[0, 1, 0], :5]], 1)
    together = draw_tokens(decoder, prompts, 11, seed=4)
    assert np.array_equal(draw_tokens(decoder, prompts[:1], 11, seed=4), together[:1])


def test_the_likeliest_picture_is_the_general_engine_s() -> None:
    decoder = small_model().decoder
    prompt = [8, *TOKENS[0, :5].tolist()]
    (found,) = generate(decoder, [prompt], max_new_tokens=10)
    lockstep = draw_tokens(decoder, np.array([prompt]), 10, temperature=0)
    assert lockstep[0].tolist() == found[0].tokens


def test_samples_from_nothing_and_progress() -> None:
    told: list[int] = []
    drawn = sample_pictures(small_model(), 3, temperature=0.7, seed=0, progress=told.append)
    assert drawn.shape == (3, 16)
    assert told == list(range(1, 17))


def test_a_sheet_shows_what_was_given_first_and_the_original_last(tmp_path: Path) -> None:
    model = small_model()
    drawn = complete(model, TOKENS, 8, 3, seed=0)
    sheet = contact_sheet(model, list(drawn), given=TOKENS, n_given=8, scale=2)
    assert sheet.size == (5 * 10 + 2, 2 * 10 + 2)
    pixels = np.asarray(sheet)
    own = model.palette.decode(TOKENS)[..., 0]
    assert pixels[2, 2, 0] == own[0, 0, 0]
    assert (pixels[6:10, 2:10] == 176).all()
    assert pixels[2 + 3 * 2, 2 + 4 * 10 + 3 * 2, 0] == own[0, 3, 3]
    write_sheet(sheet, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == sheet.size


def test_what_can_not_be_drawn_is_told() -> None:
    model = small_model()
    with pytest.raises(InputError, match="given pixels"):
        complete(model, TOKENS, 16, 1)
    with pytest.raises(InputError, match="tokens are wanted"):
        complete(model, TOKENS[:, :9], 3, 1)
    with pytest.raises(InputError, match="BERT"):
        sample_pictures(small_model(causal=False), 1)
    with pytest.raises(InputError, match="positions wanted"):
        draw_tokens(model.decoder, np.full((1, 10), 8), 8)


def test_the_cache_gives_the_logits_of_the_whole() -> None:
    decoder = small_model().decoder
    ids = torch.from_numpy(np.concatenate([np.full((2, 1), 8), TOKENS[:, :15]], 1))
    with torch.inference_mode():
        whole = decoder(ids)
        cache = Cache(decoder, 2, 16)
        assert torch.allclose(next_logits(decoder, ids[:, :7], cache), whole[:, 6], atol=1e-5)
        for i in range(7, 16):
            step = next_logits(decoder, ids[:, i : i + 1], cache)
            assert torch.allclose(step, whole[:, i], atol=1e-5)


def test_continuations_that_share_a_prompt_are_those_of_prompts_of_their_own() -> None:
    decoder = small_model().decoder
    prompts = np.concatenate([np.full((2, 1), 8), TOKENS[:, :6]], 1)
    shared = draw_tokens(decoder, prompts, 10, n=3, seed=2)
    alone = draw_tokens(decoder, np.repeat(prompts, 3, axis=0), 10, seed=2)
    assert np.array_equal(shared, alone)
    whole = torch.from_numpy(np.concatenate([np.repeat(prompts, 3, axis=0), shared], 1))
    with torch.inference_mode():
        cache = Cache(decoder, 6, 16, 3)
        next_logits(decoder, torch.from_numpy(prompts), cache)
        for i in range(7, 16):
            step = next_logits(decoder, whole[:, i : i + 1], cache)
            assert torch.allclose(step, decoder(whole[:, : i + 1])[:, -1], atol=1e-5)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("n_thread", [1, 2])
def test_steps_in_lockstep_give_the_logits_of_the_whole(
    n: int, n_thread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = small_model().decoder
    assert can_lockstep(decoder)
    monkeypatch.setattr("kuaibao.image_gpt.lockstep._SPLIT", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: n_thread)
    whole = np.concatenate([np.full((2, 1), 8), TOKENS[:, :15]], 1)
    ids = torch.from_numpy(whole)
    with torch.inference_mode():
        logits = decoder(ids)
        cache = Cache(decoder, 2 * n, 7, n)
        next_logits(decoder, ids[:, :7], cache)
        steps = Lockstep(decoder, *cache.prompts(), n, 9)
        for i in range(7, 16):
            step = steps.step(ids[:, i].repeat_interleave(n))
            wanted = logits[:, i].repeat_interleave(n, 0)
            assert (step - wanted).abs().max() < 0.02 * wanted.abs().max()
    steps.close()


def test_models_that_the_loops_do_not_know_are_drawn_by_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = small_model()
    assert not can_lockstep(small_model().decoder.double())
    fast = sample_pictures(model, 40, seed=3)
    monkeypatch.setattr(drawing, "can_lockstep", lambda decoder: False)
    slow = sample_pictures(model, 40, seed=3)
    # Chance falls the same way but where a share's edge lies within bfloat16's rounding.
    assert (fast[:, 0] == slow[:, 0]).all()
    assert (fast == slow).mean() > 0.6


def test_a_colour_is_drawn_as_often_as_it_is_likely() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -50.0]]).repeat(4000, 1)
    chances = torch.rand(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    counts = torch.bincount(pick(logits, Sampling(), chances), minlength=4) / 4000
    assert torch.allclose(counts, torch.softmax(logits[0], 0), atol=0.03)
    kept = pick(logits, Sampling(top_k=2), chances)
    assert set(kept.tolist()) == {1, 2}
    edges = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    assert pick(logits[:2], Sampling(), edges).tolist() == [0, 2]


def test_bfloat16_is_torch_s() -> None:
    values = np.random.default_rng(0).normal(0, 3, 5000).astype(np.float32)
    theirs = torch.from_numpy(values).bfloat16().view(torch.uint16).numpy()
    assert np.array_equal(to_bfloat16(values), theirs)
