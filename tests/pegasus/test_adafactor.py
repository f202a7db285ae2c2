"""The optimiser of PEGASUS beside transformers' own and beside the paper's formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from transformers.optimization import Adafactor

from kuaibao.training import OptimizerSettings, learning_rate, make_optimizer

SETTINGS = OptimizerSettings(name="adafactor", learning_rate=1e-2, schedule="constant")


def model(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))


def gradients(net: nn.Module, n: int) -> list[list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [[torch.randn(p.shape, generator=generator) for p in net.parameters()] for _ in range(n)]


def test_steps_are_those_of_transformers() -> None:
    ours, theirs = model(), model()
    own = make_optimizer(ours, SETTINGS)
    # Theirs counts the parameter's size in by `scale_parameter`, ours always.
    reference = Adafactor(
        theirs.parameters(), lr=1e-2, scale_parameter=True, relative_step=False, warmup_init=False
    )
    for step in gradients(ours, 12):
        for net in (ours, theirs):
            for parameter, gradient in zip(net.parameters(), step, strict=True):
                parameter.grad = gradient.clone()
        own.step()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_a_matrix_moves_by_the_papers_formulas() -> None:
    """Shazeer & Stern 2018, algorithm 4, written out in NumPy."""
    net = nn.Linear(6, 4, bias=False)
    x = net.weight.detach().double().numpy().copy()
    own = make_optimizer(net, SETTINGS)
    rows, columns = np.zeros(4), np.zeros(6)
    for t, (gradient,) in enumerate(gradients(net, 8), 1):
        net.weight.grad = gradient.clone()
        own.step()
        g = gradient.double().numpy()
        beta = 1 - t**-0.8
        rows = beta * rows + (1 - beta) * (g**2).mean(1)
        columns = beta * columns + (1 - beta) * (g**2).mean(0)
        v = np.outer(rows, columns) / rows.mean()
        update = g / np.sqrt(v)
        update /= max(1.0, float(np.sqrt((update**2).mean())))
        size = max(1e-3, float(np.sqrt((x**2).mean())))
        x = x - size * min(1e-2, 1 / np.sqrt(t)) * update
    np.testing.assert_allclose(net.weight.detach().numpy(), x, rtol=1e-4, atol=1e-6)


def test_the_rate_falls_with_the_square_root_of_the_step() -> None:
    settings = OptimizerSettings(learning_rate=1.0, schedule="inverse_sqrt", warmup_steps=100)
    assert learning_rate(settings, 49, 10_000) == pytest.approx(0.5)
    assert learning_rate(settings, 99, 10_000) == pytest.approx(1.0)
    assert learning_rate(settings, 399, 10_000) == pytest.approx(0.5)
    assert learning_rate(settings, 9_999, 10_000) == pytest.approx(0.1)
