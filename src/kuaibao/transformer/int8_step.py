"""New tokens through all layers of an int8 decoder, as one call of machine code.

A step at batch 1 lasts a few milliseconds, of which the calls of some hundred small operations
would take a fifth. What this does not cover (cross-attention, other activations)
goes through the modules instead.
"""

# numba source: its types are those of the arguments it is called with.
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportCallIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.transformer.activations import GATES
from kuaibao.transformer.cache import KeyValueCache
from kuaibao.transformer.int8_kernels import multiply
from kuaibao.transformer.sharing import n_sharing, shared
from kuaibao.transformer.step_kernels import attend_int8, gated

__all__ = ["Int8Stack"]

_ONE = np.float32(1.0)


class Int8Stack:
    """The layers of a quantised decoder as arrays with a layer axis, ready for a step.

    Args:
        model: `Decoder` whose linear layers are `QuantizedLinear`; their weights become parts of
            these arrays.
    """

    def __init__(self, model: Any) -> None:
        config, blocks = model.config, list(model.blocks)
        norms = [(*_norm(block.norm_1), *_norm(block.norm_2)) for block in blocks]
        self.arrays = [np.stack(parts) for parts in zip(*norms, strict=True)]
        for name in ("attention.qkv", "attention.out", "feed_forward.up", "feed_forward.down"):
            self.arrays += _stacked([block.get_submodule(name) for block in blocks])
        attentions = [block.attention for block in blocks]
        self.scales = np.array([a.scale for a in attentions], np.float32)
        self.windows = np.array([a.window for a in attentions], np.int64)
        a, b = GATES[config.activation]
        self.rules = (config.d_inner, np.float32(config.norm_eps), config.norm == "layer",
                      np.float32(a), np.float32(b))  # fmt: skip
        self._ends = _ends(model)
        self.n_vocabulary: int = config.vocab_size

    @classmethod
    def of(cls, model: Any) -> Int8Stack | None:
        """For a model that it covers, else None."""
        config = model.config
        is_covered = not config.is_encoder_decoder and config.activation in GATES
        return cls(model) if is_covered else None

    def step(self, x: Tensor, cache: KeyValueCache, slots: Tensor, starts: Tensor) -> Tensor:
        """Take embedded tokens (row, d) through all layers; gives the output of the last.

        Args:
            x: New tokens: one of each sequence, or several of one in their order.
            cache: int8; the new keys and values are written into it.
            slots: Where each token's sequence lies (row).
            starts: Positions of the new tokens (row).
        """
        hidden = x.numpy().copy()
        _run(hidden, *self._given(cache, slots.numpy(), starts.numpy()))
        return torch.from_numpy(hidden)

    @property
    def is_whole(self) -> bool:
        """Whether `logits` may be called: embeddings and head are of the usual kind."""
        return self._ends is not None

    def logits(
        self, ids: NDArray[np.int64], cache: KeyValueCache, slots: NDArray[np.int64],
        starts: NDArray[np.int64], *, all_rows: bool = True,
    ) -> NDArray[np.float32]:  # fmt: skip
        """The same from token ids to logits (row, vocabulary), or (1, vocabulary) of the last."""
        assert self._ends is not None
        tokens, places, *last = self._ends
        hidden = tokens[ids] + places[starts]
        _run(hidden, *self._given(cache, slots, starts))
        wanted = hidden if all_rows else hidden[-1:]
        out = np.empty((len(wanted), self.n_vocabulary), np.float32)
        _finish(wanted, *last, *self.rules[1:3], out, n_sharing())
        return out

    def _given(self, cache: KeyValueCache, slots: Any, starts: Any) -> tuple[Any, ...]:
        n_part = n_sharing()
        # Tokens of one sequence see those before them: one thread writes and reads them in order.
        n_attending = n_part if len(slots) < 2 or slots[0] != slots[1] else 1
        return (
            *self.arrays, *(t.numpy() for t in cache.tensors), slots, starts, self.scales,
            self.windows, *self.rules, n_part, n_attending,
        )  # fmt: skip


def _stacked(layers: list[Any]) -> list[Any]:
    """Weights, scales and biases of one linear layer of each block, held once."""
    found: list[Any] = []
    for name in ("packed", "scale", "bias"):
        whole = np.stack([getattr(layer, name) for layer in layers])
        for layer, part in zip(layers, whole, strict=True):
            setattr(layer, name, part)
        found.append(whole)
    return found


