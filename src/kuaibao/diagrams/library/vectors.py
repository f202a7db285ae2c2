"""Small vector algebra over scalars of the graph; points and vectors are sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.scalars import (
    atan2,
    divide,
    less_equal,
    maximum,
    minimum,
    select,
    square,
    square_root,
    total,
)

__all__ = ["EPSILON", "Points", "Vec"]

Vec: TypeAlias = Sequence[Scalar]
Points: TypeAlias = Sequence[Vec]

EPSILON = 1e-5
"""Added to the length by which a vector is normalised, so that the zero vector stays finite."""


def plus(v: Vec, w: Vec) -> list[Scalar]:
    """The sum v + w."""
    return [a + b for a, b in zip(v, w, strict=True)]


def minus(v: Vec, w: Vec) -> list[Scalar]:
    """The difference v - w."""
    return [a - b for a, b in zip(v, w, strict=True)]


def times(s: Scalar, v: Vec) -> list[Scalar]:
    """The multiple s v."""
    return [s * a for a in v]


def along(p: Vec, s: Scalar, v: Vec) -> list[Scalar]:
    """The point p + s v."""
    return [a + s * b for a, b in zip(p, v, strict=True)]


def dot(v: Vec, w: Vec) -> Scalar:
    """The inner product."""
    return total(a * b for a, b in zip(v, w, strict=True))


def cross2(v: Vec, w: Vec) -> Scalar:
    """The z of the cross product of two vectors in the plane."""
    return v[0] * w[1] - v[1] * w[0]


def cross3(v: Vec, w: Vec) -> list[Scalar]:
    """The cross product in space."""
    return [
        v[1] * w[2] - v[2] * w[1],
        v[2] * w[0] - v[0] * w[2],
        v[0] * w[1] - v[1] * w[0],
    ]


def norm_squared(v: Vec) -> Scalar:
    """The squared length."""
    return total(square(a) for a in v)


def norm(v: Vec) -> Scalar:
    """The length."""
    return square_root(norm_squared(v))


def distance(v: Vec, w: Vec) -> Scalar:
    """The length of v - w."""
    return norm(minus(v, w))


def distance_squared(v: Vec, w: Vec) -> Scalar:
    """The squared length of v - w."""
    return norm_squared(minus(v, w))


def unit(v: Vec) -> list[Scalar]:
    """The direction v / (|v| + 1e-5)."""
    length = norm(v) + EPSILON
    return [divide(a, length) for a in v]


def rotated_90(v: Vec) -> list[Scalar]:
    """A quarter turn counterclockwise."""
    return [-v[1], v[0]]


def rotated_by(v: Vec, degrees: float) -> list[Scalar]:
    """A turn counterclockwise by a known angle."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [c * v[0] - s * v[1], s * v[0] + c * v[1]]


def middle(p: Vec, q: Vec) -> list[Scalar]:
    """The midpoint."""
    return [0.5 * (a + b) for a, b in zip(p, q, strict=True)]


def mean_point(points: Points) -> list[Scalar]:
    """The mean of one or more points."""
    return [divide(total(column), float(len(points))) for column in zip(*points, strict=True)]


def clamp(x: Scalar, low: Scalar, high: Scalar) -> Scalar:
    """x, or the bound that it exceeds."""
    return maximum(low, minimum(high, x))


def positive(x: Scalar) -> Scalar:
    """The number where it is positive, else 0."""
    return maximum(0.0, x)


def largest(values: Sequence[Scalar]) -> Scalar:
    """The maximum of one or more."""
    result = values[0]
    for value in values[1:]:
        result = maximum(result, value)
    return result


def smallest(values: Sequence[Scalar]) -> Scalar:
    """The minimum of one or more."""
    result = values[0]
    for value in values[1:]:
        result = minimum(result, value)
    return result


def choose(condition: Scalar, v: Vec, w: Vec) -> list[Scalar]:
    """Vector v where the condition holds, else w."""
    return [select(condition, a, b) for a, b in zip(v, w, strict=True)]


def signed_angle(v: Vec, w: Vec) -> Scalar:
    """The angle that turns v to the direction of w, in (-pi, pi]."""
    return atan2(cross2(v, w), dot(v, w))


def foot(a: Vec, b: Vec, p: Vec) -> list[Scalar]:
    """The point of the segment a b that is nearest to p."""
    ab = minus(b, a)
    t = divide(dot(minus(p, a), ab), norm_squared(ab))
    return along(a, clamp(t, 0.0, 1.0), ab)


def box_distance(dx: Scalar, dy: Scalar) -> Scalar:
    """The signed distance to a box by the signed excess over its half extent on each axis."""
    outside = norm([maximum(dx, 0.0), maximum(dy, 0.0)])
    return outside + minimum(maximum(dx, dy), 0.0)


def nearest(query: Vec, candidates: Points) -> list[Scalar]:
    """The candidate nearest to the query; of equal ones the last."""
    best = list(candidates[0])
    shortest = distance_squared(query, best)
    for point in candidates[1:]:
        d = distance_squared(query, point)
        closer = less_equal(d, shortest)
        best = choose(closer, point, best)
        shortest = minimum(d, shortest)
    return best
