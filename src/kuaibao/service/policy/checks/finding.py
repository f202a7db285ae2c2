"""What a check found, and where."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """A reason in words, and the spans of characters that it rests on."""

    reason: str
    spans: tuple[tuple[int, int], ...] = ()
