"""What the scheduler needs of a model: slots that hold a sequence's cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["LanguageModel"]


class LanguageModel(Protocol):
    """A decoder with `n_slot` independent key-value caches.

    All calls come from one thread. A slot is filled by `prefill` and grows by `step`; the numbers
    for one slot never depend on what the other slots hold.
    """

    name: str
    n_context: int
    """Positions that prompt and completion together may take."""
    n_vocabulary: int
    n_slot: int
    end_token: int
    """Ends a text; also the empty prompt."""

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        ...

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for; UTF-8 only in sequence with its neighbours."""
        ...

    def prefill(
        self, slot: int, tokens: Sequence[int], *, all_positions: bool
    ) -> NDArray[np.float32]:
        """Read tokens into a slot, after what it holds.

        Returns:
            Logits, (position, vocabulary) for all positions, or (1, vocabulary) for the last.
        """
        ...

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        """Append one token to each slot; gives logits (slot, vocabulary)."""
        ...

    def copy(self, source: int, target: int, n_token: int) -> None:
        """Let an empty slot begin with the first tokens of another: their cache, bit for bit."""
        ...

    def release(self, slot: int) -> None:
        """Empty a slot."""
        ...

    def embed(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """One vector (d_model) for a text: the mean of the last layer's outputs."""
        ...
