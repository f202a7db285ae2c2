"""Attention of one new token a sequence over its cache, as machine code (numba, on the CPU).

A matrix library is slow at a single query: most of its time goes into calls and copies. Here each
sequence and head reads its own keys and values once, in place, up to its own length; so nothing is
padded, gathered or masked, and what a sequence gets can't depend on its neighbours.
"""

# numba source: its types are those of the arguments it is called with.
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportCallIssue=false

from __future__ import annotations

import numpy as np
from numba import njit, prange

from kuaibao.transformer.instructions import floor, larger, nearest, power_of_two
from kuaibao.transformer.sharing import shared

__all__ = ["attend_float32", "attend_int8", "exponential", "gated"]

_LOG2_E = np.float32(1.4426950408889634)
# 2^f on [0, 1): minimax polynomial of degree 5, off by 2e-7 at most.
_C0, _C1, _C2 = np.float32(0.99999994), np.float32(0.69315308), np.float32(0.24015361)
_C3, _C4, _C5 = np.float32(0.05582631), np.float32(0.00898934), np.float32(0.00187757)
_LEAST, _MOST = np.float32(-126.0), np.float32(126.0)
_ONE = np.float32(1.0)
_LOWEST, _TINY = np.float32(-3e38), np.float32(1e-30)
_QUANTA = np.float32(127.0)


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def exponential(x):
    """Exp of a float32, off by 3e-7 of its value; beyond ±87 it stays as there."""
    power = -larger(-larger(x * _LOG2_E, _LEAST), -_MOST)
    whole = floor(power)
    f = power - whole
    rest = _C0 + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * _C5))))
    return rest * power_of_two(np.int32(whole))


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def gated(x, a, b):
    """X · sigmoid(a x + b x³) of a float32."""
    return x / (_ONE + exponential(-x * (a + b * x * x)))


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _softmax(scores, largest):
    """exp(score - largest) in place, and their sum."""
    total = np.float32(0.0)
    for j in range(len(scores)):
        e = exponential(scores[j] - largest)
        scores[j] = e
        total += e
    return total


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _store(source, target):
    """Round a vector to int8 by its own largest value; gives the scale."""
    largest = _TINY
    for d in range(len(source)):
        largest = larger(largest, abs(source[d]))
    for d in range(len(source)):
        target[d] = np.int8(np.int32(nearest(source[d] * (_QUANTA / largest))))
    return largest / _QUANTA


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _one_float32(width, q, new_k, new_v, k, v, start, scale, window, scores, o):
    """One sequence and head: write the new key and value, then attend from `q`."""
    begin = max(0, start + 1 - window) if window > 0 else 0
    for d in range(width):
        k[start, d] = new_k[d]
        v[start, d] = new_v[d]
    largest = _LOWEST
    for j in range(begin, start + 1):
        s = np.float32(0.0)
        for d in range(width):
            s += q[d] * k[j, d]
        s *= scale
        scores[j] = s
        largest = larger(largest, s)
    total = _softmax(scores[begin : start + 1], largest)
    for d in range(width):
        o[d] = np.float32(0.0)
    for j in range(begin, start + 1):
        p = scores[j]
        for d in range(width):
            o[d] += p * v[j, d]
    for d in range(width):
        o[d] /= total


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _one_int8(width, q, new_k, new_v, k, v, ks, vs, start, scale, window, scores, o):
    """The same where keys and values are int8, with a scale a position."""
    begin = max(0, start + 1 - window) if window > 0 else 0
    ks[start] = _store(new_k, k[start])
    vs[start] = _store(new_v, v[start])
    largest = _LOWEST
    for j in range(begin, start + 1):
        s = np.float32(0.0)
        for d in range(width):
            s += q[d] * np.float32(k[j, d])
        s *= scale * ks[j]
        scores[j] = s
        largest = larger(largest, s)
    total = _softmax(scores[begin : start + 1], largest)
    for d in range(width):
        o[d] = np.float32(0.0)
    for j in range(begin, start + 1):
        p = scores[j] * vs[j]
        for d in range(width):
            o[d] += p * np.float32(v[j, d])
    for d in range(width):
        o[d] /= total


@shared(cache=True, nogil=True, fastmath=True)
def attend_float32(qkv, keys, values, slots, starts, scale, window, out, n_part):
    """Write the new keys and values of each sequence, then attend.

    Args:
        qkv: (batch, 3, head, d_head): query, key and value of the new tokens.
        keys: (slot, head, position, d_head): the cache's.
        values: As `keys`.
        slots: (batch): where each sequence lies.
        starts: (batch): its new token's position.
        scale: Of the scores.
        window: Only so many latest positions are seen; 0 for all.
        out: (batch, head, d_head): written.
        n_part: Threads that share sequences and heads.
    """
    n_head, width = qkv.shape[2], qkv.shape[3]
    n = len(slots) * n_head
    for part in prange(n_part):
        scores = np.empty(keys.shape[2], np.float32)
        for i in range(part * n // n_part, (part + 1) * n // n_part):
            b, h = i // n_head, i % n_head
            slot = slots[b]
            q, new_k, new_v = qkv[b, 0, h], qkv[b, 1, h], qkv[b, 2, h]
            # With the width known the loops need no ends: twice as fast.
            if width == 64:
                _one_float32(64, q, new_k, new_v, keys[slot, h], values[slot, h], starts[b], scale,
                             window, scores, out[b, h])  # fmt: skip
            else:
                _one_float32(width, q, new_k, new_v, keys[slot, h], values[slot, h], starts[b],
                             scale, window, scores, out[b, h])  # fmt: skip


@shared(cache=True, nogil=True, fastmath=True)
def attend_int8(qkv, keys, values, key_scales, value_scales, slots, starts, scale, window, out,
                n_part):  # fmt: skip
    """`attend_float32` with an int8 cache; the scales are (slot, head, position)."""
    n_head, width = qkv.shape[2], qkv.shape[3]
    n = len(slots) * n_head
    for part in prange(n_part):
        scores = np.empty(keys.shape[2], np.float32)
        for i in range(part * n // n_part, (part + 1) * n // n_part):
            b, h = i // n_head, i % n_head
            slot = slots[b]
            q, new_k, new_v = qkv[b, 0, h], qkv[b, 1, h], qkv[b, 2, h]
            k, v, ks, vs = (keys[slot, h], values[slot, h], key_scales[slot, h],
                            value_scales[slot, h])  # fmt: skip
            if width == 64:
                _one_int8(64, q, new_k, new_v, k, v, ks, vs, starts[b], scale, window, scores,
                          out[b, h])  # fmt: skip
            else:
                _one_int8(width, q, new_k, new_v, k, v, ks, vs, starts[b], scale, window, scores,
                          out[b, h])  # fmt: skip
