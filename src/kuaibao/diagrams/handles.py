"""What a person can take hold of in a layout: points whose coordinates are unknowns.

A centre may also be an unknown times a number plus a number (a label ten pixels above its point):
whoever drags it moves the unknown behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kuaibao.diagrams import opcodes
from kuaibao.diagrams.graph import Graph, Node, Scalar
from kuaibao.diagrams.problem import Problem, walk_shapes

__all__ = ["Handle", "find_handles", "pins_of"]

_BY_ENDS = frozenset(("Line", "Path", "Polygon", "Polyline"))
_MAX_DEPTH = 20
Pins = Mapping[str, Sequence[float]]
"""Where handles must stay: (x, y) in the diagram's coordinates, by their names."""


@dataclass(frozen=True)
class Handle:
    """A point of a shape that can be moved."""

    name: str
    """The shape and its property: `` `A`.icon center ``."""
    shape: str
    inputs: tuple[int | None, int | None]
    """The inputs behind x and y; None for a coordinate that the Style fixes or computes."""
    scales: tuple[float, float]
    offsets: tuple[float, float]
    """A coordinate is its input times the scale plus the offset."""
    x: Scalar
    y: Scalar


def find_handles(problem: Problem) -> list[Handle]:
    """All handles in draw order; a point that several shapes share is one handle."""
    seen: set[tuple[_Line | None, _Line | None]] = set()
    handles: list[Handle] = []
    shapes = [shape for shape in walk_shapes(problem.shapes) if shape.kind != "Group"]
    # a point that is a shape's centre is called after that shape
    for shape in sorted(shapes, key=lambda one: one.kind in _BY_ENDS):
        for place, (x, y) in _points(shape.properties):
            lines = (_line(x, problem), _line(y, problem))
            is_bare = all(one is None or (one.scale, one.offset) == (1.0, 0.0) for one in lines)
            if lines == (None, None) or lines in seen or not (is_bare or place == "center"):
                continue
            seen.add(lines)
            across, up = (one or _Line(None, 1.0, 0.0) for one in lines)
            name, inputs = f"{shape.name} {place}", (across.number, up.number)
            scales, offsets = (across.scale, up.scale), (across.offset, up.offset)
            handles.append(Handle(name, shape.name, inputs, scales, offsets, x, y))
    return handles


def pins_of(handles: Sequence[Handle], pins: Pins) -> dict[int, float]:
    """The inputs that pinned handles hold; names that no longer exist are left out."""
    held: dict[int, float] = {}
    for handle in handles:
        if handle.name not in pins:
            continue
        behind = zip(handle.inputs, handle.scales, handle.offsets, strict=True)
        for (number, scale, offset), value in zip(behind, pins[handle.name], strict=False):
            if number is not None:
                held[number] = (float(value) - offset) / scale
    return held


class _Line(NamedTuple):
    """An input (None: nothing moves), times a number, plus a number."""

    number: int | None
    scale: float
    offset: float


def _line(scalar: Scalar, problem: Problem) -> _Line | None:
    """How a coordinate follows from one unknown; None if it does not, or not in a line."""
    graph, scale, offset = problem.graph, 1.0, 0.0
    index = scalar.index if isinstance(scalar, Node) else -1
    for _ in range(_MAX_DEPTH):
        if index < 0:
            return None
        op = graph.ops[index]
        if op == opcodes.INPUT:
            number = graph.left[index]
            if scale == 0.0 or graph.inputs[number].stages == frozenset():
                return None
            return _Line(number, scale, offset)
        left, right = graph.left[index], graph.right[index]
        first, second = _constant(graph, left), _constant(graph, right)
        if op == opcodes.NEG:
            scale, index = -scale, left
        elif op == opcodes.ADD and (first is None) != (second is None):
            offset += scale * (second if first is None else first)  # type: ignore[operator]
            index = left if first is None else right
        elif op == opcodes.SUB and second is not None and first is None:
            offset, index = offset - scale * second, left
        elif op == opcodes.SUB and first is not None and second is None:
            offset, scale, index = offset + scale * first, -scale, right
        elif op == opcodes.MUL and (first is None) != (second is None):
            scale *= second if first is None else first  # type: ignore[operator]
            index = left if first is None else right
        elif op == opcodes.DIV and second and first is None:
            scale, index = scale / second, left
        else:
            return None
    return None


def _constant(graph: Graph, index: int) -> float | None:
    if index < 0 or graph.ops[index] != opcodes.CONST:
        return None
    return graph.constants[graph.left[index]]


def _points(properties: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Scalar, Scalar]]]:
    for name in ("center", "start", "end"):
        if name in properties:
            x, y = properties[name].contents
            yield name, (x, y)
    if "points" in properties:
        for number, (x, y) in enumerate(properties["points"].contents):
            yield f"points[{number}]", (x, y)
