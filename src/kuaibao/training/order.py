"""In which order samples are seen: it follows from the seed, so that a run can go on anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["EpochOrder", "sample_order"]

EpochOrder = Callable[[int, np.random.Generator], NDArray[np.int64]]
"""(epoch, chance drawn from seed and epoch) → the order of all its samples"""


def sample_order(
    n_sample: int, seed: int, start: int, n: int, epoch_order: EpochOrder | None = None
) -> NDArray[np.int64]:
    """The indices of the `n` samples after the first `start` ones of a run.

    Each epoch is a permutation of its own, drawn from (seed, epoch); a task may order it by its own
    `epoch_order`, such as in batches of like lengths.
    """
    parts: list[NDArray[np.int64]] = []
    while n > 0:
        epoch, place = divmod(start, n_sample)
        generator = np.random.default_rng([seed, 1, epoch])
        order = (
            generator.permutation(n_sample)
            if epoch_order is None
            else epoch_order(epoch, generator)
        )
        part = order[place : place + n]
        parts.append(part)
        start, n = start + len(part), n - len(part)
    return np.concatenate(parts)
