"""The compiled heart of the layout: a tape machine and a batched optimiser over raw memory.

Everything here is numba source with pointers for arguments, without allocation, exceptions or
Python objects, so that the machine code can be kept as one object file and run without numba
(see `machine.py`). Rows hold one number a lane; lanes (candidates) are the inner, contiguous
axis. Rows stand in this order: constants, fixed inputs, prologue (needs no moving input), then,
from `first_moving` on, moving inputs and body. Only the latter have derivatives.

The method is Penrose's (exterior penalty rounds, L-BFGS of memory 17, weak Wolfe line search);
what the compatible mode leaves out is marked `ours`.
"""

# numba source: arguments are machine integers and pointers, which Python's types can't name.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportOptionalMemberAccess=false

from __future__ import annotations

import math

import numpy as np
from numba import njit, types

from kuaibao.diagrams.graph import (
    ABS,
    ACOS,
    ACOSH,
    ADD,
    AND,
    ASIN,
    ASINH,
    ATAN,
    ATAN2,
    ATANH,
    CBRT,
    CEIL,
    COS,
    COSH,
    DIV,
    EQ,
    EXP,
    EXPM1,
    FLOOR,
    LE,
    LOG,
    LOG1P,
    LOG2,
    LOG10,
    LT,
    MAX,
    MIN,
    MUL,
    NEG,
    NOT,
    OR,
    POW,
    ROUND,
    SELECT,
    SIGN,
    SIN,
    SINH,
    SQR,
    SQRT,
    SUB,
    TAN,
    TANH,
    TRUNC,
    XOR,
)  # fmt: skip
from kuaibao.diagrams.layout.slots import (
    BASE,
    BASE_AFTER,
    CANDIDATE,
    COMPATIBLE,
    CONVERGED,
    COUNT_F,
    DG,
    DONE,
    EVALS,
    FIRST_MOVING,
    HEAD,
    HI,
    I_STRIDE,
    LINE,
    LO,
    MAX_EVALS,
    MAX_STEPS,
    MEMORY,
    N_BODY,
    N_CANDIDATES,
    N_FIXED,
    N_LANES,
    N_MEM,
    N_MOVING,
    N_PROLOGUE,
    N_ROWS,
    N_TERMS,
    NAN,
    NEXT,
    NUDGES,
    PENALTY,
    PENALTY_ROUND,
    PHASE,
    PHI,
    PHI_ROUND,
    RESTARTED,
    ROUND_NO,
    SPENT,
    STEPS,
    STEPS_CAP,
    TOTAL,
    TRIAL_PENALTY,
    TRIAL_PHI,
    W_CAP,
    W_START,
    WEIGHT,
    WIDTH,
    T,
)  # fmt: skip

I64 = types.CPointer(types.int64)
I32 = types.CPointer(types.int32)
F64 = types.CPointer(types.float64)
OPTIONS = {
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_LN2, _LN10 = math.log(2.0), math.log(10.0)


@njit(**OPTIONS)
def _forward(first, count, row, ops, left, right, third, v, n, width):
    """Run `count` instructions from `first`; instruction i writes row `row` + i."""
    for i in range(first, first + count):
        op = ops[i]
        r = (row + i - first) * width
        a = left[i] * width
        b = right[i] * width
        if op == ADD:
            for k in range(n):
                v[r + k] = v[a + k] + v[b + k]
        elif op == SUB:
            for k in range(n):
                v[r + k] = v[a + k] - v[b + k]
        elif op == MUL:
            for k in range(n):
                v[r + k] = v[a + k] * v[b + k]
        elif op == DIV:
            for k in range(n):
                v[r + k] = v[a + k] / v[b + k]
        elif op == MAX:
            for k in range(n):
                v[r + k] = v[a + k] if v[a + k] > v[b + k] else v[b + k]
        elif op == MIN:
            for k in range(n):
                v[r + k] = v[a + k] if v[a + k] < v[b + k] else v[b + k]
        elif op == SQR:
            for k in range(n):
                v[r + k] = v[a + k] * v[a + k]
        elif op == NEG:
            for k in range(n):
                v[r + k] = -v[a + k]
        elif op == SQRT:
            for k in range(n):
                v[r + k] = math.sqrt(v[a + k])
        elif op == ABS:
            for k in range(n):
                v[r + k] = abs(v[a + k])
        elif op == SELECT:
            c = third[i] * width
            for k in range(n):
                v[r + k] = v[b + k] if v[a + k] != 0.0 else v[c + k]
        elif op == LT:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] < v[b + k] else 0.0
        elif op == LE:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] <= v[b + k] else 0.0
        elif op == EQ:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] == v[b + k] else 0.0
        elif op == AND:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] != 0.0 and v[b + k] != 0.0 else 0.0
        elif op == OR:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] != 0.0 or v[b + k] != 0.0 else 0.0
        elif op == XOR:
            for k in range(n):
                v[r + k] = 1.0 if (v[a + k] != 0.0) != (v[b + k] != 0.0) else 0.0
        elif op == NOT:
            for k in range(n):
                v[r + k] = 1.0 if v[a + k] == 0.0 else 0.0
        else:
            for k in range(n):
                v[r + k] = _rare(op, v[a + k], v[b + k])


