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
from kuaibao.image_gpt.sampling import Cache, draw_tokens, next_logits
from kuaibao.transformer.generation import generate

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
