"""Attributes of other modules' objects that are replaced for a while, and put back."""

from __future__ import annotations

from typing import Any

__all__ = ["Patches"]


class Patches:
    """Replaced attributes; together they are on or off."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, str, Any, Any]] = []

    def add(self, owner: Any, name: str, new: Any) -> None:
        """Replace an attribute."""
        self._rows.append((owner, name, getattr(owner, name), new))
        setattr(owner, name, new)

    def on(self) -> None:
        """Replace them all again; one that someone else has replaced since stays theirs."""
        for owner, name, original, new in self._rows:
            if getattr(owner, name) is original:
                setattr(owner, name, new)

    def off(self) -> None:
        """Put the originals back, where ours still stand."""
        for owner, name, original, new in reversed(self._rows):
            if getattr(owner, name) is new:
                setattr(owner, name, original)

    def undo(self) -> None:
        """Put the originals back for good."""
        self.off()
        self._rows.clear()
