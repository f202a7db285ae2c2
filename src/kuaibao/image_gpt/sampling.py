"""Pixels drawn in lockstep: every picture of a batch has the same length, so none waits or pads.

The general engine (`kuaibao.transformer.generate`) holds sequences of any lengths. Here all advance
together, over the filled part of a fixed cache and without masks. On a CPU `lockstep` does the
steps, with keys and values in bfloat16; the likeliest picture (temperature 0), a GPU and other
models take torch's operations in the model's own precision.
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
from kuaibao.image_gpt.lockstep import Lockstep, can_lockstep
from kuaibao.transformer.model import layers_of
from kuaibao.transformer.sampling import Sampling, truncate

__all__ = ["Cache", "draw_tokens", "next_logits", "pick"]


@torch.inference_mode()
def draw_tokens(
    decoder: Any, prompts: NDArray[np.int64], n_new: int, *, n: int = 1,
    temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.int64]:  # fmt: skip
    """Continue prompts of one length.

    Args:
        decoder: A causal `Decoder` with learned positions.
        prompts: (batch, given), the start token first.
        n: Continuations of each prompt; they share its keys and values.
        n_new: Tokens to draw; with the prompts they may exceed the positions by one, since the
            last token is never read.
        temperature: 0 takes the likeliest.
        top_k: Only so many likeliest tokens; 0 for all.
        top_p: Only the likeliest up to this probability.
        seed: Of each row by its place, so that a row does not depend on its neighbours.
        progress: Told how many tokens of each row are done.

    Returns:
        (batch · n, n_new): the continuations of a prompt follow one another.

    Raises:
        InputError: A BERT model, or more tokens than positions.
    """
    config = decoder.config
    n_given = prompts.shape[1]
    n_row = len(prompts) * n
    if not config.causal:
        raise InputError("a BERT model sees both sides: it can't draw pictures")
    if n_given + n_new - 1 > config.n_positions:
        raise InputError(
            f"{n_given + n_new - 1} positions wanted, the model has {config.n_positions}"
        )
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    chances = _chances(n_row, n_new, seed)
    is_fast = temperature > 0 and can_lockstep(decoder)
    cache = Cache(decoder, n_row, n_given if is_fast else n_given + n_new, n)
    ids = torch.from_numpy(prompts).to(decoder.device)
    drawn: list[Tensor] = []
    fast: Lockstep | None = None
    try:
        for step in range(n_new):
            if step == 0:
                logits = next_logits(decoder, ids, cache).repeat_interleave(n, 0)
                fast = Lockstep(decoder, *cache.prompts(), n, n_new) if is_fast else None
            elif fast is not None:
                logits = fast.step(ids[:, 0])
            else:
                logits = next_logits(decoder, ids, cache)
            ids = pick(logits.float().cpu(), sampling, chances[:, step])[:, None]
            drawn.append(ids)
            ids = ids.to(decoder.device)
            progress(step + 1)  # may raise, to stop
    finally:
        if fast is not None:
            fast.close()
    return torch.cat(drawn, 1).numpy() if drawn else np.zeros((n_row, 0), dtype=np.int64)


def _chances(n_row: int, n_new: int, seed: int | None) -> Tensor:
    """Numbers in [0, 1) for each token of each row, (row, new); a row's follow from its place."""
    if seed is None:
        return torch.rand(n_row, n_new, dtype=torch.float64)
    rows = [
        torch.rand(n_new, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + i))
        for i in range(n_row)
    ]
    return torch.stack(rows)


