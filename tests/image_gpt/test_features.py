"""Features: pooled, streamed, the same however they are asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import small_model

from kuaibao.errors import InputError
from kuaibao.image_gpt import features
from kuaibao.image_gpt.features import POOLS

IMAGES = np.random.default_rng(0).integers(0, 256, (11, 4, 4, 1)).astype(np.uint8)


def test_a_layer_is_the_mean_of_its_normed_input() -> None:
    model = small_model()
    tokens = torch.from_numpy(model.palette.encode(IMAGES))
    inputs = torch.cat([torch.full((11, 1), 8), tokens[:, :-1]], 1)
    with torch.inference_mode():
        states = list(model.decoder.hidden_states(inputs))
    found = features(model, IMAGES)
    assert sorted(found) == [0, 1, 2, 3]
    for layer, values in found.items():
        assert np.allclose(values, states[layer].mean(1).numpy(), atol=1e-6)


def test_bytes_tokens_tensors_batches_and_files_give_the_same(tmp_path: Path) -> None:
    model = small_model()
    tokens = model.palette.encode(IMAGES)
    whole = features(model, IMAGES, layers=[1, -1])
    assert sorted(whole) == [1, 3]
    streamed = (IMAGES[i : i + 2] for i in range(0, 11, 2))
    others = [
        features(model, tokens, layers=[3, 1], batch_size=3),
        features(model.decoder, torch.from_numpy(tokens), layers=[1, 3]),
        features(model, streamed, layers=[1, 3]),
        features(model, IMAGES, layers=[1, 3], out=tmp_path),
    ]
    for other in others:
        for layer in (1, 3):
            assert np.allclose(other[layer], whole[layer], atol=1e-5)


def test_a_bert_model_sees_the_whole_picture_and_masks_change_what_it_sees() -> None:
    model = small_model(causal=False)
    tokens = model.palette.encode(IMAGES)
    with torch.inference_mode():
        states = list(model.decoder.hidden_states(torch.from_numpy(tokens)))
    assert np.allclose(features(model, IMAGES, layers=[2])[2], states[2].mean(1).numpy(), atol=1e-6)
    masked = [features(model, IMAGES, layers=[2], mask_share=0.3, seed=s)[2] for s in (0, 0, 1)]
    assert np.array_equal(masked[0], masked[1])
    assert not np.allclose(masked[0], masked[2])


@pytest.mark.parametrize(("pool", "width"), zip(POOLS, (16, 64, 64, 16), strict=True))
def test_pools_have_their_width(pool: str, width: int) -> None:
    assert features(small_model(), IMAGES, layers=[0], pool=pool)[0].shape == (11, width)


def test_what_can_not_be_is_refused() -> None:
    model = small_model()
    with pytest.raises(InputError, match="layers run from 0 to 3"):
        features(model, IMAGES, layers=[4])
    with pytest.raises(InputError, match="bare decoder"):
        features(model.decoder, IMAGES)
    with pytest.raises(InputError, match="no pictures"):
        features(model, IMAGES[:0])
    with pytest.raises(InputError, match="positions"):
        features(model, np.zeros((1, 8, 8, 1), dtype=np.uint8))
    with pytest.raises(InputError, match="tokens lie from"):
        features(model, np.full((1, 16), 8))
