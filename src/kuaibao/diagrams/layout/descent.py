"""One lane's way down: L-BFGS, line search, rounds of rising weight, and a push when it is stuck.

The method is Penrose's (exterior penalty rounds, L-BFGS of memory 17, weak Wolfe line search);
what the compatible mode leaves out is marked `ours`.
"""

# numba source: arguments are machine integers and pointers, which Python's types can't name.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportOptionalMemberAccess=false

from __future__ import annotations

import math

from numba import njit

from kuaibao.diagrams.layout import slots
from kuaibao.diagrams.layout.instructions import NATIVE

__all__ = ["copy", "energies", "step_lane"]


@njit(**NATIVE)
def energies(ip, terms, is_objective, v, d, fl, stride, m, n, width):
    """Objectives + weight * squared violations of every lane, and its derivative by each term."""
    zero_from = ip[slots.FIRST_MOVING] * width
    for q in range(zero_from, ip[slots.N_ROWS] * width):
        d[q] = 0.0
    for k in range(n):
        fl[k * stride + m + slots.TRIAL_PHI] = 0.0
        fl[k * stride + m + slots.TRIAL_PENALTY] = 0.0
    for q in range(ip[slots.N_TERMS]):
        r = terms[q] * width
        objective = is_objective[q] != 0
        carries = terms[q] >= ip[slots.FIRST_MOVING]
        for k in range(n):
            at = k * stride + m
            x = v[r + k]
            if objective:
                fl[at + slots.TRIAL_PHI] += x
                if carries:
                    d[r + k] += 1.0
            elif not x <= 0.0:  # NaN counts, so that it is noticed
                weight = fl[at + slots.WEIGHT]
                fl[at + slots.TRIAL_PHI] += weight * x * x
                fl[at + slots.TRIAL_PENALTY] += x * x
                if carries:
                    d[r + k] += 2.0 * weight * x


@njit(**NATIVE)
def _dot(f, a, b, n):
    result = 0.0
    for q in range(n):
        result += f[a + q] * f[b + q]
    return result


@njit(**NATIVE)
def copy(f, source, target, n):
    """Copy `n` numbers of `f` from one place to another."""
    for q in range(n):
        f[target + q] = f[source + q]


@njit(**NATIVE)
def _aim(f, i, ib, at, n, compatible):
    """Set the direction from the gradient and the memory; give gradient . H gradient."""
    g, d = at + n, at + 2 * n
    s, y = at + slots.N_VECTORS * n, at + (slots.N_VECTORS + slots.MEMORY) * n
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    rho, alpha = m + slots.COUNT_F, m + slots.COUNT_F + slots.MEMORY
    copy(f, g, d, n)
    count, head = i[ib + slots.N_MEM], i[ib + slots.HEAD]
    for j in range(count):
        slot = (head - 1 - j + 2 * slots.MEMORY) % slots.MEMORY
        f[alpha + slot] = f[rho + slot] * _dot(f, s + slot * n, d, n)
        for q in range(n):
            f[d + q] -= f[alpha + slot] * f[y + slot * n + q]
    if count > 0:
        slot = (head - 1 + slots.MEMORY) % slots.MEMORY
        yy = _dot(f, y + slot * n, y + slot * n, n)
        gamma = 1.0 / (f[rho + slot] * (yy + 1e-11))
        for q in range(n):
            f[d + q] *= gamma
    for j in range(count):
        slot = (head - count + j + 2 * slots.MEMORY) % slots.MEMORY
        beta = f[rho + slot] * _dot(f, y + slot * n, d, n)
        for q in range(n):
            f[d + q] += (f[alpha + slot] - beta) * f[s + slot * n + q]
    for q in range(n):
        f[d + q] = -f[d + q]
    product = -_dot(f, g, d, n)
    if count > 0 and not compatible and not product > 0.0:  # ours: not a descent direction
        i[ib + slots.N_MEM] = 0
        for q in range(n):
            f[d + q] = -f[g + q]
        product = _dot(f, g, g, n)
    return product


@njit(**NATIVE)
def _remember(f, i, ib, at, x_new, g_new, n, compatible):
    """Keep the pair (step, change of gradient) of an accepted point, and move there."""
    x, g = at, at + n
    slot = i[ib + slots.HEAD]
    s, y = at + slots.N_VECTORS * n + slot * n, at + (slots.N_VECTORS + slots.MEMORY) * n + slot * n
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    for q in range(n):
        f[s + q] = f[x_new + q] - f[x + q]
        f[y + q] = f[g_new + q] - f[g + q]
        f[x + q] = f[x_new + q]
        f[g + q] = f[g_new + q]
    sy = _dot(f, s, y, n)
    i[ib + slots.STEPS] += 1
    i[ib + slots.RESTARTED] = 0
    # ours: a pair without curvature would make the metric indefinite
    if compatible or sy > 1e-14 * math.sqrt(_dot(f, s, s, n) * _dot(f, y, y, n)):
        f[m + slots.COUNT_F + slot] = 1.0 / (sy + 1e-11)
        i[ib + slots.HEAD] = (slot + 1) % slots.MEMORY
        i[ib + slots.N_MEM] = min(i[ib + slots.N_MEM] + 1, slots.MEMORY)


