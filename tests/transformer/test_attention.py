"""Attention in training: bfloat16's plain products against the fused kernel in float32."""

import pytest
import torch
from torch.nn import functional

from kuaibao.transformer import TransformerConfig
from kuaibao.transformer.attention import Attention

BATCH, N_QUERY, N_KEY, WIDTH = 3, 7, 11, 16
CONFIG = TransformerConfig(
    vocab_size=8, n_positions=16, n_embd=WIDTH, n_head=4, n_layer=1, n_inner=16
)


def padding(n: int) -> torch.Tensor:
    return torch.arange(n)[None] < torch.tensor([n, n - 3, 1])[:, None]


MASKS = {
    "none": None,
    "causal": None,
    "keys": padding(N_KEY)[:, None, None],
    "self": padding(N_QUERY)[:, None, None] | torch.eye(N_QUERY, dtype=torch.bool)[None, None],
    "self, causal": padding(N_QUERY)[:, None, None] | torch.eye(N_QUERY, dtype=torch.bool),
}


@pytest.mark.parametrize("name", MASKS)
def test_plain_products_are_the_fused_kernel_with_its_gradients(name, monkeypatch):
    torch.manual_seed(0)
    is_over = name in ("none", "keys")
    attention = Attention(CONFIG, cross=is_over)
    x = torch.randn(BATCH, N_QUERY, WIDTH)
    memory = torch.randn(BATCH, N_KEY, WIDTH)
    towards = torch.randn(BATCH, N_QUERY, WIDTH)

    def run():
        attention.zero_grad()
        if is_over:
            y = attention.over(x, *attention.keys_and_values(memory), MASKS[name])
        else:
            y = attention(x, mask=MASKS[name], causal="causal" in name)
        (y.float() * towards).sum().backward()
        return [y, *(p.grad.clone() for p in attention.parameters())]

    expected = run()
    with monkeypatch.context() as patch:  # bfloat16 may not go through the fused kernel
        patch.setattr(functional, "scaled_dot_product_attention", None)
        with torch.autocast("cpu", torch.bfloat16):
            found = run()
    for wanted, own in zip(expected, found, strict=True):
        assert (wanted - own).abs().max() < 0.03 * wanted.abs().max() + 1e-3


def test_dropout_takes_shares_out_and_keeps_their_mean():
    torch.manual_seed(0)
    attention = Attention(CONFIG)
    attention.dropout = 0.25
    x = torch.randn(1, N_QUERY, WIDTH).expand(2_000, -1, -1)
    with torch.autocast("cpu", torch.bfloat16):
        whole, drawn = attention.eval()(x[:1]).float(), attention.train()(x).float()
    assert drawn.std(0).min() > 0.01 * whole.abs().max()
    assert (drawn.mean(0) - whole[0]).abs().max() < 0.05 * whole.abs().max()
