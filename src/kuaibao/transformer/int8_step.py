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
from torch import Tensor

from kuaibao.transformer.activations import GATES
from kuaibao.transformer.cache import KeyValueCache
from kuaibao.transformer.int8_kernels import multiply
from kuaibao.transformer.sharing import CAN_SHARE, n_sharing
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
        n_part = n_sharing()
        # Tokens of one sequence see those before them: one thread writes and reads them in order.
        n_attending = n_part if len(slots) < 2 or int(slots[0]) != int(slots[1]) else 1
        hidden = x.numpy().copy()
        _run(
            hidden, *self.arrays, *(t.numpy() for t in cache.tensors), slots.numpy(),
            starts.numpy(), self.scales, self.windows, *self.rules, n_part, n_attending,
        )  # fmt: skip
        return torch.from_numpy(hidden)


def _stacked(layers: list[Any]) -> list[Any]:
    """Weights, scales and biases of one linear layer of each block, held once."""
    found: list[Any] = []
    for name in ("packed", "scale", "bias"):
        whole = np.stack([getattr(layer, name) for layer in layers])
        for layer, part in zip(layers, whole, strict=True):
            setattr(layer, name, part)
        found.append(whole)
    return found


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


@njit(cache=True, nogil=True, fastmath=True, parallel=CAN_SHARE)
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
