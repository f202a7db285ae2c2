"""The kinds of values that Style expressions have, and shapes.

Numbers inside are `Scalar`: known (`float`) or known once a layout is (`Node`). The class names
are Penrose's, since its manuals and errors name them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kuaibao.diagrams.graph import Scalar

__all__ = [
    "BoolV",
    "ClipDataV",
    "ColorV",
    "FloatV",
    "LListV",
    "ListV",
    "MatrixV",
    "PathCommand",
    "PathDataListV",
    "PathDataV",
    "PtListV",
    "Shape",
    "ShapeListV",
    "StrV",
    "TupV",
    "Value",
    "VectorV",
    "map_numbers",
]


@dataclass(slots=True)
class FloatV:
    """A number."""

    contents: Scalar


@dataclass(slots=True)
class BoolV:
    """True or false, known when the program is compiled."""

    contents: bool


@dataclass(slots=True)
class StrV:
    """A string."""

    contents: str


@dataclass(slots=True)
class ColorV:
    """A paint: `rgba` (0 to 1 each), `hsva` (degrees, percent, percent, 0 to 1), or `none`."""

    space: str
    contents: Sequence[Scalar] = ()


@dataclass(slots=True)
class ListV:
    """A list of numbers, written `[1, 2]`."""

    contents: Sequence[Scalar]


@dataclass(slots=True)
class VectorV:
    """A vector, written `(1, 2)`."""

    contents: Sequence[Scalar]


@dataclass(slots=True)
class MatrixV:
    """A matrix by rows, written `((1, 2), (3, 4))`."""

    contents: Sequence[Sequence[Scalar]]


@dataclass(slots=True)
class TupV:
    """Two numbers, written `{1, 2}`."""

    contents: Sequence[Scalar]


@dataclass(slots=True)
class LListV:
    """A list of lists of numbers, written `[[1, 2], [3, 4]]`."""

    contents: Sequence[Sequence[Scalar]]


@dataclass(slots=True)
class PtListV:
    """A list of points in the plane."""

    contents: Sequence[Sequence[Scalar]]


@dataclass(slots=True)
class PathCommand:
    """One SVG path command, absolute, its numbers in SVG's order.

    M L T: x y; Q S: two points; C: three points; A: rx ry rotation large sweep x y; Z: nothing.
    Coordinates are the diagram's (y up); `sweep` is as SVG means it (1 = clockwise on screen).
    """

    letter: str
    numbers: Sequence[Scalar] = ()


@dataclass(slots=True)
class PathDataV:
    """The outline of a path."""

    contents: Sequence[PathCommand]


@dataclass(slots=True)
class PathDataListV:
    """Several outlines."""

    contents: Sequence[Sequence[PathCommand]]


@dataclass(slots=True)
class ShapeListV:
    """Several shapes."""

    contents: Sequence[Shape]


@dataclass(slots=True)
class ClipDataV:
    """What a group is cut to: a shape, or None for nothing."""

    contents: Shape | None = None


Value: TypeAlias = (
    FloatV
    | BoolV
    | StrV
    | ColorV
    | ListV
    | VectorV
    | MatrixV
    | TupV
    | LListV
    | PtListV
    | PathDataV
    | PathDataListV
    | ShapeListV
    | ClipDataV
)


@dataclass(slots=True, eq=False)
class Shape:
    """A shape and its properties; two shapes are the same only if they are one object."""

    kind: str
    """One of the 11: Circle, Ellipse, Equation, Group, Image, Line, Path, Polygon, ..."""
    name: str
    """The path of the shape in the Style program, as in `` `A`.icon ``."""
    properties: dict[str, Value]
    passthrough: dict[str, FloatV | StrV] = field(default_factory=dict[str, "FloatV | StrV"])
    """Properties that the kind does not know; they become SVG attributes."""

    def __getitem__(self, name: str) -> Any:
        """The contents of a property (for a colour or a clip, the value itself)."""
        value = self.properties[name]
        return value if isinstance(value, ColorV | ClipDataV) else value.contents


def map_numbers(value: Value, number: Callable[[Scalar], float]) -> Value:
    """The same value with `number` applied to every scalar in it; shapes are not entered."""
    match value:
        case FloatV(contents):
            return FloatV(number(contents))
        case ColorV(space, contents):
            return ColorV(space, [number(x) for x in contents])
        case ListV(contents) | VectorV(contents) | TupV(contents):
            return type(value)([number(x) for x in contents])
        case MatrixV(contents) | LListV(contents) | PtListV(contents):
            return type(value)([[number(x) for x in row] for row in contents])
        case PathDataV(contents):
            return PathDataV(_map_path(contents, number))
        case PathDataListV(contents):
            return PathDataListV([_map_path(path, number) for path in contents])
        case _:
            return value


def _map_path(path: Sequence[PathCommand], number: Callable[[Scalar], float]) -> list[PathCommand]:
    return [PathCommand(c.letter, [number(x) for x in c.numbers]) for c in path]
