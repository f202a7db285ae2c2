"""Cross-entropy through the head, some hundred tokens at a time.

Scores of a whole batch over a vocabulary are the largest tensor of a step, and in float32 they pass
through memory five times. Here they live for one part of the tokens only, whose gradient is made at
once: the same products, less memory, and no waiting for it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kuaibao.transformer.bfloat16_kernels import is_covered, softmax_slopes

__all__ = ["head_loss"]

_N_TOKEN = 512
"""Of a part: products are at their full rate, and scores stay in the processor's cache."""


def head_loss(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats of `targets` under softmax(hidden · weightᵀ).

    Products have autocast's precision where that is on; softmax and sums are float32.

    Args:
        hidden: (…, d).
        weight: (vocabulary, d).
        targets: (…), int64.
    """
    device = hidden.device.type
    is_mixed = torch.is_autocast_enabled(device)
    kind = torch.get_autocast_dtype(device) if is_mixed else hidden.dtype
    loss: Any = _HeadLoss.apply(hidden.flatten(0, -2), weight, targets.flatten(), kind)
    return loss


def _slopes(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The summed loss, and its gradient by the scores (token, vocabulary)."""
    chosen = targets[:, None]
    if is_covered(scores):
        # Read before and by torch, so that a score that is no number makes the loss none.
        own = scores.gather(1, chosen).float().sum()
        return softmax_slopes(scores, targets).sum() - own, scores
    logs = torch.log_softmax(scores.float(), -1)
    loss = -logs.gather(1, chosen).sum()
    slope = logs.exp_()
    # Not yet divided by the number of tokens: in fp16 the small ones would be lost.
    slope.scatter_add_(1, chosen, slope.new_full(chosen.shape, -1.0))
    return loss, slope.to(scores.dtype)


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, kind: torch.dtype
    ) -> Tensor:
        of_hidden, of_weight = ctx.needs_input_grad[:2]
        h, w = hidden.to(kind), weight.to(kind)
        d_hidden = torch.empty_like(h) if of_hidden else None
        d_weight = torch.zeros_like(weight) if of_weight else None
        total = torch.zeros((), device=h.device)
        with torch.autocast(h.device.type, enabled=False), torch.no_grad():
            for start in range(0, len(h), _N_TOKEN):
                part = slice(start, start + _N_TOKEN)
                loss, slope = _slopes(h[part] @ w.T, targets[part])
                total += loss
                if d_hidden is not None:
                    d_hidden[part] = slope @ w
                if d_weight is not None:
                    d_weight += slope.T @ h[part]
        ctx.n_token, ctx.kind = len(h), hidden.dtype
        ctx.save_for_backward(d_hidden, d_weight)
        return total / len(h)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, d_weight = ctx.saved_tensors
        share = slopes[0] / ctx.n_token
        return (
            None if d_hidden is None else d_hidden.to(ctx.kind) * share.to(ctx.kind),
            None if d_weight is None else d_weight * share,
            None,
            None,
        )
