"""Objectives: the smaller the value the better; it may be negative."""

from __future__ import annotations

import math

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.boxes import bounding_box, center_of
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import objective
from kuaibao.diagrams.library.vectors import (
    EPSILON,
    Vec,
    along,
    clamp,
    distance,
    distance_squared,
    dot,
    middle,
    minus,
    positive,
    unit,
)
from kuaibao.diagrams.scalars import absolute, divide, less, maximum, select, square, total
from kuaibao.diagrams.values import Shape

__all__: list[str] = []

_NUMBERS = "Numbers"
_POINTS = "Points"
_SHAPES = "Shapes"
_LABELS = "Labels"
_PAIR = "s1: AnyShape; s2: AnyShape"


@objective(_NUMBERS, "x: Real", "x is small.")
def minimal(_: Context, x: Scalar) -> Scalar:
    return x


@objective(_NUMBERS, "x: Real", "x is large.")
def maximal(_: Context, x: Scalar) -> Scalar:
    return -x


@objective(_NUMBERS, "x: Real; y: Real", "x is y.")
def equal(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return square(x - y)


@objective(_NUMBERS, "x: Real; y: Real", "x is at least y.", name="greaterThan")
def _greater_than(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return square(positive(y - x))


@objective(_NUMBERS, "x: Real; y: Real", "x is at most y.", name="lessThan")
def _less_than(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return square(positive(x - y))


@objective(_NUMBERS, "c: Real; d: Real", "Two numbers are far apart.", name="repelScalar")
def _repel_scalar(_: Context, c: Scalar, d: Scalar) -> Scalar:
    return divide(1.0, square(c - d) + EPSILON)


@objective(_POINTS, "v1: RealN; v2: RealN; offset: Real", "Two points are near.", name="nearVec")
def _near_vec(_: Context, v1: Vec, v2: Vec, offset: Scalar) -> Scalar:
    return distance_squared(v1, v2) - square(offset)


def repulsion(weight: Scalar, a: Vec, b: Vec) -> Scalar:
    """The weight over the squared distance, bounded at 0."""
    return divide(weight, distance_squared(a, b) + EPSILON)


@objective(_POINTS, "weight: Real; a: RealN; b: RealN", "Two points are far apart.", name="repelPt")
def _repel_pt(_: Context, weight: Scalar, a: Vec, b: Vec) -> Scalar:
    return repulsion(weight, a, b)


def in_direction(p: Vec, reference: Vec, direction: Vec, offset: Scalar) -> Scalar:
    """The squared error of the offset of p from the reference along a direction."""
    return square(dot(minus(p, reference), unit(direction)) - offset)


@objective(
    _POINTS,
    "p: Real2; pRef: Real2; direction: Real2; offset: Real",
    "p lies by the offset from pRef along the direction.",
    name="inDirection",
)
def _in_direction(_: Context, p: Vec, reference: Vec, direction: Vec, offset: Scalar) -> Scalar:
    return in_direction(p, reference, direction, offset)


_UP, _RIGHT = (0.0, 1.0), (1.0, 0.0)


def _beside(_: Context, s: Shape, t: Shape, offset: Scalar) -> Scalar:
    return in_direction(center_of(s), center_of(t), _RIGHT, offset)


def _over(_: Context, s: Shape, t: Shape, offset: Scalar) -> Scalar:
    return in_direction(center_of(s), center_of(t), _UP, offset)


_SIGN = "with a positive offset {0} (the sign is Penrose's; write a negative offset for {1})."
for _name, _params, _body, _text in (
    ("above", "top: AnyShape; bottom: AnyShape", _over,
     "The centre of the first lies above that of the second by the offset."),
    ("below", "bottom: AnyShape; top: AnyShape", _over,
     "The centre of the first lies by the offset from that of the second, "
     + _SIGN.format("above it", "below")),
    ("rightwards", "right: AnyShape; left: AnyShape", _beside,
     "The centre of the first lies to the right of that of the second by the offset."),
    ("leftwards", "left: AnyShape; right: AnyShape", _beside,
     "The centre of the first lies by the offset from that of the second, "
     + _SIGN.format("to the right of it", "the left")),
):  # fmt: skip
    objective(_SHAPES, f"{_params}; offset: Real = 100", _text, name=_name)(_body)


@objective(_SHAPES, _PAIR, "The centres are the same.", name="sameCenter")
def _same_center(_: Context, s1: Shape, s2: Shape) -> Scalar:
    return distance_squared(center_of(s1), center_of(s2))


@objective(_SHAPES, f"{_PAIR}; offset: Real = 10", "The centres are near each other.")
def near(_: Context, s1: Shape, s2: Shape, offset: Scalar) -> Scalar:
    return distance_squared(center_of(s1), center_of(s2)) - square(offset)


@objective(
    _SHAPES, "s1: AnyShape; x: Real; y: Real", "The centre is near the point (x, y).",
    name="nearPt",
)  # fmt: skip
def _near_pt(_: Context, s1: Shape, x: Scalar, y: Scalar) -> Scalar:
    return distance_squared(center_of(s1), [x, y])


_SAMPLES = 16


@objective(
    _SHAPES,
    f"{_PAIR}; weight: Real = 10 -- counts for a line only",
    "The centres are far apart; of a line, 16 points along it are far from the other's centre.",
    name="notTooClose",
)
def _not_too_close(_: Context, s1: Shape, s2: Shape, weight: Scalar) -> Scalar:
    center = center_of(s2)
    if s1.kind != "Line":
        return 1e7 * repulsion(1.0, center_of(s1), center)
    start, run = s1["start"], minus(s1["end"], s1["start"])
    points = (along(start, k / _SAMPLES, run) for k in range(_SAMPLES))
    return 1e7 * weight * total(repulsion(weight, center, p) for p in points)


@objective(
    _SHAPES,
    "s0: AnyShape; s1: AnyShape; s2: AnyShape; strength: Real = 20; range: Real = 10 -- degrees",
    "The angle of the centres at s1 is not flat: the cosine stays below the range in radians.",
    name="nonDegenerateAngle",
)
def _non_degenerate_angle(
    _: Context, s0: Shape, s1: Shape, s2: Shape, strength: Scalar, limit: Scalar
) -> Scalar:
    corner = center_of(s1)
    to_first, to_second = (unit(minus(center_of(s), corner)) for s in (s0, s2))
    cosine = absolute(dot(to_first, to_second))
    return select(less(cosine, limit * (math.pi / 180.0)), 0.0, strength * cosine)


@objective(
    _LABELS,
    "s1: Line; s2: Rectlike; w: Real",
    "The label lies above the middle of the line; w weighs it.",
    name="centerLabelAbove",
)
def _center_label_above(_: Context, s1: Shape, s2: Shape, w: Scalar) -> Scalar:
    x, y = middle(s1["start"], s1["end"])
    box = bounding_box(s2)
    return w * (square(x - box.x) + square(y + 1.1 * box.height - box.y))


@objective(
    _LABELS,
    "s1: Line|Rectlike; s2: Rectlike; w: Real; padding: Real = 10",
    "The label lies beside the middle of the line, or at the centre of the other shape.",
    name="centerLabel",
)
def _center_label(_: Context, s1: Shape, s2: Shape, _w: Scalar, padding: Scalar) -> Scalar:
    if s1.kind != "Line":
        return distance_squared(center_of(s1), center_of(s2))
    box = bounding_box(s2)
    apart = distance_squared(middle(s1["start"], s1["end"]), box.center)
    return apart - square(box.width) + square(padding)


@objective(
    _POINTS,
    "point: Real2; s1: Line; padding: Real",
    "The point lies at the distance padding from the line.",
    name="pointLineDist",
)
def _point_line_dist(_: Context, point: Vec, s1: Shape, padding: Scalar) -> Scalar:
    start, run = s1["start"], minus(s1["end"], s1["start"])
    squared = maximum(dot(run, run), 0.01) + EPSILON  # a line of no length has a nearest point too
    t = clamp(divide(dot(minus(point, start), run), squared), 0.0, 1.0)
    return square(distance(along(start, t, run), point) - padding)
