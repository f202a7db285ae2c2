"""Errors and warnings of the diagrams room.

    InputError
    └── DiagramError       one finding: a tag, a message, a place in a program, a hint
        └── ProgramErrors  all findings of one run, in the order of their places
    LayoutError            the program is right but no picture came out of it

The tags are those of Penrose (`TypeNotFound`, `MissingPathError`, ...), so that tools which know
them keep working; a few of ours (`TooManyMatches`, `TooDeep`) name the stated bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kuaibao.errors import InputError, KuaibaoError, Place

__all__ = [
    "DiagramError",
    "DiagramWarning",
    "LayoutError",
    "ProgramErrors",
]


class DiagramError(InputError):
    """One finding in a program: what was wrong, where, what to do."""

    def __init__(
        self, tag: str, message: str, *, place: Place | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.tag = tag

    def to_json(self) -> dict[str, Any]:
        """The fields with the tag, for `--json`."""
        return {"tag": self.tag, **super().to_json()}


class ProgramErrors(DiagramError):
    """All findings of one run."""

    def __init__(self, errors: Sequence[DiagramError]) -> None:
        first = errors[0]
        super().__init__(first.tag, first.message, place=first.place, hint=first.hint)
        self.errors = tuple(errors)

    def render(self) -> str:
        """Every finding, one after the other."""
        return "\n\n".join(error.render() for error in self.errors)

    def to_json(self) -> dict[str, Any]:
        """The first finding's fields and the list of all."""
        return {**super().to_json(), "errors": [error.to_json() for error in self.errors]}


class LayoutError(KuaibaoError):
    """The program is right, but its layout or its picture failed; says which shapes did it."""

    def __init__(self, tag: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.tag = tag

    def to_json(self) -> dict[str, Any]:
        """The fields with the tag, for `--json`."""
        return {"tag": self.tag, **super().to_json()}


@dataclass(frozen=True)
class DiagramWarning:
    """A finding that does not stop the program; a trio file can silence it by its tag."""

    tag: str
    message: str
    place: Place | None = None

    def __str__(self) -> str:
        """`file:line:column: warning: message`."""
        where = f"{self.place}: " if self.place else ""
        return f"{where}warning: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """The fields, for `--json`."""
        place = self.place
        return {
            "tag": self.tag,
            "message": self.message,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
        }
