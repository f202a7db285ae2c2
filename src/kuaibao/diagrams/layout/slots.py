"""Positions in the arrays that Python and the kernel share."""

from __future__ import annotations

# A lane's whole numbers.
(
    CANDIDATE, PHASE, EVALS, N_MEM, HEAD, ROUND_NO, STEPS, TOTAL, DONE, NUDGES, RESTARTED, KICKS,
    REFRESHED,
) = range(13)  # fmt: skip
I_STRIDE = 13

# Phases of a lane: waiting for the value at a point to start from, at the point that a line
# search settled for, or at a trial point.
BASE, BASE_AFTER, LINE = range(3)

# Why a lane is done.
CONVERGED, NAN, STEPS_CAP = 1, 2, 3

# A lane's numbers, after its vectors: point, gradient, direction, trial, gradient there, best
# point of the line search, point of the last round, best point of the stage, then MEMORY steps and
# MEMORY changes of gradient; behind these numbers come MEMORY reciprocals and MEMORY coefficients.
(
    PHI, T, LO, HI, DG, WEIGHT, PHI_ROUND, PENALTY, PENALTY_ROUND, TRIAL_PHI, TRIAL_PENALTY,
    PENALTY_BEST, ENERGY_BEST,
) = range(13)  # fmt: skip
COUNT_F = 13
MEMORY = 17
N_VECTORS = 8
X_BEST = 7

# Sizes, settings and counters of the whole batch.
(
    N_MOVING, N_FIXED, N_PROLOGUE, N_BODY, N_TERMS, FIRST_MOVING, N_ROWS, WIDTH, N_CANDIDATES,
    MAX_EVALS, MAX_STEPS, COMPATIBLE, N_LANES, NEXT, SPENT, MAX_KICKS,
) = range(16)  # fmt: skip
COUNT_IP = 16
W_START, W_CAP = 0, 1
COUNT_FP = 2


def lane_stride(n_moving: int) -> int:
    """The length of one lane's state in numbers."""
    return (N_VECTORS + 2 * MEMORY) * n_moving + COUNT_F + 2 * MEMORY
