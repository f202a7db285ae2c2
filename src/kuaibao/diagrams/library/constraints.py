"""Constraints between numbers, points and shapes: satisfied where the value is not positive."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.boxes import bounding_box
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.minkowski import between_shapes
from kuaibao.diagrams.library.rows import BodyProblem, constraint
from kuaibao.diagrams.library.vectors import Vec, cross2, distance, dot, minus, positive
from kuaibao.diagrams.scalars import absolute, both, either, less, minimum, select, square, total
from kuaibao.diagrams.values import Shape

__all__: list[str] = []

_NUMBERS = "Numbers"
_POINTS = "Points"
_SHAPES = "Shapes"


@constraint(_NUMBERS, "x: Real; y: Real", "x is y.")
def equal(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return absolute(x - y)


@constraint(
    _NUMBERS, "x: Real; y: Real; padding: Real = 0", "x + padding is at most y.", name="lessThan"
)
def _less_than(_: Context, x: Scalar, y: Scalar, padding: Scalar) -> Scalar:
    return x - y + padding


@constraint(
    _NUMBERS, "x: Real; y: Real; padding: Real = 0", "x is at least y + padding.",
    name="greaterThan",
)  # fmt: skip
def _greater_than(_: Context, x: Scalar, y: Scalar, padding: Scalar) -> Scalar:
    return y - x + padding


@constraint(_NUMBERS, "x: Real; y: Real", "x is at most y; the excess counts squared.",
            name="lessThanSq")  # fmt: skip
def _less_than_sq(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return square(positive(x - y))


@constraint(_NUMBERS, "x: Real; y: Real", "x is at least y; the lack counts squared.",
            name="greaterThanSq")  # fmt: skip
def _greater_than_sq(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return square(positive(y - x))


@constraint(_NUMBERS, "x: Real; x0: Real; x1: Real", "x lies from x0 to x1.", name="inRange")
def _in_range(_: Context, x: Scalar, low: Scalar, high: Scalar) -> Scalar:
    return positive(x - high) + positive(low - x)


def interval_holds(outer: Vec, inner: Vec) -> Scalar:
    """How far one interval sticks out of another at both ends together."""
    return positive(outer[0] - inner[0]) + positive(inner[1] - outer[1])


@constraint(
    _NUMBERS,
    "outer: Real2 -- low and high; inner: Real2 -- low and high",
    "The first interval holds the second.",
    name="contains1D",
)
def _contains_1d(_: Context, outer: Vec, inner: Vec) -> Scalar:
    return interval_holds(outer, inner)


@constraint(
    _NUMBERS, "c: Real; left: Real; right: Real", "c lies outside the interval.",
    name="disjointScalar",
)  # fmt: skip
def _disjoint_scalar(_: Context, c: Scalar, left: Scalar, right: Scalar) -> Scalar:
    inside = both(less(left, c), less(c, right))
    return select(inside, minimum(absolute(c - left), absolute(c - right)), 0.0)


@constraint(
    _POINTS, "q: RealN; p: RealN; r: RealN", "The angle at p between q and r is a right one."
)
def perpendicular(_: Context, q: Vec, p: Vec, r: Vec) -> Scalar:
    return absolute(dot(minus(q, p), minus(r, p)))


@constraint(_POINTS, "c1: RealN; c2: RealN; c3: RealN", "The points lie on one line.")
def collinear(_: Context, c1: Vec, c2: Vec, c3: Vec) -> Scalar:
    if not len(c1) == len(c2) == len(c3) == 2:
        raise BodyProblem("the points must be points of the plane")
    return absolute(cross2(minus(c2, c1), minus(c2, c3)))


@constraint(
    _POINTS,
    "c1: RealN; c2: RealN; c3: RealN",
    "The points lie on one line, c2 between the others.",
    name="collinearOrdered",
)
def _collinear_ordered(_: Context, c1: Vec, c2: Vec, c3: Vec) -> Scalar:
    return positive(distance(c1, c2) + distance(c2, c3) - distance(c1, c3))


@constraint(
    _SHAPES,
    "shape: AnyShape; canvasWidth: Real; canvasHeight: Real",
    "The bounding box lies on the canvas; set for every shape whose ensureOnCanvas is true.",
    name="onCanvas",
)
def _on_canvas(_: Context, shape: Shape, width: Scalar, height: Scalar) -> Scalar:
    box = bounding_box(shape)
    across = interval_holds([-0.5 * width, 0.5 * width], [box.left, box.right])
    return across + interval_holds([-0.5 * height, 0.5 * height], [box.bottom, box.top])


@constraint(
    _SHAPES,
    "s1: AnyShape; s2: AnyShape; overlap: Real = 0 -- least depth",
    "The shapes overlap.",
)
def overlapping(context: Context, s1: Shape, s2: Shape, overlap: Scalar) -> Scalar:
    return between_shapes(context, s1, s2) + overlap


@constraint(
    _SHAPES,
    "s1: AnyShape; s2: AnyShape; padding: Real = 0 -- least gap",
    "The shapes do not overlap.",
)
def disjoint(context: Context, s1: Shape, s2: Shape, padding: Scalar) -> Scalar:
    return padding - between_shapes(context, s1, s2)


@constraint(
    _SHAPES,
    "s1: AnyShape; s2: AnyShape; padding: Real = 0 -- the gap",
    "The shapes touch, or lie at a distance of padding.",
)
def touching(context: Context, s1: Shape, s2: Shape, padding: Scalar) -> Scalar:
    return absolute(between_shapes(context, s1, s2) - padding)


@constraint(
    _SHAPES,
    "shapes: ShapeList; padding: Real = 0 -- the gap; leftToRight: Boolean = true",
    "The bounding boxes stand side by side with equal gaps.",
    name="distributeHorizontally",
)
def _distribute_horizontally(
    _: Context, shapes: Sequence[Shape], padding: Scalar, left_to_right: bool
) -> Scalar:
    boxes = [bounding_box(shape) for shape in (shapes if left_to_right else reversed(shapes))]
    pairs = itertools.pairwise(boxes)
    return total(absolute(a.right + padding - b.left) for a, b in pairs)


@constraint(
    _SHAPES,
    "shapes: ShapeList; padding: Real = 0 -- the gap; topToBottom: Boolean = true",
    "The bounding boxes stand one below the other with equal gaps.",
    name="distributeVertically",
)
def _distribute_vertically(
    _: Context, shapes: Sequence[Shape], padding: Scalar, top_to_bottom: bool
) -> Scalar:
    boxes = [bounding_box(shape) for shape in (reversed(shapes) if top_to_bottom else shapes)]
    pairs = itertools.pairwise(boxes)
    return total(absolute(a.top + padding - b.bottom) for a, b in pairs)


@constraint(
    _SHAPES,
    "s1: Line; s2: Line",
    "The lines, drawn from left to right, share no stretch of the x axis.",
    name="disjointIntervals",
)
def _disjoint_intervals(_: Context, s1: Shape, s2: Shape) -> Scalar:
    (l1, r1), (l2, r2) = ((s["start"][0], s["end"][0]) for s in (s1, s2))
    apart = either(less(r1, l2), less(r2, l1))
    return select(apart, 0.0, minimum(absolute(l2 - r1), absolute(l1 - r2)))
