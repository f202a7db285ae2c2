"""Passes in bfloat16 agree with torch's in float32, rounded."""

import numpy as np
import pytest
import torch
from numba import njit
from torch.nn import functional

from kuaibao.transformer.activations import GATES, activate
from kuaibao.transformer.bfloat16_kernels import softmax_slopes
from kuaibao.transformer.instructions import narrow, widen


def test_numbers_are_rounded_as_torch_rounds_them():
    @njit
    def both(x, bits, back):
        for i in range(len(x)):
            bits[i] = narrow(x[i])
            back[i] = widen(bits[i])

    chance = np.random.default_rng(0)
    x = (chance.normal(size=4000) * 10.0 ** chance.integers(-30, 30, 4000)).astype(np.float32)
    x[:8] = (0.0, -0.0, 1.00390625, 1.01171875, np.inf, -np.inf, np.nan, 3.3e38)
    bits, back = np.empty(len(x), np.uint16), np.empty_like(x)
    both(x, bits, back)
    expected = torch.from_numpy(x).bfloat16().float().numpy()
    assert np.array_equal(back, expected, equal_nan=True)


@pytest.mark.parametrize("name", sorted(GATES))
def test_activations_and_gradients_are_those_of_float32(name):
    x = torch.cat([torch.linspace(-12, 12, 4001), torch.tensor([0.0, 90.0, -90.0, 3e4, -3e4])])
    x = x.bfloat16()
    slope = torch.linspace(1, 2, len(x)).bfloat16()
    narrow_x, whole_x = x.clone().requires_grad_(), x.float().requires_grad_()
    found, expected = activate(narrow_x, name), activate(whole_x, name)
    found.backward(slope)
    expected.backward(slope.float())
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), expected, rtol=0.005, atol=1e-5)
    assert torch.allclose(narrow_x.grad.float(), whole_x.grad, rtol=0.005, atol=2e-5)


def test_slopes_of_the_softmax_are_those_of_float32():
    torch.manual_seed(0)
    scores = (torch.randn(5, 77) * torch.tensor([[0.1], [1.0], [5.0], [30.0], [300.0]])).bfloat16()
    targets = torch.tensor([3, 0, 76, 10, 20])
    whole = scores.float()
    expected = torch.softmax(whole, -1) - functional.one_hot(targets, 77)
    sums = softmax_slopes(scores, targets)
    assert torch.allclose(sums, whole.logsumexp(-1), rtol=1e-5)
    assert torch.allclose(scores.float(), expected, rtol=0.005, atol=1e-6)
