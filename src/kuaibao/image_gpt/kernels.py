"""The small work between matrix products of a drawing step, as loops that numba compiles.

torch spends more on starting these operations than on doing them, and reads keys and values in
32 bits where memory is the limit. Here they lie in bfloat16 with positions innermost, so that every
loop is a plain run over memory; sums are in 32 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["add_and_norm", "attend", "quick_gelu", "to_bfloat16"]

_OPTIONS: dict[str, Any] = {"fastmath": True, "nogil": True, "cache": True, "error_model": "numpy"}
Floats = NDArray[np.float32]
Halves = NDArray[np.uint16]


def to_bfloat16(x: Floats) -> Halves:
    """Rounded to the nearest, as bits."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


@njit(inline="always")
def _wide(half: Any) -> Any:
    return np.uint32(np.uint32(half) << np.uint32(16)).view(np.float32)


@njit(inline="always")
def _half(x: Any) -> Any:
    bits = np.float32(x).view(np.uint32)
    odd = np.uint32((bits >> np.uint32(16)) & np.uint32(1))
    return np.uint16(np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))


@njit(inline="always")
def _exp(x: Any) -> Any:
    """e^x to a few 10⁻⁷ by a polynomial: a call of the library would keep the loop from vectors."""
    y = min(max(x, np.float32(-87.0)), np.float32(87.0)) * np.float32(1.44269504)
    whole = np.floor(y)
    f = y - whole
    p = np.float32(0.0001540353)
    for c in (0.0013333558, 0.0096181291, 0.0555041087, 0.2402265070, 0.6931471806, 1.0):
        p = p * f + np.float32(c)
    return p * np.int32(np.int32(np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(**_OPTIONS)
def add_and_norm(x: Floats, y: Floats, weight: Floats, eps: float, out: Floats) -> None:
    """Add y to x, then out = x / √(mean x² + eps) · weight; all (row, d)."""
    n, d = x.shape
    for i in range(n):
        total = np.float32(0)
        for c in range(d):
            x[i, c] += y[i, c]
            total += x[i, c] * x[i, c]
        scale = np.float32(1) / np.sqrt(total / np.float32(d) + np.float32(eps))
        for c in range(d):
            out[i, c] = x[i, c] * scale * weight[c]


@njit(**_OPTIONS)
def quick_gelu(x: Floats) -> None:
    """Put x · sigmoid(1.702 x) in the place of x."""
    n, d = x.shape
    for i in range(n):
        for c in range(d):
            x[i, c] /= np.float32(1) + _exp(np.float32(-1.702) * x[i, c])


@njit(inline="always")
def _scores(query: Any, keys: Any, scale: Any, scores: Any, n_key: int) -> None:
    for c in range(0, len(query), 4):
        a, b = query[c] * scale, query[c + 1] * scale
        e, f = query[c + 2] * scale, query[c + 3] * scale
        k, m, o, r = keys[c], keys[c + 1], keys[c + 2], keys[c + 3]
        if c == 0:
            for p in range(n_key):
                scores[p] = a * _wide(k[p]) + b * _wide(m[p]) + e * _wide(o[p]) + f * _wide(r[p])
        else:
            for p in range(n_key):
                scores[p] += a * _wide(k[p]) + b * _wide(m[p]) + e * _wide(o[p]) + f * _wide(r[p])


@njit(inline="always")
def _weighted(values: Any, weights: Any, total: Any, out: Any, n_key: int) -> None:
    for c in range(0, len(out), 4):
        k, m, o, r = values[c], values[c + 1], values[c + 2], values[c + 3]
        a, b, e, f = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for p in range(n_key):
            w = weights[p]
            a += w * _wide(k[p])
            b += w * _wide(m[p])
            e += w * _wide(o[p])
            f += w * _wide(r[p])
        out[c] += a / total
        out[c + 1] += b / total
        out[c + 2] += e / total
        out[c + 3] += f / total


@njit(**_OPTIONS)
def attend(
    qkv: NDArray[np.float32], shared_keys: Halves, shared_values: Halves, keys: Halves,
    values: Halves, n_shared: int, end: int, first_row: int, last_row: int, out: Floats,
) -> None:  # fmt: skip
    """One new position a row over its prompt's keys, shared by rows in a row, and its own.

    Args:
        qkv: (row, 3, head, d_head) of the new position; its key and value are kept at `end - 1`.
        shared_keys: (prompt, head, d_head, position).
        shared_values: Likewise.
        keys: (row, head, d_head, position).
        values: Likewise.
        n_shared: Positions of the prompts that are shared; 0 for none.
        end: Positions of a row's own, the new one with them.
        first_row: Rows from here
        last_row: to before here are done.
        out: (row, head, d_head).
    """
    n_row, n_head, d_head = out.shape
    n = n_row // len(shared_keys)
    scale = np.float32(1.0 / np.sqrt(d_head))
    scores = np.empty(n_shared + end, dtype=np.float32)
    # Heads outside rows: a prompt's keys of one head stay near while its rows read them.
    for first in range(first_row, last_row, n):
        for j in range(n_head):
            for i in range(first, min(first + n, last_row)):
                for c in range(d_head):
                    keys[i, j, c, end - 1] = _half(qkv[i, 1, j, c])
                    values[i, j, c, end - 1] = _half(qkv[i, 2, j, c])
                    out[i, j, c] = 0
                query, g = qkv[i, 0, j], i // n
                if n_shared > 0:
                    _scores(query, shared_keys[g, j], scale, scores, n_shared)
                _scores(query, keys[i, j], scale, scores[n_shared:], end)
                top = np.float32(-1e30)
                for p in range(n_shared + end):
                    top = max(top, scores[p])
                total = np.float32(0)
                for p in range(n_shared + end):
                    scores[p] = _exp(scores[p] - top)
                    total += scores[p]
                if n_shared > 0:
                    _weighted(shared_values[g, j], scores, total, out[i, j], n_shared)
                _weighted(values[i, j], scores[n_shared:], total, out[i, j], end)
