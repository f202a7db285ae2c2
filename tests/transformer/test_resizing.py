"""Positions of a small picture become those of a larger one."""

import pytest
import torch

from kuaibao.errors import InputError
from kuaibao.transformer import TransformerConfig, build_model
from kuaibao.transformer.resizing import resize_positions

SIZES = {"vocab_size": 20, "n_embd": 8, "n_layer": 1, "n_head": 2, "eos_id": 0}


def decoder(n_positions, **more):
    return build_model(TransformerConfig(**SIZES, n_positions=n_positions, **more), seed=1).eval()


def test_a_ramp_stays_a_ramp_and_corners_stay_corners():
    model = decoder(9)
    ramp = torch.arange(3.0)[:, None] + 10 * torch.arange(3.0)
    with torch.no_grad():
        model.positions.weight.copy_(ramp.reshape(9, 1).expand(9, 8))
    larger = resize_positions(model, 5)
    expected = torch.linspace(0, 2, 5)[:, None] + 10 * torch.linspace(0, 2, 5)
    assert torch.allclose(larger.positions.weight[:, 3].reshape(5, 5), expected, atol=1e-5)
    assert larger.config.n_positions == 25
    assert larger(torch.arange(20)[None]).shape == (1, 20, 20)
    assert model.config.n_positions == 9


def test_the_same_side_changes_nothing():
    model, ids = decoder(16), torch.arange(16)[None]
    assert torch.allclose(resize_positions(model, 4)(ids), model(ids), atol=1e-6)


def test_what_is_no_square_is_refused():
    for model in (decoder(10), decoder(16, position="sinusoidal")):
        with pytest.raises(InputError, match="no square picture"):
            resize_positions(model, 5)
    with pytest.raises(InputError, match="positive"):
        resize_positions(decoder(16), 0)