def pick(logits: Tensor, sampling: Sampling, chances: Tensor) -> Tensor:
    """The token of each row (row) in whose share of probability its number falls.

    Args:
        logits: (row, vocabulary).
        sampling: Temperature, top-k, top-p.
        chances: (row), from 0 to below 1.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    mass = torch.softmax(truncate(logits, sampling).double(), -1).cumsum(-1)
    wanted = chances[:, None] * mass[:, -1:]
    # Where rounding leaves no share behind the number, the last token that has any.
    last = (mass < mass[:, -1:]).sum(-1, keepdim=True)
    return torch.minimum(torch.searchsorted(mass, wanted, right=True), last)[:, 0]


class Cache:
    """Keys and values (row, head, position, d_head) of every layer, filled from the left.

    With several continuations of a prompt, the prompt's lie apart, once for all of them:
    (prompt, head, position, d_head).
    """

    def __init__(self, decoder: Any, n_row: int, length: int, n: int = 1) -> None:
        config, weight = decoder.config, decoder.tokens.weight
        shape = (n_row, config.n_head, length, config.d_head)
        self.keys = [weight.new_empty(shape) for _ in range(config.n_layer)]
        self.values = [weight.new_empty(shape) for _ in range(config.n_layer)]
        self.shared: list[tuple[Tensor, Tensor]] = []
        self.n = n
        self.n_shared = 0
        self.length = 0

    def prompts(self) -> tuple[list[Tensor], list[Tensor]]:
        """Keys and values of each layer (prompt, head, position, d_head) after the first read."""
        if self.shared:
            return [k for k, _ in self.shared], [v for _, v in self.shared]
        keys = [k[:, :, : self.length] for k in self.keys]
        return keys, [v[:, :, : self.length] for v in self.values]


def next_logits(decoder: Any, ids: Tensor, cache: Cache) -> Tensor:
    """Read tokens (row, new) after those of the cache: logits (row, vocabulary) of the next."""
    start, end = cache.length, cache.length + ids.shape[1]
    x = decoder.embed(ids, torch.arange(start, end, device=ids.device))
    for i, block in enumerate(layers_of(decoder.blocks)):
        attention = block.attention
        q, k, v = (attention.heads(part) for part in attention.qkv(block.norm_1(x)).chunk(3, -1))
        y = _attend(q, k, v, cache, i, attention.scale)
        x = x + attention.out(y.transpose(1, 2).flatten(2))
        x = x + block.feed_forward(block.norm_2(x))
    if start == 0 and cache.n > 1:
        cache.n_shared = end
    cache.length = end
    return decoder.logits(decoder.norm(x[:, -1]))


def _attend(q: Tensor, k: Tensor, v: Tensor, cache: Cache, layer: int, scale: float) -> Tensor:
    """Over what the cache holds and the new ones, which it takes in."""
    start = cache.length - cache.n_shared
    end = start + k.shape[2]
    if cache.length == 0 and cache.n > 1:
        cache.shared.append((k, v))
        return _whole(q, k, v, scale)
    cache.keys[layer][:, :, start:end] = k
    cache.values[layer][:, :, start:end] = v
    keys, values = cache.keys[layer][:, :, :end], cache.values[layer][:, :, :end]
    if cache.n_shared:
        return _attend_shared(q * scale, keys, values, *cache.shared[layer], cache.n)
    if q.shape[2] > 1:
        return _whole(q, k, v, scale)
    # Two batched products: for one query they are twice as fast as torch's fused attention.
    flat = q.reshape(-1, 1, q.shape[-1])  # (row · head, 1, d_head)
    scores = torch.bmm(flat * scale, keys.flatten(0, 1).transpose(1, 2))
    return torch.bmm(scores.softmax(-1), values.flatten(0, 1)).view(q.shape)


def _whole(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    return functional.scaled_dot_product_attention(q, k, v, is_causal=q.shape[2] > 1, scale=scale)


def _attend_shared(
    q: Tensor, keys: Tensor, values: Tensor, shared_keys: Tensor, shared_values: Tensor, n: int
) -> Tensor:
    """One scaled query a row: over the prompt's keys, read once for its `n` rows, and its own."""
    n_prompt, n_head, n_shared, d_head = shared_keys.shape
    # (prompt · n, head, 1, d) → (prompt, head, n, d)
    grouped = q.view(n_prompt, n, n_head, d_head).transpose(1, 2)
    over_shared = (grouped @ shared_keys.transpose(-1, -2)).transpose(1, 2)
    over_own = q @ keys.transpose(-1, -2)
    scores = torch.cat([over_shared.reshape(len(q), n_head, 1, n_shared), over_own], -1)
    weights = scores.softmax(-1)
    for_shared = weights[..., :n_shared].view(n_prompt, n, n_head, n_shared).transpose(1, 2)
    from_shared = (for_shared @ shared_values).transpose(1, 2).reshape(q.shape)
    return from_shared + weights[..., n_shared:] @ values
