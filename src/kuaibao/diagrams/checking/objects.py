"""Substance objects by their unique names: variables, and the literals that stand as arguments.

A variable `A` is called `A`, the number 3 `{n3}`, the string "x" `{sx}`: no variable can be called
so, hence a match maps names to plain strings.
"""

from __future__ import annotations

__all__ = ["is_literal", "literal_name", "literal_value", "number_text"]


def number_text(value: float) -> str:
    """A number as people write it: 3 and not 3.0."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def literal_name(value: float | str) -> str:
    """The unique name of a number or a string."""
    return f"{{s{value}}}" if isinstance(value, str) else f"{{n{number_text(value)}}}"


def is_literal(name: str) -> bool:
    """Whether a unique name is that of a literal."""
    return name.startswith("{")


def literal_value(name: str) -> float | str:
    """The number or string behind the unique name of a literal."""
    return name[2:-1] if name.startswith("{s") else float(name[2:-1])
