"""The root of all errors that a user can mend, and the place in a file that they point at.

    KuaibaoError            exit code 1
    ├── InputError          2: a file, a setting or an argument is wrong
    ├── MissingExtraError   3: a part that is not installed
    └── (each room's own tree stands in its `errors.py`)

An error says what was wrong, where, and what to do; each is a field, and `render` alone makes the
text, so that the command line, the web pages and `--json` say the same thing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["InputError", "KuaibaoError", "MissingExtraError", "Place", "did_you_mean"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a file: line and column count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0
    source_line: str = ""
    """The text of that line, shown above a caret."""
    length: int = 1
    """How many characters the caret underlines."""

    def __str__(self) -> str:
        """`file:line:column`, as editors understand it."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


class KuaibaoError(Exception):
    """Anything a user can mend: what was wrong, where, what to do."""

    exit_code: int = 1

    def __init__(self, message: str, *, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        # A message quotes what came in; it must go out through any door.
        self.message = _writable(message)
        self.place = place
        self.hint = _writable(hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross process borders with all their fields."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())

    def __str__(self) -> str:
        """The whole text: place, message, source line with a caret, hint."""
        return self.render()

    def render(self) -> str:
        """Place, message, source line with a caret, hint: one text for every door."""
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        if self.place and self.place.source_line:
            text = self.place.source_line.expandtabs(1)
            lines.append("  " + text)
            if self.place.column:
                width = max(1, min(self.place.length, len(text) - self.place.column + 2))
                lines.append("  " + " " * (self.place.column - 1) + "^" * width)
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The fields, for `--json`."""
        place = self.place
        return {
            "error": type(self).__name__,
            "message": self.message,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "hint": self.hint,
        }


def _writable(text: str) -> str:
    """The text with lone surrogates, which no encoding has, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _rebuild(kind: type[KuaibaoError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


class InputError(KuaibaoError):
    """A file, a setting or an argument is wrong."""

    exit_code = 2


class MissingExtraError(KuaibaoError):
    """A part that is not installed."""

    exit_code = 3

    def __init__(self, extra: str, *, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra '{extra}', which is not installed",
            hint=f"Install it with: pip install 'kuaibao[{extra}]'",
        )
        self.extra = extra


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest known ones, then all of them (at most 20)."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    head = f"Did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    tail = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"{head}Known: {tail}." if names else head.strip()
