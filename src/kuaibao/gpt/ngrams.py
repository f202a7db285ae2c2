"""Interpolated Kneser-Ney n-grams over token ids: the baseline that a small model has to beat.

Kneser and Ney 1995, in the interpolated form of Chen and Goodman 1998 with one discount an order,
D = n1 / (n1 + 2 n2). An n-gram is packed into one 64-bit number, so that counting is sorting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError

__all__ = ["KneserNey"]


@dataclass(frozen=True)
class _Order:
    """What is known of n-grams of one length."""

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    contexts: NDArray[np.int64]
    totals: NDArray[np.int64]
    n_type: NDArray[np.int64]
    discount: float


class KneserNey:
    """A fitted n-gram model.

    Args:
        tokens: The training stream.
        vocab_size: Ids run below it.
        n: Length of the longest n-gram.

    Raises:
        InputError: No tokens, or n-grams that don't fit 63 bits.
    """

    def __init__(self, tokens: NDArray[Any], vocab_size: int, n: int = 5) -> None:
        self.bits, self.n, self.vocab_size = max(1, (vocab_size - 1).bit_length()), n, vocab_size
        if self.bits * n > 63:
            raise InputError(f"{n}-grams over {vocab_size} ids don't fit 63 bits")
        if len(tokens) < n:
            raise InputError(f"{len(tokens)} tokens are too few for {n}-grams")
        keys, counts = np.unique(self._packed(tokens, n), return_counts=True)
        self.orders = [self._order(keys, counts)]
        for length in range(n - 1, 0, -1):
            # Below the longest, what counts is how many different tokens an n-gram follows.
            suffixes = keys & ((1 << self.bits * length) - 1)
            keys, counts = np.unique(suffixes, return_counts=True)
            self.orders.insert(0, self._order(keys, counts))

    def bits_of(self, tokens: NDArray[Any]) -> float:
        """-log2 of the probability of a stream, whose beginning has no context."""
        padded = np.concatenate([np.zeros(self.n - 1, dtype=np.int64), tokens])
        p = np.full(len(tokens), 1.0 / self.vocab_size)
        for length, order in enumerate(self.orders, 1):
            keys = self._packed(padded, length)[self.n - length :]
            p = self._interpolated(order, keys, p, first=length - 1)
        return float(-np.log2(p).sum())

    def _interpolated(
        self, order: _Order, keys: NDArray[np.int64], lower: NDArray[np.float64], first: int
    ) -> NDArray[np.float64]:
        context, known = _find(order.contexts, keys >> self.bits)
        place, seen = _find(order.keys, keys)
        # Positions before `first` would look at the padding.
        known &= np.arange(len(keys)) >= first
        total = np.maximum(1, order.totals[context])
        count = np.where(seen, order.counts[place], 0)
        direct = np.maximum(count - order.discount, 0) / total
        backed_off = order.discount * order.n_type[context] / total * lower
        return np.where(known, direct + backed_off, lower)

    def _packed(self, tokens: NDArray[Any], length: int) -> NDArray[np.int64]:
        """Every run of `length` tokens as one number."""
        packed = np.zeros(len(tokens) - length + 1, dtype=np.int64)
        for i in range(length):
            end = len(tokens) - length + 1 + i
            packed = packed << self.bits | tokens[i:end].astype(np.int64)
        return packed

    def _order(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> _Order:
        contexts, starts, n_type = np.unique(
            keys >> self.bits, return_index=True, return_counts=True
        )
        n1, n2 = int((counts == 1).sum()), int((counts == 2).sum())
        discount = n1 / (n1 + 2 * n2) if n1 else 0.5
        return _Order(keys, counts, contexts, np.add.reduceat(counts, starts), n_type,
                      min(discount, 0.99))  # fmt: skip


def _find(ordered: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[Any, Any]:
    """Where each wanted number stands, and whether it is there."""
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return place, ordered[place] == wanted
