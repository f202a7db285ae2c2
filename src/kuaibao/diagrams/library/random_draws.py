"""Random constants: drawn once for every candidate layout, never moved by it."""

from __future__ import annotations

import math

from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.library.context import TAU, Context
from kuaibao.diagrams.library.rows import BodyProblem, function
from kuaibao.diagrams.library.vectors import Vec, clamp
from kuaibao.diagrams.scalars import cos, log, sin, sqrt, square

__all__ = ["draw_normal"]

_GROUP = "Random numbers"


def _known(low: Scalar, high: Scalar) -> tuple[float, float]:
    if isinstance(low, Node) or isinstance(high, Node):
        raise BodyProblem("the bounds must be numbers that are known before the layout")
    return float(low), float(high)


@function(_GROUP, "minVal: Real; maxVal: Real", "Real", "A number in [minVal, maxVal).")
def random(context: Context, low: Scalar, high: Scalar) -> Scalar:
    return context.draw(*_known(low, high))


@function(_GROUP, "", "Real", "A number in [0, 1).", name="unitRandom")
def _unit_random(context: Context) -> Scalar:
    return context.draw(0.0, 1.0)


@function(_GROUP, "", "RealN", "A point of the unit disk.", name="diskRandom")
def _disk_random(context: Context) -> list[Scalar]:
    r, angle = sqrt(context.draw(0.0, 1.0)), TAU * context.draw(0.0, 1.0)
    return [r * cos(angle), r * sin(angle)]


@function(_GROUP, "", "RealN", "A point of the unit circle.", name="circleRandom")
def _circle_random(context: Context) -> list[Scalar]:
    angle = context.draw(0.0, TAU)
    return [cos(angle), sin(angle)]


@function(_GROUP, "", "RealN", "A point of the unit sphere.", name="sphereRandom")
def _sphere_random(context: Context) -> list[Scalar]:
    z = 1.0 - 2.0 * context.draw(0.0, 1.0)
    r = sqrt(clamp(1.0 - square(z), 0.0, 1.0))
    angle = TAU * context.draw(0.0, 1.0)
    return [r * cos(angle), r * sin(angle), z]


def draw_normal(context: Context) -> Scalar:
    """A number of the normal distribution (Box and Muller 1958)."""
    u, v = context.draw(0.0, 1.0), context.draw(0.0, 1.0)
    return sqrt(-2.0 * log(u)) * cos(TAU * v)


@function(
    _GROUP, "", "Real", "A number of the normal distribution, mean 0, deviation 1.",
    name="normalRandom",
)  # fmt: skip
def _normal_random(context: Context) -> Scalar:
    return draw_normal(context)


@function(
    _GROUP, "a: Real2; b: Real2; c: Real2", "RealN", "A point of the triangle a b c.",
    name="triangleRandom",
)  # fmt: skip
def _triangle_random(context: Context, a: Vec, b: Vec, c: Vec) -> list[Scalar]:
    s, t = sqrt(context.draw(0.0, 1.0)), context.draw(0.0, 1.0)
    weights = [1.0 - s, s * (1.0 - t), s * t]
    return [
        weights[0] * x + weights[1] * y + weights[2] * z for x, y, z in zip(a, b, c, strict=True)
    ]


@function(
    _GROUP,
    "minIndex: Real; maxIndex: Real",
    "PosInt",
    "A whole number in [minIndex, maxIndex), known while compiling, so that it can be an index.",
    name="randomIndex",
)
def _random_index(context: Context, low: Scalar, high: Scalar) -> Scalar:
    return float(math.floor(context.start_value(context.draw(*_known(low, high)))))