@njit(**OPTIONS)
def _rare(op, x, y):
    """One value of an operation whose own cost hides that of choosing it."""
    result = math.nan
    if op == SIN:
        result = math.sin(x)
    elif op == COS:
        result = math.cos(x)
    elif op == ATAN2:
        result = math.atan2(x, y)
    elif op == POW:
        result = x**y
    elif op == EXP:
        result = math.exp(x)
    elif op == LOG:
        result = math.log(x)
    elif op == ACOS:
        result = math.acos(x)
    elif op == ASIN:
        result = math.asin(x)
    elif op == ATAN:
        result = math.atan(x)
    elif op == TAN:
        result = math.tan(x)
    elif op == SIGN:
        result = 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)
    elif op == FLOOR:
        result = np.floor(x)
    elif op == CEIL:
        result = np.ceil(x)
    elif op == ROUND:
        result = np.floor(x + 0.5)
    elif op == TRUNC:
        result = np.trunc(x)
    elif op == SINH:
        result = math.sinh(x)
    elif op == COSH:
        result = math.cosh(x)
    elif op == TANH:
        result = math.tanh(x)
    elif op == ASINH:
        result = math.asinh(x)
    elif op == ACOSH:
        result = math.acosh(x)
    elif op == ATANH:
        result = math.atanh(x)
    elif op == EXPM1:
        result = math.expm1(x)
    elif op == LOG2:
        result = math.log(x) / _LN2
    elif op == LOG10:
        result = math.log10(x)
    elif op == LOG1P:
        result = math.log1p(x)
    elif op == CBRT:
        result = math.copysign(abs(x) ** (1.0 / 3.0), x)
    return result


@njit(**OPTIONS)
def _slope(op, x, y, z):
    """The derivative of a unary operation at x by its result z (y is the exponent of a power)."""
    result = 0.0  # sign, floor, ceil, round, trunc
    if op == SIN:
        result = math.cos(x)
    elif op == COS:
        result = -math.sin(x)
    elif op == TAN:
        result = 1.0 + z * z
    elif op == POW:
        result = y * x ** (y - 1.0)
    elif op == EXP:
        result = z
    elif op == LOG:
        result = 1.0 / x
    elif op == ACOS:
        result = -1.0 / math.sqrt(1.0 - x * x)
    elif op == ASIN:
        result = 1.0 / math.sqrt(1.0 - x * x)
    elif op == ATAN:
        result = 1.0 / (1.0 + x * x)
    elif op == SINH:
        result = math.cosh(x)
    elif op == COSH:
        result = math.sinh(x)
    elif op == TANH:
        result = 1.0 - z * z
    elif op == ASINH:
        result = 1.0 / math.sqrt(x * x + 1.0)
    elif op == ACOSH:
        result = 1.0 / math.sqrt(x * x - 1.0)
    elif op == ATANH:
        result = 1.0 / (1.0 - x * x)
    elif op == EXPM1:
        result = z + 1.0
    elif op == LOG2:
        result = 1.0 / (x * _LN2)
    elif op == LOG10:
        result = 1.0 / (x * _LN10)
    elif op == LOG1P:
        result = 1.0 / (1.0 + x)
    elif op == CBRT:
        result = 1.0 / (3.0 * max(z * z, 1e-10))
    return result


