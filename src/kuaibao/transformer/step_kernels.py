"""Attention of one new token a sequence over its cache, as machine code (numba, on the CPU).

A matrix library is slow at a single query: most of its time goes into calls and copies. Here each
sequence and head reads its own keys and values once, in place, up to its own length; so nothing is
padded, gathered or masked, and what a sequence gets can't depend on its neighbours.
"""

# numba source: its types are those of the arguments it is called with.
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit

__all__ = ["kernel"]

_LOG2_E = np.float32(1.4426950408889634)
# 2^f on [0, 1): minimax polynomial of degree 5, off by 2e-7 at most.
_C0, _C1, _C2 = np.float32(0.99999994), np.float32(0.69315308), np.float32(0.24015361)
_C3, _C4, _C5 = np.float32(0.05582631), np.float32(0.00898934), np.float32(0.00187757)
_LEAST = np.float32(-126.0)
_LOWEST, _TINY = np.float32(-3e38), np.float32(1e-30)
_QUANTA = np.float32(127.0)


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _softmax(scores, power, bits, first, end, largest):
    """exp(score - largest) in place, and their sum; `bits` is the same memory as `power`."""
    for j in range(first, end):
        x = max((scores[j] - largest) * _LOG2_E, _LEAST)
        whole = np.floor(x)
        f = x - whole
        bits[j] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        scores[j] = _C0 + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * _C5))))
    total = np.float32(0.0)
    for j in range(first, end):
        scores[j] *= power[j]
        total += scores[j]
    return total


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _store(source, target):
    """Round a vector to int8 by its own largest value; gives the scale."""
    largest = _TINY
    for d in range(len(source)):
        largest = max(largest, abs(source[d]))
    for d in range(len(source)):
        target[d] = np.int8(np.rint(source[d] * (_QUANTA / largest)))
    return largest / _QUANTA


@lru_cache
def kernel(d_head: int, *, is_int8: bool):
    """The kernel for heads of `d_head` numbers: with the width known the loops need no ends.

    float32: `f(qkv, keys, values, slots, starts, scale, window, out)`; int8 has the scales of keys
    and values (slot, head, position) after these. Each writes the new keys and values, then
    attends.

    - `qkv` (batch, 3, head, d_head): query, key and value of the new tokens
    - `keys`, `values` (slot, head, position, d_head): the cache's
    - `slots` (batch): where each sequence lies; `starts` (batch): its new token's position
    - `scale` of the scores; `window`: only so many latest positions are seen, 0 for all
    - `out` (batch, head, d_head): written
    """
    return _int8(d_head) if is_int8 else _float32(d_head)


def _float32(width):
    @njit(cache=True, nogil=True, fastmath=True)
    def attend(qkv, keys, values, slots, starts, scale, window, out):
        n_head = qkv.shape[2]
        scores = np.empty(keys.shape[2], np.float32)
        power = np.empty(keys.shape[2], np.float32)
        bits = power.view(np.int32)
        for b in range(len(slots)):
            end = starts[b] + 1
            first = max(0, end - window) if window > 0 else 0
            for h in range(n_head):
                k, v, q, o = keys[slots[b], h], values[slots[b], h], qkv[b, 0, h], out[b, h]
                for d in range(width):
                    k[end - 1, d] = qkv[b, 1, h, d]
                    v[end - 1, d] = qkv[b, 2, h, d]
                largest = _LOWEST
                for j in range(first, end):
                    s = np.float32(0.0)
                    for d in range(width):
                        s += q[d] * k[j, d]
                    s *= scale
                    scores[j] = s
                    largest = max(largest, s)
                total = _softmax(scores, power, bits, first, end, largest)
                for d in range(width):
                    o[d] = np.float32(0.0)
                for j in range(first, end):
                    p = scores[j]
                    for d in range(width):
                        o[d] += p * v[j, d]
                for d in range(width):
                    o[d] /= total

    return attend


def _int8(width):
    @njit(cache=True, nogil=True, fastmath=True)
    def attend(qkv, keys, values, key_scales, value_scales, slots, starts, scale, window, out):
        n_head = qkv.shape[2]
        scores = np.empty(keys.shape[2], np.float32)
        power = np.empty(keys.shape[2], np.float32)
        bits = power.view(np.int32)
        for b in range(len(slots)):
            end = starts[b] + 1
            first = max(0, end - window) if window > 0 else 0
            for h in range(n_head):
                k, v, q, o = keys[slots[b], h], values[slots[b], h], qkv[b, 0, h], out[b, h]
                ks, vs = key_scales[slots[b], h], value_scales[slots[b], h]
                ks[end - 1] = _store(qkv[b, 1, h], k[end - 1])
                vs[end - 1] = _store(qkv[b, 2, h], v[end - 1])
                largest = _LOWEST
                for j in range(first, end):
                    s = np.float32(0.0)
                    for d in range(width):
                        s += q[d] * np.float32(k[j, d])
                    s *= scale * ks[j]
                    scores[j] = s
                    largest = max(largest, s)
                total = _softmax(scores, power, bits, first, end, largest)
                for d in range(width):
                    o[d] = np.float32(0.0)
                for j in range(first, end):
                    p = scores[j] * vs[j]
                    for d in range(width):
                        o[d] += p * np.float32(v[j, d])
                for d in range(width):
                    o[d] /= total

    return attend
