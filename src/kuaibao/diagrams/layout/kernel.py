"""The compiled heart of the layout: a batch of lanes over one tape, each at its own point.

Everything here and in `instructions` and `descent` is numba source with pointers for arguments,
without allocation, exceptions or Python objects, so that the machine code can be kept as one object
file and run without numba (see `machine.py`). Rows hold one number a lane; lanes (candidates) are
the inner, contiguous axis. Rows stand in this order: constants, fixed inputs, prologue (needs no
moving input), then, from `first_moving` on, moving inputs and body; only these have derivatives.
"""

# numba source: arguments are machine integers and pointers, which Python's types can't name.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportOptionalMemberAccess=false

from __future__ import annotations

import math

from numba import njit, types

from kuaibao.diagrams.layout import slots
from kuaibao.diagrams.layout.descent import copy, energies, step_lane
from kuaibao.diagrams.layout.instructions import NATIVE, forward, reverse

__all__ = ["advance"]

I64 = types.CPointer(types.int64)
I32 = types.CPointer(types.int32)
F64 = types.CPointer(types.float64)


@njit(**NATIVE)
def load_lane(lane, candidate, ip, fp, f, i, stride, starts, fixed, n_fixed, v, n, width):
    """Put a waiting candidate into a lane."""
    at = lane * stride
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    for q in range(slots.COUNT_F):
        f[m + q] = 0.0
    for q in range(slots.I_STRIDE):
        i[lane * slots.I_STRIDE + q] = 0
    i[lane * slots.I_STRIDE + slots.CANDIDATE] = candidate
    f[m + slots.WEIGHT] = fp[slots.W_START]
    f[m + slots.PHI_ROUND] = math.inf
    f[m + slots.PENALTY_ROUND] = math.inf
    for q in range(n):
        f[at + q] = starts[candidate * n + q]
        f[at + 3 * n + q] = f[at + q]
        f[at + 6 * n + q] = math.inf
    first = ip[slots.FIRST_MOVING] - ip[slots.N_PROLOGUE] - n_fixed
    for q in range(n_fixed):
        v[(first + q) * width + lane] = fixed[candidate * n_fixed + q]


@njit(**NATIVE)
def _move_lane(source, target, ip, f, i, stride, v, width):
    """Close the gap that a finished lane leaves."""
    copy(f, source * stride, target * stride, stride)
    for q in range(slots.I_STRIDE):
        i[target * slots.I_STRIDE + q] = i[source * slots.I_STRIDE + q]
    for r in range(ip[slots.FIRST_MOVING]):
        v[r * width + target] = v[r * width + source]


@njit(
    types.int64(I64, F64, I32, I32, I32, I32, I32, I32, F64, F64, F64, I64, F64, F64, F64, I64),
    **NATIVE,
)
def advance(
    ip, fp, ops, left, right, third, terms, is_objective, v, d, f, i, starts, fixed, out, report
):
    """Optimise until all candidates are done or `MAX_EVALS` evaluations of the batch are spent.

    `ip`, `fp`: sizes, settings and the running counters (see `slots.py`). `ops` ... `third`: the
    prologue's then the body's instructions. `v`, `d`: values and derivatives (rows x width).
    `f`, `i`: the lanes' states. `starts`, `fixed`: inputs of all candidates, by candidate.
    `out`: final moving inputs; `report`: four numbers a candidate (state, steps, rounds, evals).

    With no candidates it runs the body once, forward, over whatever stands in `v`.

    Returns:
        The number of candidates still unfinished.
    """
    n, width, n_prologue = ip[slots.N_MOVING], ip[slots.WIDTH], ip[slots.N_PROLOGUE]
    n_fixed = ip[slots.N_FIXED]
    stride = (slots.N_VECTORS + 2 * slots.MEMORY) * n + slots.COUNT_F + 2 * slots.MEMORY
    m = (slots.N_VECTORS + 2 * slots.MEMORY) * n
    first_moving = ip[slots.FIRST_MOVING]
    fresh = False
    spent = 0
    if ip[slots.N_CANDIDATES] == 0:  # only the values are wanted
        forward(spent, ip[slots.N_BODY], first_moving, ops, left, right, third, v, width, width)
        return 0
    while True:
        while ip[slots.N_LANES] < width and ip[slots.NEXT] < ip[slots.N_CANDIDATES]:
            load_lane(
                ip[slots.N_LANES],
                ip[slots.NEXT],
                ip,
                fp,
                f,
                i,
                stride,
                starts,
                fixed,
                n_fixed,
                v,
                n,
                width,
            )
            ip[slots.N_LANES] += 1
            ip[slots.NEXT] += 1
            fresh = True
        lanes = ip[slots.N_LANES]
        if lanes == 0 or spent >= ip[slots.MAX_EVALS]:
            break
        for k in range(lanes):
            for q in range(n):
                v[(first_moving + q) * width + k] = f[k * stride + 3 * n + q]
        for part in range(0 if fresh else 1, 2):
            first, count, row = n_prologue, ip[slots.N_BODY], first_moving + n
            if part == 0:
                first, count, row = 0, n_prologue, first_moving - n_prologue
            forward(first, count, row, ops, left, right, third, v, lanes, width)
        fresh = False
        energies(ip, terms, is_objective, v, d, f, stride, m, lanes, width)
        reverse(
            ip[slots.N_BODY], first_moving + n, first_moving, ops, left, right, third, n_prologue,
            v, d, lanes, width,
        )  # fmt: skip
        spent += 1
        ip[slots.SPENT] += 1
        for k in range(lanes):
            for q in range(n):
                f[k * stride + 4 * n + q] = d[(first_moving + q) * width + k]
        k = 0
        while k < ip[slots.N_LANES]:
            here = k * slots.I_STRIDE
            i[here + slots.TOTAL] += 1
            step_lane(f, i, here, ip, fp, k * stride, n)
            if i[here + slots.DONE] == 0:
                k += 1
                continue
            candidate = i[here + slots.CANDIDATE]
            for q in range(n):
                out[candidate * n + q] = f[k * stride + q]
            report[candidate * 4] = i[here + slots.DONE]
            report[candidate * 4 + 1] = i[here + slots.STEPS]
            report[candidate * 4 + 2] = i[here + slots.ROUND_NO]
            report[candidate * 4 + 3] = i[here + slots.TOTAL]
            ip[slots.N_LANES] -= 1
            if k < ip[slots.N_LANES]:
                _move_lane(ip[slots.N_LANES], k, ip, f, i, stride, v, width)
    return ip[slots.N_LANES] + ip[slots.N_CANDIDATES] - ip[slots.NEXT]