@njit(**OPTIONS)
def _reverse(count, row, first_moving, ops, left, right, third, base, v, d, n, width):
    """Carry derivatives `d` from the body's rows back to the moving inputs.

    A lane whose derivative is 0 stays out, so that a branch not taken can't spread its NaN.
    """
    moving = first_moving * width
    for j in range(count):
        i = base + count - 1 - j
        r = (row + count - 1 - j) * width
        any_nonzero = False
        for k in range(n):
            any_nonzero |= d[r + k] != 0.0
        if not any_nonzero:
            continue
        op = ops[i]
        a = left[i] * width
        b = right[i] * width
        if op == ADD:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] += d[r + k]
        elif op == SUB:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] -= d[r + k]
        elif op == MUL:
            if a >= moving:
                for k in range(n):
                    d[a + k] += 0.0 if d[r + k] == 0.0 else d[r + k] * v[b + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if d[r + k] == 0.0 else d[r + k] * v[a + k]
        elif op == DIV:
            if a >= moving:
                for k in range(n):
                    d[a + k] += 0.0 if d[r + k] == 0.0 else d[r + k] / v[b + k]
            if b >= moving:
                for k in range(n):
                    d[b + k] -= 0.0 if d[r + k] == 0.0 else d[r + k] * v[r + k] / v[b + k]
        elif op == MAX:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k] if v[a + k] > v[b + k] else 0.0
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if v[a + k] > v[b + k] else d[r + k]
        elif op == MIN:
            if a >= moving:
                for k in range(n):
                    d[a + k] += d[r + k] if v[a + k] < v[b + k] else 0.0
            if b >= moving:
                for k in range(n):
                    d[b + k] += 0.0 if v[a + k] < v[b + k] else d[r + k]
        elif op == SQR:
            for k in range(n):
                d[a + k] += 0.0 if d[r + k] == 0.0 else 2.0 * d[r + k] * v[a + k]
        elif op == NEG:
            for k in range(n):
                d[a + k] -= d[r + k]
        elif op == SQRT:
            for k in range(n):
                z = v[r + k] if v[r + k] > 1e-5 else 1e-5
                d[a + k] += 0.5 * d[r + k] / z
        elif op == ABS:
            for k in range(n):
                d[a + k] += d[r + k] if v[a + k] > 0.0 else -d[r + k]
        elif op == SELECT:
            c = third[i] * width
            if b >= moving:
                for k in range(n):
                    d[b + k] += d[r + k] if v[a + k] != 0.0 else 0.0
            if c >= moving:
                for k in range(n):
                    d[c + k] += 0.0 if v[a + k] != 0.0 else d[r + k]
        elif op == ATAN2:
            for k in range(n):
                if d[r + k] != 0.0:
                    q = d[r + k] / (v[a + k] * v[a + k] + v[b + k] * v[b + k])
                    if a >= moving:
                        d[a + k] += q * v[b + k]
                    if b >= moving:
                        d[b + k] -= q * v[a + k]
        elif op >= LT and op <= NOT and op != SELECT:
            continue
        else:
            for k in range(n):
                if d[r + k] != 0.0:
                    if a >= moving:
                        d[a + k] += d[r + k] * _slope(op, v[a + k], v[b + k], v[r + k])
                    if op == POW and b >= moving and v[a + k] > 0.0:
                        d[b + k] += d[r + k] * v[r + k] * math.log(v[a + k])


@njit(**OPTIONS)
def _energies(ip, terms, is_objective, v, d, fl, stride, m, n, width):
    """Objectives + weight * squared violations of every lane, and its derivative by each term."""
    zero_from = ip[FIRST_MOVING] * width
    for q in range(zero_from, ip[N_ROWS] * width):
        d[q] = 0.0
    for k in range(n):
        fl[k * stride + m + TRIAL_PHI] = 0.0
        fl[k * stride + m + TRIAL_PENALTY] = 0.0
    for q in range(ip[N_TERMS]):
        r = terms[q] * width
        objective = is_objective[q] != 0
        carries = terms[q] >= ip[FIRST_MOVING]
        for k in range(n):
            at = k * stride + m
            x = v[r + k]
            if objective:
                fl[at + TRIAL_PHI] += x
                if carries:
                    d[r + k] += 1.0
            elif not x <= 0.0:  # NaN counts, so that it is noticed
                weight = fl[at + WEIGHT]
                fl[at + TRIAL_PHI] += weight * x * x
                fl[at + TRIAL_PENALTY] += x * x
                if carries:
                    d[r + k] += 2.0 * weight * x


@njit(**OPTIONS)
def _dot(f, a, b, n):
    result = 0.0
    for q in range(n):
        result += f[a + q] * f[b + q]
    return result


