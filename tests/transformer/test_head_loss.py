"""The loss through the head in parts is the loss of all logits, with its gradients."""

import pytest
import torch
from torch.nn import functional

from kuaibao.transformer import TransformerConfig, build_model
from kuaibao.transformer.head_loss import head_loss


def both(n_token, *, frozen=()):
    torch.manual_seed(n_token)
    hidden, weight = torch.randn(2, n_token, 16), torch.randn(40, 16)
    targets = torch.randint(0, 40, (2, n_token))
    found = []
    for way in (head_loss, lambda h, w, t: functional.cross_entropy((h @ w.T).flatten(0, 1),
                                                                   t.flatten())):  # fmt: skip
        h = hidden.clone().requires_grad_("hidden" not in frozen)
        w = weight.clone().requires_grad_("weight" not in frozen)
        loss = way(h, w, targets)
        (3 * loss).backward()
        found.append((loss.detach(), h.grad, w.grad))
    return found


@pytest.mark.parametrize("n_token", [1, 7, 600])
def test_loss_and_gradients_are_those_of_all_logits(n_token):
    ours, theirs = both(n_token)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_frozen_head_gets_no_gradient():
    ours, theirs = both(5, frozen=("weight",))
    assert ours[2] is None
    assert torch.allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-7)


def test_extreme_scores_stay_finite():
    hidden = torch.full((1, 2, 4), 300.0, requires_grad=True)
    weight = torch.tensor([[1.0] * 4, [-1.0] * 4])
    loss = head_loss(hidden, weight, torch.tensor([[1, 0]]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(1200.0)
    assert hidden.grad.isfinite().all()


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("tie_head", [True, False])
def test_narrow_training_has_the_gradient_of_float32_nearly(kind, tie_head):
    config = TransformerConfig(
        vocab_size=60, n_positions=24, n_embd=32, n_layer=2, n_head=2, eos_id=0, tie_head=tie_head
    )
    model = build_model(config, seed=3).train()
    torch.manual_seed(0)
    tokens = torch.randint(0, 60, (4, 25))
    gradients = []
    for enabled in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", kind, enabled=enabled):
            loss = model(tokens[:, :-1], targets=tokens[:, 1:])
        loss.backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    whole, narrow = gradients
    assert whole.abs().max() > 0
    assert (narrow - whole).norm() < 0.03 * whole.norm()


def test_a_model_gives_the_loss_of_its_own_logits():
    config = TransformerConfig(
        vocab_size=60, n_positions=24, n_embd=32, n_layer=1, n_head=2, eos_id=0
    )
    model = build_model(config, seed=3)
    tokens = torch.arange(26).reshape(2, 13)
    with torch.no_grad():
        expected = functional.cross_entropy(
            model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()
        )
        found = model(tokens[:, :-1], targets=tokens[:, 1:])
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
