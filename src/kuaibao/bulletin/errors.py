"""What can be wrong with a bulletin.

InputError
├── ConfigError        bulletin.toml; holds every problem found
└── ManuscriptError    a text that somebody wrote
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kuaibao.errors import InputError, Place

__all__ = ["ConfigError", "ConfigProblem", "ManuscriptError"]


@dataclass(frozen=True)
class ConfigProblem:
    """One thing that is wrong, where, and what to do."""

    message: str
    place: Place
    hint: str = ""


class ConfigError(InputError):
    """bulletin.toml is wrong; `problems` holds all that is, in the order of the file."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        first = problems[0]
        super().__init__(first.message, place=first.place, hint=first.hint)
        self.args = (list(problems),)
        self.problems = tuple(problems)

    def render(self) -> str:
        """Every problem with its place."""
        return "\n".join(
            InputError(p.message, place=p.place, hint=p.hint).render() for p in self.problems
        )

    def to_json(self) -> dict[str, Any]:
        """The first problem's fields, and all of them as `problems`."""
        return {
            **super().to_json(),
            "problems": [
                {
                    "message": p.message,
                    "file": p.place.file,
                    "line": p.place.line or None,
                    "column": p.place.column or None,
                    "hint": p.hint,
                }
                for p in self.problems
            ],
        }


class ManuscriptError(InputError):
    """A text that somebody wrote can't be used."""
