"""Ellipses that overlap, by their implicit functions.

An ellipse is where f(x, y) = a (x - x0)^2 + b (y - y0)^2 - c is not positive. Two of them overlap
where the least of max(f, g) over the plane is not positive. That least value is the largest of
min (1 - t) f + t g over t from 0 to 1, and the inner minimum has a formula; t is found by halving.
At the best t the value does not change with t to first order, so t counts as a constant in the
derivative and the derivative is exact. (Penrose means to solve a quartic here, and fails.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import constraint
from kuaibao.diagrams.library.vectors import Vec, distance
from kuaibao.diagrams.scalars import divide, greater, select, square

__all__: list[str] = []

_GROUP = "Ellipses"
_HALVINGS = 26


@dataclass(frozen=True, slots=True)
class _Implicit:
    a: Scalar
    b: Scalar
    c: Scalar
    x: Scalar
    y: Scalar

    def at(self, x: Scalar, y: Scalar) -> Scalar:
        return self.a * square(x - self.x) + self.b * square(y - self.y) - self.c


def _implicit(center: Vec, rx: Scalar, ry: Scalar, factor: Scalar) -> _Implicit:
    return _Implicit(
        factor * divide(ry, rx), factor * divide(rx, ry), factor * rx * ry, center[0], center[1]
    )


def _least(f: _Implicit, g: _Implicit, t: Scalar) -> tuple[Scalar, Scalar]:
    """Where (1 - t) f + t g is least."""
    s = 1.0 - t
    x = divide(s * f.a * f.x + t * g.a * g.x, s * f.a + t * g.a)
    y = divide(s * f.b * f.y + t * g.b * g.y, s * f.b + t * g.b)
    return x, y


def _overlap(f: _Implicit, g: _Implicit) -> Scalar:
    t: Scalar = 0.5
    for k in range(2, _HALVINGS):
        x, y = _least(f, g, t)
        step = 0.5**k
        t = t + select(greater(g.at(x, y), f.at(x, y)), step, -step)
    x, y = _least(f, g, t)
    return (1.0 - t) * f.at(x, y) + t * g.at(x, y)


_OVERLAP = "overlap: Real = 0 -- by how much the first is shrunk"


@constraint(
    _GROUP,
    f"c1: Real2; rx1: Real; ry1: Real; c2: Real2; rx2: Real; ry2: Real; {_OVERLAP}",
    "Two ellipses overlap.",
    name="overlappingEllipses",
)
def _overlapping_ellipses(
    _: Context,
    c1: Vec,
    rx1: Scalar,
    ry1: Scalar,
    c2: Vec,
    rx2: Scalar,
    ry2: Scalar,
    overlap: Scalar,
) -> Scalar:
    factor = divide(1.0, 1.0 + distance(c1, c2))  # keeps far ellipses from dominating the energy
    first = _implicit(c1, rx1 - overlap, ry1 - overlap, (math.pi / 3.0) * factor)
    return _overlap(first, _implicit(c2, rx2, ry2, factor))


@constraint(
    _GROUP,
    f"c1: Real2; r1: Real; c2: Real2; rx2: Real; ry2: Real; {_OVERLAP}",
    "A circle and an ellipse overlap.",
    name="overlappingCircleEllipse",
)
def _overlapping_circle_ellipse(
    context: Context, c1: Vec, r1: Scalar, c2: Vec, rx2: Scalar, ry2: Scalar, overlap: Scalar
) -> Scalar:
    return _overlapping_ellipses(context, c1, r1, r1, c2, rx2, ry2, overlap)