def _ends(model: Any) -> tuple[Any, ...] | None:
    """Embeddings, last norm and head as arrays; None where a model has them otherwise."""
    config = model.config
    head = model.fast_head if config.tie_head else model.head
    is_usual = (
        config.position == "learned"
        and not config.scale_embedding
        and getattr(model, "logits_bias", None) is None
        and model.tokens.weight.dtype == torch.float32
    )
    if not is_usual:
        return None
    return (
        model.tokens.weight.detach().numpy(), model.positions.weight.detach().numpy(),
        *_norm(model.norm), head.packed, head.scale, head.bias,
    )  # fmt: skip


def _norm(module: Any) -> tuple[Any, Any]:
    weight = module.weight.detach().numpy()
    bias = getattr(module, "bias", None)
    return weight, np.zeros_like(weight) if bias is None else bias.detach().numpy()


@njit(cache=True, nogil=True, fastmath=True)
def _normalize(x, weight, bias, eps, is_centred, out):
    """Layer norm, or without its mean RMS norm, of each row."""
    width = np.float32(x.shape[1])
    for i in range(len(x)):
        row = x[i]
        mean = np.float32(0.0)
        if is_centred:
            for j in range(len(row)):
                mean += row[j]
            mean /= width
        spread = np.float32(0.0)
        for j in range(len(row)):
            spread += (row[j] - mean) * (row[j] - mean)
        rate = _ONE / np.sqrt(spread / width + eps)
        for j in range(len(row)):
            out[i, j] = (row[j] - mean) * rate * weight[j] + bias[j]


@njit(cache=True, nogil=True, fastmath=True)
def _activate(x, a, b):
    for j in range(len(x)):
        x[j] = gated(x[j], a, b)


@njit(cache=True, nogil=True, fastmath=True)
def _add(x, y):
    for i in range(len(x)):
        for j in range(x.shape[1]):
            x[i, j] += y[i, j]


@shared(cache=True, nogil=True, fastmath=True)
def _run(
    x, norm_1, shift_1, norm_2, shift_2, qkv_w, qkv_s, qkv_b, out_w, out_s, out_b, up_w, up_s, up_b,
    down_w, down_s, down_b, keys, values, key_scales, value_scales, slots, starts, scales, windows,
    n_inner, eps, is_centred, a, b, n_part, n_attending,
):  # fmt: skip
    n_batch, width = x.shape
    n_head, d_head = keys.shape[2], keys.shape[4]
    normed, added = np.empty_like(x), np.empty_like(x)
    qkv = np.empty((n_batch, 3 * width), np.float32)
    inner = np.empty((n_batch, n_inner), np.float32)
    for i in range(len(keys)):
        _normalize(x, norm_1[i], shift_1[i], eps, is_centred, normed)
        multiply(normed, qkv_w[i], qkv_s[i], qkv_b[i], qkv, n_part)
        attend_int8(
            qkv.reshape(n_batch, 3, n_head, d_head), keys[i], values[i], key_scales[i],
            value_scales[i], slots, starts, scales[i], windows[i],
            normed.reshape(n_batch, n_head, d_head), n_attending,
        )  # fmt: skip
        multiply(normed, out_w[i], out_s[i], out_b[i], added, n_part)
        _add(x, added)
        _normalize(x, norm_2[i], shift_2[i], eps, is_centred, normed)
        multiply(normed, up_w[i], up_s[i], up_b[i], inner, n_part)
        flat = inner.reshape(-1)
        for part in prange(n_part):
            _activate(flat[part * len(flat) // n_part : (part + 1) * len(flat) // n_part], a, b)
        multiply(inner, down_w[i], down_s[i], down_b[i], added, n_part)
        _add(x, added)


@shared(cache=True, nogil=True, fastmath=True)
def _finish(x, norm, shift, head_w, head_s, head_b, eps, is_centred, out, n_part):
    normed = np.empty_like(x)
    # In parts only so that numba starts its threads for this function: see `multiply`.
    for part in prange(n_part):
        first, last = part * len(x) // n_part, (part + 1) * len(x) // n_part
        _normalize(x[first:last], norm, shift, eps, is_centred, normed[first:last])
    multiply(normed, head_w, head_s, head_b, out, n_part)
