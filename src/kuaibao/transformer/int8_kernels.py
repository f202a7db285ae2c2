"""Products of int8 matrices as machine code (numba, on the CPU): exact, whatever the batch.

A token that is written reads every weight once, so the layout is made for reading: blocks of 64
output channels, and within a block four inputs of all 64 side by side, which is one long stream.

Each row of the input is scaled by its own largest value, so that a sequence's numbers never depend
on its neighbours in the batch. (Dynamic quantisation usually takes one range for the whole batch.)
Sums are integers, hence the same in any order and on any processor.
"""

# numba source: its types are those of the arguments it is called with.
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportCallIssue=false

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from kuaibao.transformer.instructions import (
    BLOCK,
    GROUP,
    HAS_VNNI,
    N_ROW,
    larger,
    nearest,
    tile_of,
)
from kuaibao.transformer.sharing import shared

__all__ = ["multiply", "pack", "quantize_rows"]

_ZERO = 128
"""Added to weights: the instruction takes one side without a sign."""
_TINY, _QUANTA = np.float32(1e-12), np.float32(127.0)


_tile_1, _tile_2, _tile_3, _tile_4, _tile_5, _tile_6 = (
    tile_of(n, has_vnni=HAS_VNNI) for n in range(1, 7)
)


def pack(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A matrix (out, in) as blocks (block, in · BLOCK), and a scale a channel (block · BLOCK)."""
    n_out, n_in = weight.shape
    n_block, n_group = -(-n_out // BLOCK), -(-n_in // GROUP)
    scale = np.zeros(n_block * BLOCK, np.float32)
    scale[:n_out] = np.maximum(np.abs(weight).max(1), _TINY) / _QUANTA
    packed = np.empty((n_block, n_group, BLOCK, GROUP), np.uint8)
    whole = np.empty((BLOCK, n_group * GROUP), np.uint8)
    for block in range(n_block):
        rows = weight[block * BLOCK : (block + 1) * BLOCK]
        whole[:] = _ZERO
        whole[: len(rows), :n_in] = (
            np.rint(rows / scale[block * BLOCK : block * BLOCK + len(rows), None]) + _ZERO
        )
        packed[block] = whole.reshape(BLOCK, n_group, GROUP).transpose(1, 0, 2)
    return packed.reshape(n_block, -1), scale


@njit(cache=True, nogil=True, fastmath=True)
def quantize_rows(x, rounded, scales, shifts):
    """Each row of `x` (row, k) as int8 `rounded` (row, padded k), its scale and what to take off.

    `shifts` is 128 times the sum of the rounded row: what the weights' missing sign has added.
    """
    for i in range(len(x)):
        row, target = x[i], rounded[i]
        largest = _TINY
        for j in range(len(row)):
            largest = larger(largest, abs(row[j]))
        inverse = _QUANTA / largest
        total = np.float32(0.0)  # of whole numbers, below 2^24: exact in any order
        for j in range(len(row)):
            whole = nearest(row[j] * inverse)
            target[j] = np.int8(np.int32(whole))
            total += whole
        for j in range(len(row), len(target)):
            target[j] = np.int8(0)
        scales[i] = largest / _QUANTA
        shifts[i] = np.int32(total) * np.int32(_ZERO)


@njit(cache=True, nogil=True, fastmath=True)
def _blocks(first, last, x, scales, shifts, weights, weight_scales, bias, out):
    """The output channels of some blocks, for all rows."""
    n_row, n_out = out.shape
    n_tile = (n_row + N_ROW - 1) // N_ROW
    height = (n_row + n_tile - 1) // n_tile
    sums = np.empty((height, BLOCK), np.int32)
    for block in range(first, last):
        w = weights[block]
        start = block * BLOCK
        n_column = min(BLOCK, n_out - start)
        for top in range(0, n_row, height):
            n = min(height, n_row - top)
            part = x[top : top + n]
            if n == 1:
                _tile_1(part, w, sums)
            elif n == 2:
                _tile_2(part, w, sums)
            elif n == 3:
                _tile_3(part, w, sums)
            elif n == 4:
                _tile_4(part, w, sums)
            elif n == 5:
                _tile_5(part, w, sums)
            else:
                _tile_6(part, w, sums)
            for i in range(n):
                shift, scale = shifts[top + i], scales[top + i]
                for j in range(n_column):
                    whole = np.float32(np.int32(sums[i, j] - shift))
                    out[top + i, start + j] = (
                        whole * (scale * weight_scales[start + j]) + bias[start + j]
                    )


@shared(cache=True, nogil=True, fastmath=True)
def multiply(x, weights, weight_scales, bias, out, n_part):
    """`out` (row, n_out) = `x` (row, k) times packed weights, plus `bias` (padded n_out).

    `n_part` threads share the output channels. (A cached function that calls this must itself be
    one with `prange`: else numba does not start its threads when it loads it.)
    """
    n_row, n_block = len(x), len(weights)
    rounded = np.empty((n_row, weights.shape[1] // BLOCK), np.int8)
    scales, shifts = np.empty(n_row, np.float32), np.empty(n_row, np.int32)
    quantize_rows(x, rounded, scales, shifts)
    for part in prange(n_part):
        _blocks(part * n_block // n_part, (part + 1) * n_block // n_part, rounded, scales, shifts,
                weights, weight_scales, bias, out)  # fmt: skip
