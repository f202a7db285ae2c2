"""What a compiled program asks of the layout: unknowns, terms, stages and the shapes to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kuaibao.diagrams.graph import Graph, Scalar
from kuaibao.diagrams.library.context import Canvas
from kuaibao.diagrams.values import Shape

__all__ = ["Problem", "Term", "walk_shapes"]


@dataclass(frozen=True, slots=True)
class Term:
    """One constraint (satisfied when its value is at most 0) or objective (to be small)."""

    value: Scalar
    stages: frozenset[str] | None
    """The stages in which it counts; None means all."""
    origin: str
    """The call as the program writes it, with its place: `disjoint(x, y) at a.style:3`."""
    shapes: tuple[str, ...] = ()
    """Names of the shapes that it speaks of."""


@dataclass
class Problem:
    """A program after compilation; the layout reads it and never changes it."""

    graph: Graph
    """Holds the inputs (unknowns, random constants, text measures) with their stages."""
    canvas: Canvas
    shapes: list[Shape]
    """Roots in draw order, the lowest first; members of a group stand in its `shapes`."""
    objectives: list[Term]
    constraints: list[Term]
    """Those of the program in order, then one `onCanvas` for each shape that asks for it."""
    stages: tuple[str, ...]
    """Names of the layout stages in order; one empty name when the program has none."""

    @property
    def n_input(self) -> int:
        """How many inputs there are, dead ones included."""
        return len(self.graph.inputs)


def walk_shapes(shapes: Sequence[Shape]) -> Iterator[Shape]:
    """All shapes in draw order, groups before their members; a group in itself is not entered."""
    yield from _walk(shapes, ())


def _walk(shapes: Sequence[Shape], above: tuple[Shape, ...]) -> Iterator[Shape]:
    for shape in shapes:
        yield shape
        if shape.kind == "Group" and not any(shape is one for one in above):
            yield from _walk(shape["shapes"], (*above, shape))