@njit(**NATIVE)
def _try(f, at, n, t):
    """Make x + t * direction the point to evaluate next."""
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    f[m + slots.T] = t
    for q in range(n):
        f[at + 3 * n + q] = f[at + q] + t * f[at + 2 * n + q]


@njit(**NATIVE)
def _set_out(f, i, ib, ip, fp, at, n):
    """From an accepted point: search on, or end the round, or end the stage."""
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    compatible = ip[slots.COMPATIBLE] != 0
    product = _aim(f, i, ib, at, n, compatible)
    if product < 1e-2:
        _end_round(f, i, ib, ip, fp, at, n)
        return
    if i[ib + slots.STEPS] >= ip[slots.MAX_STEPS]:
        if i[ib + slots.KICKS] > 0:
            copy(f, at + slots.X_BEST * n, at, n)
        i[ib + slots.DONE] = slots.STEPS_CAP
        return
    f[m + slots.DG] = -product
    f[m + slots.LO] = 0.0
    f[m + slots.HI] = math.inf
    i[ib + slots.EVALS] = 0
    i[ib + slots.PHASE] = slots.LINE
    t = 1.0
    if not compatible and i[ib + slots.N_MEM] == 0:
        # ours: a first step of at most 100 pixels, instead of bisecting down from |gradient|
        t = min(1.0, 100.0 / math.sqrt(product))
    _try(f, at, n, t)


@njit(**NATIVE)
def _end_round(f, i, ib, ip, fp, at, n):
    """Raise the weight, unless the state or the energy stands still between two rounds."""
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    i[ib + slots.ROUND_NO] += 1
    moved = 0.0
    for q in range(n):
        step = f[at + q] - f[at + 6 * n + q]
        moved += step * step
        f[at + 6 * n + q] = f[at + q]
    still = math.sqrt(moved) < 1e-3 or abs(f[m + slots.PHI] - f[m + slots.PHI_ROUND]) < 1e-3
    f[m + slots.PHI_ROUND] = f[m + slots.PHI]
    ours = ip[slots.COMPATIBLE] == 0
    penalty, before = f[m + slots.PENALTY], f[m + slots.PENALTY_ROUND]
    f[m + slots.PENALTY_ROUND] = penalty
    satisfied = ours and penalty == 0.0  # the weight acts on nothing
    # ours: go on while violations of more than 1e-4 pixels still shrink with the weight
    shrinks = ours and penalty > 1e-8 and penalty < 0.25 * before
    if satisfied and i[ib + slots.REFRESHED] == 0 and _dot(f, at + n, at + n, n) > 1e-2:
        # ours: a metric learnt against constraints that no longer act can hide a slope
        i[ib + slots.REFRESHED] = 1
        i[ib + slots.N_MEM] = 0
        i[ib + slots.PHASE] = slots.BASE
        copy(f, at, at + 3 * n, n)
        return
    settled = still and not shrinks and i[ib + slots.ROUND_NO] >= 3
    if settled or satisfied or f[m + slots.WEIGHT] >= fp[slots.W_CAP]:
        _finish(f, i, ib, ip, at, n)
        return
    f[m + slots.WEIGHT] = f[m + slots.WEIGHT] * 10.0
    if not ours:
        i[ib + slots.N_MEM] = 0
    i[ib + slots.PHASE] = slots.BASE
    copy(f, at, at + 3 * n, n)


