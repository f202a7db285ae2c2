"""Patterns over time: the same prompt again and again, the same output for many.

Texts are compared by MinHash of character 5-grams, so that a changed name or greeting does not hide
a mass mailing. Only hashes are kept, for an hour, and only the latest of each application.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]

from kuaibao.service.policy.checks.finding import Finding
from kuaibao.service.policy.rules import Side

__all__ = ["Watcher", "check_mass_output", "check_repetition"]

N_PERMUTATION = 64
N_KEPT = 200
KEPT_S = 3600.0
SIMILAR = 0.7
"""Estimated Jaccard similarity from which two texts count as the same."""

MAX_REPEATED_PROMPTS = 30
MAX_SIMILAR_OUTPUTS = 20
MIN_LENGTH = 40
"""Characters; shorter texts are alike by chance."""


@dataclass
class _Seen:
    at: float
    digest: tuple[int, ...]


@dataclass
class Watcher:
    """The latest texts of each application and side, as MinHash digests."""

    _seen: dict[tuple[int, Side], deque[_Seen]] = field(
        default_factory=dict[tuple[int, Side], "deque[_Seen]"]
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, application_id: int, side: Side, text: str) -> None:
        """Note a text that went through."""
        if len(text) < MIN_LENGTH:
            return
        seen = _Seen(time.time(), _digest(text))
        with self._lock:
            queue = self._seen.setdefault((application_id, side), deque(maxlen=N_KEPT))
            queue.append(seen)

    def count_similar(self, application_id: int, side: Side, text: str) -> int:
        """How many of the latest texts are nearly the same."""
        if len(text) < MIN_LENGTH:
            return 0
        digest, oldest = _digest(text), time.time() - KEPT_S
        with self._lock:
            kept = list(self._seen.get((application_id, side), ()))
        return sum(s.at >= oldest and _similarity(s.digest, digest) >= SIMILAR for s in kept)


def _digest(text: str) -> tuple[int, ...]:
    folded = " ".join(text.lower().split())[:20_000]
    sketch = RMinHash(num_perm=N_PERMUTATION, seed=1)
    sketch.update([folded[i : i + 5] for i in range(max(1, len(folded) - 4))])
    return tuple(sketch.digest())


def _similarity(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    return sum(x == y for x, y in zip(a, b, strict=True)) / N_PERMUTATION


def check_repetition(text: str, application_id: int, watcher: Watcher) -> Finding | None:
    """The same prompt, or nearly, many times within an hour."""
    n = watcher.count_similar(application_id, "input", text)
    if n < MAX_REPEATED_PROMPTS:
        return None
    return Finding(f"nearly the same prompt {n} times within an hour")


def check_mass_output(text: str, application_id: int, watcher: Watcher) -> Finding | None:
    """Nearly the same output many times within an hour: the mark of a mass mailing."""
    n = watcher.count_similar(application_id, "output", text)
    if n < MAX_SIMILAR_OUTPUTS:
        return None
    return Finding(f"nearly the same output {n} times within an hour")
