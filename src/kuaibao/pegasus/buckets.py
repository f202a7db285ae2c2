"""Batches of samples of like length, so that little is padded; and rows padded to one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["bucket_order", "pad_rows"]

POOL = 64
"""Batches among whose samples lengths are sorted: more pad less and are less random."""
MULTIPLE = 8
"""Padded lengths divide by this, which matrix units like."""


def bucket_order(
    lengths: NDArray[np.int32], batch_size: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """An epoch's order in which each run of `batch_size` samples has like lengths.

    Samples that fill no batch (others in each epoch) are left out.

    Args:
        lengths: Of each sample.
        batch_size: Samples a batch.
        generator: Draws pools and the order of the batches.
    """
    n_batch = len(lengths) // batch_size
    order = generator.permutation(len(lengths))[: n_batch * batch_size]
    size = POOL * batch_size
    for start in range(0, len(order), size):
        pool = order[start : start + size]
        order[start : start + size] = pool[np.argsort(lengths[pool], kind="stable")]
    batches = order.reshape(n_batch, batch_size)
    return batches[generator.permutation(n_batch)].reshape(-1)


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """Rows of ids as one tensor (row, position), padded behind."""
    longest = max((len(row) for row in rows), default=0)
    width = max(MULTIPLE, -(-longest // MULTIPLE) * MULTIPLE)
    table = np.full((len(rows), width), pad, dtype=np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return torch.from_numpy(table)