@njit(**NATIVE)
def _finish(f, i, ib, ip, at, n):
    """End the stage at the best point, or (ours) shake a violated layout and try again from there.

    Points that coincide have no gradient, and labels get caught behind lines: a push of some fifty
    pixels, the same on every run, frees most of them.
    """
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    best = at + slots.X_BEST * n
    penalty = f[m + slots.PENALTY]
    energy = f[m + slots.PHI] - f[m + slots.WEIGHT] * penalty
    before, energy_before = f[m + slots.PENALTY_BEST], f[m + slots.ENERGY_BEST]
    as_good = penalty < before + 1e-6 and energy < energy_before
    if i[ib + slots.KICKS] == 0 or penalty < before - 1e-4 or as_good:
        f[m + slots.PENALTY_BEST], f[m + slots.ENERGY_BEST] = penalty, energy
        copy(f, at, best, n)
    if i[ib + slots.KICKS] >= ip[slots.MAX_KICKS] or f[m + slots.PENALTY_BEST] <= 1e-4:
        copy(f, best, at, n)
        i[ib + slots.DONE] = slots.CONVERGED
        return
    i[ib + slots.KICKS] += 1
    for q in range(n):
        push = math.sin(12.9898 * (q + 1.0) + 78.233 * i[ib + slots.KICKS])
        f[at + 3 * n + q] = f[best + q] + 50.0 * push
        f[at + 6 * n + q] = math.inf
    f[m + slots.WEIGHT] = 1e3
    f[m + slots.PHI_ROUND] = f[m + slots.PENALTY_ROUND] = math.inf
    i[ib + slots.N_MEM] = i[ib + slots.ROUND_NO] = i[ib + slots.REFRESHED] = 0
    i[ib + slots.PHASE] = slots.BASE


@njit(**NATIVE)
def step_lane(f, i, ib, ip, fp, at, n):
    """One lane's answer to the evaluation of its trial point."""
    x, g, d, trial, g_trial = at, at + n, at + 2 * n, at + 3 * n, at + 4 * n
    x_lo = at + 5 * n
    m = at + (slots.N_VECTORS + 2 * slots.MEMORY) * n
    compatible = ip[slots.COMPATIBLE] != 0
    phi = f[m + slots.TRIAL_PHI]
    finite = abs(phi) < 1e300
    for q in range(n):
        finite &= abs(f[g_trial + q]) < 1e300
    if i[ib + slots.PHASE] != slots.LINE:
        if not finite:
            i[ib + slots.NUDGES] += 1
            if compatible or i[ib + slots.NUDGES] > 8:
                if i[ib + slots.KICKS] > 0:  # the push led there, not the program
                    copy(f, at + slots.X_BEST * n, x, n)
                    i[ib + slots.DONE] = slots.CONVERGED
                else:
                    i[ib + slots.DONE] = slots.NAN
                return
            for q in range(n):  # ours: leave a singular start (points that coincide)
                f[trial + q] += 0.5 * math.sin(12.9898 * (q + 1.0) + 78.233 * i[ib + slots.NUDGES])
            return
        if i[ib + slots.PHASE] == slots.BASE_AFTER:
            _remember(f, i, ib, at, trial, g_trial, n, compatible)
        else:
            copy(f, trial, x, n)
            copy(f, g_trial, g, n)
        f[m + slots.PHI] = phi
        f[m + slots.PENALTY] = f[m + slots.TRIAL_PENALTY]
        i[ib + slots.PHASE] = slots.LINE
        _set_out(f, i, ib, ip, fp, at, n)
        return
    i[ib + slots.EVALS] += 1
    t = f[m + slots.T]
    enough = finite and phi <= f[m + slots.PHI] + 1e-3 * t * f[m + slots.DG]
    if enough:
        slope = _dot(f, g_trial, d, n)
        if slope >= 0.9 * f[m + slots.DG]:
            _remember(f, i, ib, at, trial, g_trial, n, compatible)
            f[m + slots.PHI] = phi
            f[m + slots.PENALTY] = f[m + slots.TRIAL_PENALTY]
            _set_out(f, i, ib, ip, fp, at, n)
            return
        f[m + slots.LO] = t
        copy(f, trial, x_lo, n)
    else:
        f[m + slots.HI] = t
    lo, hi = f[m + slots.LO], f[m + slots.HI]
    following = 2.0 * lo if hi == math.inf else 0.5 * (lo + hi)
    if hi - lo >= 1e-9 and i[ib + slots.EVALS] < 11:
        _try(f, at, n, following)
        return
    if compatible:
        _try(f, at, n, following)
        i[ib + slots.PHASE] = slots.BASE_AFTER
    elif lo > 0.0:  # ours: the best point that was evaluated
        copy(f, x_lo, trial, n)
        i[ib + slots.PHASE] = slots.BASE_AFTER
    elif i[ib + slots.N_MEM] > 0 or i[ib + slots.RESTARTED] == 0:  # ours: once more, straight down
        i[ib + slots.N_MEM] = 0
        i[ib + slots.RESTARTED] = 1
        _set_out(f, i, ib, ip, fp, at, n)
        if i[ib + slots.PHASE] == slots.LINE and i[ib + slots.DONE] == 0:
            _try(f, at, n, 1e-3 * f[m + slots.T])
    else:
        i[ib + slots.RESTARTED] = 0
        _end_round(f, i, ib, ip, fp, at, n)
