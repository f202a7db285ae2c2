"""Multi-head attention (Vaswani et al. 2017), over a sequence or over an encoder's output."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kuaibao.transformer.cache import LayerCache
from kuaibao.transformer.config import TransformerConfig

__all__ = ["Attention"]

_N_PLAIN = 512
"""Positions up to which bfloat16 is trained by plain products on the CPU."""


class Attention(nn.Module):
    """Multi-head attention; over the sequence itself, or over an encoder's output."""

    def __init__(
        self, config: TransformerConfig, *, layer: int = 0, window: int = 0, cross: bool = False
    ) -> None:
        super().__init__()
        d, bias = config.n_embd, config.has_bias
        scale = config.d_head**-0.5 if config.scale_attention else 1.0
        self.scale = scale / (layer + 1) if config.scale_attention_by_layer else scale
        self.n_head, self.d_head, self.window = config.n_head, config.d_head, window
        self.dropout = config.dropout
        if cross:
            self.q = nn.Linear(d, d, bias)
            self.kv = nn.Linear(d, 2 * d, bias)
        else:
            self.qkv = nn.Linear(d, 3 * d, bias)
        self.out = nn.Linear(d, d, bias)

    def heads(self, x: Tensor) -> Tensor:
        """(batch, position, d) → (batch, head, position, d_head)."""
        return x.unflatten(-1, (self.n_head, self.d_head)).transpose(1, 2)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Attend over `x`, and with a cache over what went before.

        Args:
            x: (batch, position, d).
            mask: Positions that may be seen, broadcast to (batch, head, position, key).
            causal: Whether a position sees itself and those before it only.
            cache: Keys and values of earlier positions; new ones are written into it.
        """
        qkv = self.qkv(x)
        if cache is not None and cache.takes_steps:
            return self.out(cache.step(qkv, self.scale, self.window))
        q, k, v = (self.heads(part) for part in qkv.chunk(3, -1))
        if cache is not None:
            k, v = cache.append(k, v)
        return self._attend(q, k, v, mask, causal)

    def over(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Attend over given keys and values (batch, head, key, d_head)."""
        return self._attend(self.heads(self.q(x)), k, v, mask, causal=False)

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of an encoder's output."""
        k, v = (self.heads(part) for part in self.kv(memory).chunk(2, -1))
        return k, v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        if causal and (mask is not None or (self.window and q.shape[2] > self.window)):
            band = _causal_band(q.shape[2], k.shape[2], self.window, q.device)
            mask, causal = (band if mask is None else mask & band), False
        dropout = self.dropout if self.training else 0.0
        if _is_faster_plain(q, k):
            y = _plain(q, k, v, _bias(q, k, mask, causal), self.scale, dropout)
        else:
            y = functional.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal and q.shape[2] > 1,
                scale=self.scale,
            )  # fmt: skip
        return self.out(y.transpose(1, 2).flatten(2))


def _is_faster_plain(q: Tensor, k: Tensor) -> bool:
    """Short bfloat16 sequences in training on the CPU.

    There the fused kernel with its gradient takes 1.4 to 4 times as long as the products themselves
    (measured at 512 and at 64 positions, and with a mask at 128; at 1,024 it is ahead).
    """
    return (
        q.requires_grad and q.device.type == "cpu" and q.dtype == torch.bfloat16
        and q.shape[2] > 1 and max(q.shape[2], k.shape[2]) <= _N_PLAIN
    )  # fmt: skip


def _plain(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float, dropout: float
) -> Tensor:
    """softmax(scale · q kᵀ + bias) v over (batch, head, position, d_head); all scores are held."""
    rows, columns = q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2)
    if bias is None:
        scores = torch.bmm(rows, columns) * scale
    else:
        scores = torch.baddbmm(bias, rows, columns, alpha=scale)
    shares = functional.dropout(torch.softmax(scores, -1), dropout)
    return torch.bmm(shares, v.flatten(0, 1)).view_as(q)


def _bias(q: Tensor, k: Tensor, mask: Tensor | None, causal: bool) -> Tensor | None:
    """0 where a query sees a key, else -inf; broadcast to (batch · head, position, key)."""
    if causal:
        n = q.shape[2]
        return torch.full((n, n), float("-inf"), dtype=q.dtype).triu(1)
    if mask is None:
        return None
    bias = torch.zeros(mask.shape, dtype=q.dtype).masked_fill_(~mask, float("-inf"))
    bias = bias[(None,) * (4 - bias.dim())]
    return bias.expand(*q.shape[:2], *bias.shape[2:]).flatten(0, 1)


def _causal_band(n_query: int, n_key: int, window: int, device: torch.device) -> Tensor:
    place = torch.arange(n_key - n_query, n_key, device=device)[:, None]
    key = torch.arange(n_key, device=device)[None, :]
    band = key <= place
    return band & (key > place - window) if window else band