@njit(**OPTIONS)
def _copy(f, source, target, n):
    for q in range(n):
        f[target + q] = f[source + q]


@njit(**OPTIONS)
def _aim(f, i, ib, at, n, compatible):
    """Set the direction from the gradient and the memory; give gradient . H gradient."""
    g, d = at + n, at + 2 * n
    s, y = at + 7 * n, at + (7 + MEMORY) * n
    m = at + (7 + 2 * MEMORY) * n
    rho, alpha = m + COUNT_F, m + COUNT_F + MEMORY
    _copy(f, g, d, n)
    count, head = i[ib + N_MEM], i[ib + HEAD]
    for j in range(count):
        slot = (head - 1 - j + 2 * MEMORY) % MEMORY
        f[alpha + slot] = f[rho + slot] * _dot(f, s + slot * n, d, n)
        for q in range(n):
            f[d + q] -= f[alpha + slot] * f[y + slot * n + q]
    if count > 0:
        slot = (head - 1 + MEMORY) % MEMORY
        yy = _dot(f, y + slot * n, y + slot * n, n)
        gamma = 1.0 / (f[rho + slot] * (yy + 1e-11))
        for q in range(n):
            f[d + q] *= gamma
    for j in range(count):
        slot = (head - count + j + 2 * MEMORY) % MEMORY
        beta = f[rho + slot] * _dot(f, y + slot * n, d, n)
        for q in range(n):
            f[d + q] += (f[alpha + slot] - beta) * f[s + slot * n + q]
    for q in range(n):
        f[d + q] = -f[d + q]
    product = -_dot(f, g, d, n)
    if count > 0 and not compatible and not product > 0.0:  # ours: not a descent direction
        i[ib + N_MEM] = 0
        for q in range(n):
            f[d + q] = -f[g + q]
        product = _dot(f, g, g, n)
    return product


@njit(**OPTIONS)
def _remember(f, i, ib, at, x_new, g_new, n, compatible):
    """Keep the pair (step, change of gradient) of an accepted point, and move there."""
    x, g = at, at + n
    slot = i[ib + HEAD]
    s, y = at + 7 * n + slot * n, at + (7 + MEMORY) * n + slot * n
    m = at + (7 + 2 * MEMORY) * n
    for q in range(n):
        f[s + q] = f[x_new + q] - f[x + q]
        f[y + q] = f[g_new + q] - f[g + q]
        f[x + q] = f[x_new + q]
        f[g + q] = f[g_new + q]
    sy = _dot(f, s, y, n)
    i[ib + STEPS] += 1
    i[ib + RESTARTED] = 0
    # ours: a pair without curvature would make the metric indefinite
    if compatible or sy > 1e-14 * math.sqrt(_dot(f, s, s, n) * _dot(f, y, y, n)):
        f[m + COUNT_F + slot] = 1.0 / (sy + 1e-11)
        i[ib + HEAD] = (slot + 1) % MEMORY
        i[ib + N_MEM] = min(i[ib + N_MEM] + 1, MEMORY)


@njit(**OPTIONS)
def _try(f, at, n, t):
    """Make x + t * direction the point to evaluate next."""
    m = at + (7 + 2 * MEMORY) * n
    f[m + T] = t
    for q in range(n):
        f[at + 3 * n + q] = f[at + q] + t * f[at + 2 * n + q]


@njit(**OPTIONS)
def _set_out(f, i, ib, ip, fp, at, n):
    """From an accepted point: search on, or end the round, or end the stage."""
    m = at + (7 + 2 * MEMORY) * n
    compatible = ip[COMPATIBLE] != 0
    product = _aim(f, i, ib, at, n, compatible)
    if product < 1e-2:
        _end_round(f, i, ib, ip, fp, at, n)
        return
    if i[ib + STEPS] >= ip[MAX_STEPS]:
        i[ib + DONE] = STEPS_CAP
        return
    f[m + DG] = -product
    f[m + LO] = 0.0
    f[m + HI] = math.inf
    i[ib + EVALS] = 0
    i[ib + PHASE] = LINE
    t = 1.0
    if not compatible and i[ib + N_MEM] == 0:
        # ours: a first step of at most 100 pixels, instead of bisecting down from |gradient|
        t = min(1.0, 100.0 / math.sqrt(product))
    _try(f, at, n, t)


