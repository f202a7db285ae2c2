"""Losses are those of a plain implementation."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import small_model

from kuaibao.image_gpt import ImageClassifier
from kuaibao.image_gpt.objectives import (
    autoregressive_loss,
    bits_per_dimension,
    draw_masks,
    joint_loss,
    masked_loss,
    picture_log_likelihoods,
    shifted_inputs,
)


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


TOKENS = torch.randint(0, 8, (5, 16), generator=torch.Generator().manual_seed(1))


def test_every_pixel_is_predicted_from_the_start_token_and_those_before_it() -> None:
    model = small_model().decoder
    total = 0.0
    for row in TOKENS.tolist():
        for i, pixel in enumerate(row):
            logits = model(torch.tensor([[8, *row[:i]]]))[0, -1]
            total -= float(torch.log_softmax(logits, -1)[pixel])
    loss = autoregressive_loss(model, TOKENS, 8)
    assert float(loss) == pytest.approx(total / TOKENS.numel(), rel=1e-5)


def test_the_last_pixel_is_never_an_input() -> None:
    assert shifted_inputs(TOKENS, 8)[:, 0].tolist() == [8] * 5
    assert torch.equal(shifted_inputs(TOKENS, 8)[:, 1:], TOKENS[:, :-1])


def test_a_masked_pixel_has_no_say_and_its_loss_is_the_mean_of_each_picture() -> None:
    model = small_model(causal=False).decoder
    masks = torch.from_numpy(draw_masks(5, 16, 0.3, np.random.default_rng(0)))
    logits = model(TOKENS, masked=masks)
    changed = torch.where(masks, (TOKENS + 3) % 8, TOKENS)
    assert torch.equal(logits, model(changed, masked=masks))
    means: list[float] = []
    for b in range(5):
        scores = torch.log_softmax(logits[b], -1)
        picked = [-float(scores[i, TOKENS[b, i]]) for i in range(16) if masks[b, i]]
        means.append(sum(picked) / len(picked))
    assert float(masked_loss(model, TOKENS, masks)) == pytest.approx(sum(means) / 5, rel=1e-5)


def test_a_masked_position_is_a_zero_vector_with_its_place() -> None:
    model = small_model(causal=False).decoder
    hidden = torch.ones_like(TOKENS, dtype=torch.bool)
    x = model.embed(TOKENS, torch.arange(16), hidden)
    assert torch.allclose(x, model.positions.weight[None].expand_as(x))


def test_masks_cover_their_share_and_never_nothing() -> None:
    masks = draw_masks(2000, 64, 0.15, np.random.default_rng(0))
    assert 0.14 < masks.mean() < 0.16
    assert draw_masks(500, 4, 0.01, np.random.default_rng(0)).any(1).all()


def test_the_joint_loss_is_the_sum_and_leaves_unlabelled_pictures_to_the_generative_part() -> None:
    model = small_model()
    classifier = ImageClassifier(model.decoder, 3)
    torch.nn.init.normal_(classifier.head.weight)
    labels = torch.tensor([0, 2, -1, 1, -1])
    scores = classifier(shifted_inputs(TOKENS, 8))[1]
    known = labels >= 0
    alone = torch.nn.functional.cross_entropy(scores[known], labels[known])
    generative = autoregressive_loss(model.decoder, TOKENS, 8)
    joint = joint_loss(classifier, TOKENS, labels, start_id=8)
    assert float(joint) == pytest.approx(float(alone + generative), rel=1e-5)
    only = joint_loss(classifier, TOKENS, labels, start_id=8, generative_weight=0.0)
    assert float(only) == pytest.approx(float(alone), rel=1e-5)
    none = joint_loss(classifier, TOKENS, torch.full((5,), -1), start_id=8, generative_weight=0.0)
    assert float(none) == 0.0


def test_likelihoods_of_all_pictures_add_up_to_one() -> None:
    model = small_model(n_color=2, size=2).decoder
    every = torch.tensor([[i >> k & 1 for k in range(4)] for i in range(16)])
    total = picture_log_likelihoods(model, every, batch_size=5).double().exp().sum()
    assert float(total) == pytest.approx(1.0, abs=1e-5)


def test_bits_of_a_uniform_model() -> None:
    assert bits_per_dimension(math.log(512), 3) == pytest.approx(3.0)
