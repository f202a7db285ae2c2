"""What each slot's cache holds, so that a prompt's beginning that was read once is not read again.

A slot keeps its content after its sequence has ended, until it is needed. Beginnings are shared
within a tenant only: how fast an answer comes must not tell one what another has asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MIN_SHARED", "PrefixCache", "SharedPrefix"]

MIN_SHARED = 16
"""Tokens; shorter beginnings are read as fast as copied."""


@dataclass(frozen=True)
class SharedPrefix:
    """A slot that holds the beginning of a prompt."""

    slot: int
    n_token: int


class PrefixCache:
    """Tokens of every slot by tenant; not thread-safe."""

    def __init__(self) -> None:
        self._tokens: dict[int, list[int]] = {}
        self._tenants: dict[int, str] = {}

    def begin(self, slot: int, tenant: str, tokens: Sequence[int]) -> None:
        """A slot was filled anew."""
        self._tokens[slot], self._tenants[slot] = list(tokens), tenant

    def append(self, slot: int, token: int) -> None:
        """A slot's sequence grew."""
        self._tokens[slot].append(token)

    def forget(self, slot: int) -> None:
        """A slot was emptied."""
        self._tokens.pop(slot, None)
        self._tenants.pop(slot, None)

    def find(self, tenant: str, prompt: Sequence[int]) -> SharedPrefix | None:
        """The slot that shares the longest beginning; the prompt's last token is never shared."""
        wanted = list(prompt[:-1])
        best = SharedPrefix(-1, MIN_SHARED - 1)
        for slot, tokens in self._tokens.items():
            if self._tenants[slot] == tenant and tokens[:MIN_SHARED] == wanted[:MIN_SHARED]:
                n_token = _shared(tokens, wanted)
                if n_token > best.n_token:
                    best = SharedPrefix(slot, n_token)
        return best if best.slot >= 0 else None


def _shared(one: list[int], other: list[int]) -> int:
    """Length of the common beginning, by halving: slices compare faster than a loop."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
