"""What a person can take hold of in a layout: points whose coordinates are bare unknowns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kuaibao.diagrams.graph import Graph, Node, Scalar
from kuaibao.diagrams.opcodes import INPUT
from kuaibao.diagrams.problem import Problem, walk_shapes

__all__ = ["Handle", "find_handles", "pins_of"]

_BY_ENDS = frozenset(("Line", "Path", "Polygon", "Polyline"))
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
    x: Scalar
    y: Scalar


def find_handles(problem: Problem) -> list[Handle]:
    """All handles in draw order; a point that several shapes share is one handle."""
    seen: set[tuple[int | None, int | None]] = set()
    handles: list[Handle] = []
    numbers = _input_numbers(problem.graph)
    shapes = [shape for shape in walk_shapes(problem.shapes) if shape.kind != "Group"]
    # a point that is a shape's centre is called after that shape
    for shape in sorted(shapes, key=lambda one: one.kind in _BY_ENDS):
        for place, point in _points(shape.properties):
            x, y = point
            inputs = (_input(x, numbers, problem), _input(y, numbers, problem))
            if inputs == (None, None) or inputs in seen:
                continue
            seen.add(inputs)
            handles.append(Handle(f"{shape.name} {place}", shape.name, inputs, x, y))
    return handles


def pins_of(handles: Sequence[Handle], pins: Pins) -> dict[int, float]:
    """The inputs that pinned handles hold; names that no longer exist are left out."""
    held: dict[int, float] = {}
    for handle in handles:
        if handle.name in pins:
            for number, value in zip(handle.inputs, pins[handle.name], strict=False):
                if number is not None:
                    held[number] = float(value)
    return held


def _input_numbers(graph: Graph) -> dict[int, int]:
    """From nodes to the inputs that they are."""
    return {index: int(graph.left[index]) for index, op in enumerate(graph.ops) if op == INPUT}


def _input(scalar: Scalar, numbers: Mapping[int, int], problem: Problem) -> int | None:
    """The input behind a coordinate, if the layout chooses it."""
    number = numbers.get(scalar.index) if isinstance(scalar, Node) else None
    if number is None or problem.graph.inputs[number].stages == frozenset():
        return None
    return number


def _points(properties: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Scalar, Scalar]]]:
    for name in ("center", "start", "end"):
        if name in properties:
            x, y = properties[name].contents
            yield name, (x, y)
    if "points" in properties:
        for number, (x, y) in enumerate(properties["points"].contents):
            yield f"points[{number}]", (x, y)