@njit(**OPTIONS)
def _end_round(f, i, ib, ip, fp, at, n):
    """Raise the weight, unless the state or the energy stands still between two rounds."""
    m = at + (7 + 2 * MEMORY) * n
    i[ib + ROUND_NO] += 1
    moved = 0.0
    for q in range(n):
        step = f[at + q] - f[at + 6 * n + q]
        moved += step * step
        f[at + 6 * n + q] = f[at + q]
    still = math.sqrt(moved) < 1e-3 or abs(f[m + PHI] - f[m + PHI_ROUND]) < 1e-3
    f[m + PHI_ROUND] = f[m + PHI]
    ours = ip[COMPATIBLE] == 0
    penalty, before = f[m + PENALTY], f[m + PENALTY_ROUND]
    f[m + PENALTY_ROUND] = penalty
    satisfied = ours and penalty == 0.0  # the weight acts on nothing
    # ours: go on while violations of more than 1e-4 pixels still shrink with the weight
    shrinks = ours and penalty > 1e-8 and penalty < 0.25 * before
    if (still and not shrinks and i[ib + ROUND_NO] >= 3) or satisfied or f[m + WEIGHT] >= fp[W_CAP]:
        i[ib + DONE] = CONVERGED
        return
    f[m + WEIGHT] = f[m + WEIGHT] * 10.0
    if not ours:
        i[ib + N_MEM] = 0
    i[ib + PHASE] = BASE
    _copy(f, at, at + 3 * n, n)


@njit(**OPTIONS)
def _lane(f, i, ib, ip, fp, at, n):
    """One lane's answer to the evaluation of its trial point."""
    x, g, d, trial, g_trial = at, at + n, at + 2 * n, at + 3 * n, at + 4 * n
    x_lo = at + 5 * n
    m = at + (7 + 2 * MEMORY) * n
    compatible = ip[COMPATIBLE] != 0
    phi = f[m + TRIAL_PHI]
    finite = abs(phi) < 1e300
    for q in range(n):
        finite &= abs(f[g_trial + q]) < 1e300
    if i[ib + PHASE] != LINE:
        if not finite:
            i[ib + NUDGES] += 1
            if compatible or i[ib + NUDGES] > 8:
                i[ib + DONE] = NAN
                return
            for q in range(n):  # ours: leave a singular start (points that coincide)
                f[trial + q] += 0.5 * math.sin(12.9898 * (q + 1.0) + 78.233 * i[ib + NUDGES])
            return
        if i[ib + PHASE] == BASE_AFTER:
            _remember(f, i, ib, at, trial, g_trial, n, compatible)
        else:
            _copy(f, trial, x, n)
            _copy(f, g_trial, g, n)
        f[m + PHI] = phi
        f[m + PENALTY] = f[m + TRIAL_PENALTY]
        i[ib + PHASE] = LINE
        _set_out(f, i, ib, ip, fp, at, n)
        return
    i[ib + EVALS] += 1
    t = f[m + T]
    enough = finite and phi <= f[m + PHI] + 1e-3 * t * f[m + DG]
    if enough:
        slope = _dot(f, g_trial, d, n)
        if slope >= 0.9 * f[m + DG]:
            _remember(f, i, ib, at, trial, g_trial, n, compatible)
            f[m + PHI] = phi
            f[m + PENALTY] = f[m + TRIAL_PENALTY]
            _set_out(f, i, ib, ip, fp, at, n)
            return
        f[m + LO] = t
        _copy(f, trial, x_lo, n)
    else:
        f[m + HI] = t
    lo, hi = f[m + LO], f[m + HI]
    following = 2.0 * lo if hi == math.inf else 0.5 * (lo + hi)
    if hi - lo >= 1e-9 and i[ib + EVALS] < 11:
        _try(f, at, n, following)
        return
    if compatible:
        _try(f, at, n, following)
        i[ib + PHASE] = BASE_AFTER
    elif lo > 0.0:  # ours: the best point that was evaluated
        _copy(f, x_lo, trial, n)
        i[ib + PHASE] = BASE_AFTER
    elif i[ib + N_MEM] > 0 or i[ib + RESTARTED] == 0:  # ours: once more, straight down
        i[ib + N_MEM] = 0
        i[ib + RESTARTED] = 1
        _set_out(f, i, ib, ip, fp, at, n)
        if i[ib + PHASE] == LINE and i[ib + DONE] == 0:
            _try(f, at, n, 1e-3 * f[m + T])
    else:
        i[ib + RESTARTED] = 0
        _end_round(f, i, ib, ip, fp, at, n)


