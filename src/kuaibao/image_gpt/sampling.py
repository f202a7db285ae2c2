"""Pixels drawn in lockstep: every picture of a batch has the same length, so none waits or pads.

The general engine (`kuaibao.transformer.generate`) holds sequences of any lengths. Here all advance
together, which leaves a step with dense attention over the keys so far and no masks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kuaibao.errors import InputError
from kuaibao.transformer.model import layers_of
from kuaibao.transformer.sampling import Sampling, sample

__all__ = ["draw_tokens", "next_logits"]


@torch.inference_mode()
def draw_tokens(
    decoder: Any, prompts: NDArray[np.int64], n_new: int, *, temperature: float = 1.0,
    top_k: int = 0, top_p: float = 1.0, seed: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.int64]:  # fmt: skip
    """Continue prompts of one length.

    Args:
        decoder: A causal `Decoder` with learned positions.
        prompts: (batch, given), the start token first.
        n_new: Tokens to draw; with the prompts they may exceed the positions by one, since the
            last token is never read.
        temperature: 0 takes the likeliest.
        top_k: Only so many likeliest tokens; 0 for all.
        top_p: Only the likeliest up to this probability.
        seed: Of each row by its place, so that a row does not depend on its neighbours.
        progress: Told how many tokens of each row are done.

    Returns:
        (batch, n_new).

    Raises:
        InputError: A BERT model, or more tokens than positions.
    """
    config = decoder.config
    n_row, n_given = prompts.shape
    if not config.causal:
        raise InputError("a BERT model sees both sides: it can't draw pictures")
    if n_given + n_new - 1 > config.n_positions:
        raise InputError(
            f"{n_given + n_new - 1} positions wanted, the model has {config.n_positions}"
        )
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    generators: list[torch.Generator | None] = [None] * n_row
    if seed is not None:
        generators = [torch.Generator().manual_seed(seed + i) for i in range(n_row)]
    cache = _Cache(decoder, n_row, n_given + n_new)
    ids = torch.from_numpy(prompts).to(decoder.device)
    drawn: list[Tensor] = []
    for step in range(n_new):
        logits = next_logits(decoder, ids, cache)
        ids = sample(logits.float().cpu(), sampling, generators)[:, None].to(decoder.device)
        drawn.append(ids.cpu())
        progress(step + 1)
    return torch.cat(drawn, 1).numpy() if drawn else np.zeros((n_row, 0), dtype=np.int64)


class _Cache:
    """Keys and values (batch, head, position, d_head) of every layer, filled from the left."""

    def __init__(self, decoder: Any, n_row: int, length: int) -> None:
        config, weight = decoder.config, decoder.tokens.weight
        shape = (n_row, config.n_head, length, config.d_head)
        self.keys = [weight.new_empty(shape) for _ in range(config.n_layer)]
        self.values = [weight.new_empty(shape) for _ in range(config.n_layer)]
        self.length = 0


def next_logits(decoder: Any, ids: Tensor, cache: _Cache) -> Tensor:
    """Read tokens (batch, new) after those of the cache: logits (batch, vocabulary) of the next."""
    start, end = cache.length, cache.length + ids.shape[1]
    is_first = start == 0
    x = decoder.embed(ids, torch.arange(start, end, device=ids.device))
    for i, block in enumerate(layers_of(decoder.blocks)):
        attention = block.attention
        q, k, v = (attention.heads(part) for part in attention.qkv(block.norm_1(x)).chunk(3, -1))
        cache.keys[i][:, :, start:end] = k
        cache.values[i][:, :, start:end] = v
        if is_first:
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=end > 1)
        else:
            y = functional.scaled_dot_product_attention(
                q, cache.keys[i][:, :, :end], cache.values[i][:, :, :end]
            )
        x = x + attention.out(y.transpose(1, 2).flatten(2))
        x = x + block.feed_forward(block.norm_2(x))
    cache.length = end
    return decoder.logits(decoder.norm(x[:, -1]))
