"""Shapes with numbers in place of unknowns: what a renderer gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.values import ClipDataV, Shape, ShapeListV, Value, map_numbers

__all__ = ["numbers_in", "with_numbers"]


def numbers_in(shapes: Sequence[Shape]) -> list[Node]:
    """Every node that the properties of shapes (and of their members) read, each once."""
    found: dict[int, Node] = {}

    def note(scalar: Scalar) -> float:
        if isinstance(scalar, Node):
            found[scalar.index] = scalar
        return 0.0

    _rebuild(shapes, note, {})
    return list(found.values())


def with_numbers(shapes: Sequence[Shape], number: Callable[[Scalar], float]) -> list[Shape]:
    """Copies of the shapes with `number` applied to every scalar; shared shapes stay shared."""
    return _rebuild(shapes, number, {})


def _rebuild(
    shapes: Sequence[Shape], number: Callable[[Scalar], float], done: dict[int, Shape]
) -> list[Shape]:
    return [_shape(shape, number, done) for shape in shapes]


def _shape(shape: Shape, number: Callable[[Scalar], float], done: dict[int, Shape]) -> Shape:
    known = done.get(id(shape))
    if known is not None:
        return known
    copy = Shape(shape.kind, shape.name, {}, {})
    done[id(shape)] = copy
    for name, value in shape.properties.items():
        copy.properties[name] = _value(value, number, done)
    for name, value in shape.passthrough.items():
        mapped = map_numbers(value, number)
        copy.passthrough[name] = mapped  # type: ignore[assignment]  # FloatV and StrV keep kind
    return copy


def _value(value: Value, number: Callable[[Scalar], float], done: dict[int, Shape]) -> Value:
    match value:
        case ShapeListV(members):
            return ShapeListV(_rebuild(members, number, done))
        case ClipDataV(Shape() as clip):
            return ClipDataV(_shape(clip, number, done))
        case _:
            return map_numbers(value, number)