@njit(**OPTIONS)
def _load(lane, candidate, ip, fp, f, i, stride, starts, fixed, n_fixed, v, n, width):
    """Put a waiting candidate into a lane."""
    at = lane * stride
    m = at + (7 + 2 * MEMORY) * n
    for q in range(COUNT_F):
        f[m + q] = 0.0
    for q in range(I_STRIDE):
        i[lane * I_STRIDE + q] = 0
    i[lane * I_STRIDE + CANDIDATE] = candidate
    f[m + WEIGHT] = fp[W_START]
    f[m + PHI_ROUND] = math.inf
    f[m + PENALTY_ROUND] = math.inf
    for q in range(n):
        f[at + q] = starts[candidate * n + q]
        f[at + 3 * n + q] = f[at + q]
        f[at + 6 * n + q] = math.inf
    first = ip[FIRST_MOVING] - ip[N_PROLOGUE] - n_fixed
    for q in range(n_fixed):
        v[(first + q) * width + lane] = fixed[candidate * n_fixed + q]


@njit(**OPTIONS)
def _move_lane(source, target, ip, f, i, stride, v, width):
    """Close the gap that a finished lane leaves."""
    _copy(f, source * stride, target * stride, stride)
    for q in range(I_STRIDE):
        i[target * I_STRIDE + q] = i[source * I_STRIDE + q]
    for r in range(ip[FIRST_MOVING]):
        v[r * width + target] = v[r * width + source]


@njit(
    types.int64(I64, F64, I32, I32, I32, I32, I32, I32, F64, F64, F64, I64, F64, F64, F64, I64),
    **OPTIONS,
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
    n, width, n_prologue = ip[N_MOVING], ip[WIDTH], ip[N_PROLOGUE]
    n_fixed = ip[N_FIXED]
    stride = (7 + 2 * MEMORY) * n + COUNT_F + 2 * MEMORY
    m = (7 + 2 * MEMORY) * n
    first_moving = ip[FIRST_MOVING]
    fresh = False
    spent = 0
    if ip[N_CANDIDATES] == 0:  # only the values are wanted
        _forward(spent, ip[N_BODY], first_moving, ops, left, right, third, v, width, width)
        return 0
    while True:
        while ip[N_LANES] < width and ip[NEXT] < ip[N_CANDIDATES]:
            _load(ip[N_LANES], ip[NEXT], ip, fp, f, i, stride, starts, fixed, n_fixed, v, n, width)
            ip[N_LANES] += 1
            ip[NEXT] += 1
            fresh = True
        lanes = ip[N_LANES]
        if lanes == 0 or spent >= ip[MAX_EVALS]:
            break
        for k in range(lanes):
            for q in range(n):
                v[(first_moving + q) * width + k] = f[k * stride + 3 * n + q]
        for part in range(0 if fresh else 1, 2):
            first, count, row = n_prologue, ip[N_BODY], first_moving + n
            if part == 0:
                first, count, row = 0, n_prologue, first_moving - n_prologue
            _forward(first, count, row, ops, left, right, third, v, lanes, width)
        fresh = False
        _energies(ip, terms, is_objective, v, d, f, stride, m, lanes, width)
        _reverse(
            ip[N_BODY], first_moving + n, first_moving, ops, left, right, third, n_prologue, v, d,
            lanes, width,
        )  # fmt: skip
        spent += 1
        ip[SPENT] += 1
        for k in range(lanes):
            for q in range(n):
                f[k * stride + 4 * n + q] = d[(first_moving + q) * width + k]
        k = 0
        while k < ip[N_LANES]:
            here = k * I_STRIDE
            i[here + TOTAL] += 1
            _lane(f, i, here, ip, fp, k * stride, n)
            if i[here + DONE] == 0:
                k += 1
                continue
            candidate = i[here + CANDIDATE]
            for q in range(n):
                out[candidate * n + q] = f[k * stride + q]
            report[candidate * 4] = i[here + DONE]
            report[candidate * 4 + 1] = i[here + STEPS]
            report[candidate * 4 + 2] = i[here + ROUND_NO]
            report[candidate * 4 + 3] = i[here + TOTAL]
            ip[N_LANES] -= 1
            if k < ip[N_LANES]:
                _move_lane(ip[N_LANES], k, ip, f, i, stride, v, width)
    return ip[N_LANES] + ip[N_CANDIDATES] - ip[NEXT]
