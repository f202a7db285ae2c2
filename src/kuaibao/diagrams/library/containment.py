"""Containment: how far one shape sticks out of another."""

from __future__ import annotations

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.boxes import Box, bounding_box, box_around
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.minkowski import polygon_holds
from kuaibao.diagrams.library.query_functions import four_corners, some
from kuaibao.diagrams.library.rows import RECTLIKE, constraint
from kuaibao.diagrams.library.vectors import Points, Vec, distance, largest, positive, smallest
from kuaibao.diagrams.scalars import absolute, maximum, square, square_root, total
from kuaibao.diagrams.values import Shape

__all__ = ["holds"]

_GROUP = "Containment"
_MARGIN = "padding: Real = 0 -- least margin"


def circle_in_circle(c: Vec, r: Scalar, c2: Vec, r2: Scalar, padding: Scalar) -> Scalar:
    """How far the second circle leaves the first."""
    return distance(c, c2) - (r - r2 - padding)


def points_in_circle(c: Vec, r: Scalar, points: Points, padding: Scalar) -> Scalar:
    """How far the farthest point leaves a circle."""
    return largest([distance(p, c) + padding - r for p in points])


def circle_in_box(box: Box, c: Vec, r: Scalar, padding: Scalar) -> Scalar:
    """How far a circle leaves a box."""
    x = absolute(c[0] - box.x) - (0.5 * box.width - r - padding)
    y = absolute(c[1] - box.y) - (0.5 * box.height - r - padding)
    return maximum(x, y)


def box_in_box(outer: Box, inner: Box, padding: Scalar) -> Scalar:
    """The sum of the squared excesses over the four sides."""
    return total(
        square(positive(excess))
        for excess in (
            outer.left - inner.left + padding,
            inner.right - outer.right + padding,
            outer.bottom - inner.bottom + padding,
            inner.top - outer.top + padding,
        )
    )


def box_in_circle(c: Vec, r: Scalar, box: Box) -> Scalar:
    """As if the box were the circle of its longer side as radius (Penrose's rule; no padding)."""
    return circle_in_circle(c, r, [box.x, box.y], maximum(box.width, box.height), 0.0)


def holds(context: Context, outer: Shape, inner: Shape, padding: Scalar) -> Scalar:
    """How far the inner shape leaves the outer; pairs without a formula count as boxes."""
    a, b = outer.kind, inner.kind
    if a == "Group":
        return _group_holds(context, outer, inner, padding)
    if a == "Circle":
        center, r = outer["center"], outer["r"]
        if b == "Circle":
            return circle_in_circle(center, r, inner["center"], inner["r"], padding)
        if b == "Polygon":
            return points_in_circle(center, r, inner["points"], padding)
        if b in RECTLIKE:
            return box_in_circle(center, r, bounding_box(inner))
    if a == "Polygon" and b == "Polygon":
        return polygon_holds(context, outer["points"], inner["points"], padding)
    if a == "Polygon" and b == "Circle":
        return polygon_holds(context, outer["points"], [inner["center"]], padding + inner["r"])
    if a in RECTLIKE and b == "Circle":
        return circle_in_box(bounding_box(outer), inner["center"], inner["r"], padding)
    if not (a in RECTLIKE and b in RECTLIKE):
        context.approximated(outer, inner)
    return box_in_box(bounding_box(outer), bounding_box(inner), padding)


def _group_holds(context: Context, outer: Shape, inner: Shape, padding: Scalar) -> Scalar:
    members = [holds(context, member, inner, padding) for member in outer["shapes"]]
    best = smallest(members) if members else 0.0
    clip = outer["clipPath"].contents
    if clip is None:
        return best
    cut = holds(context, clip, inner, 0.0)
    return square_root(square(positive(best)) + square(positive(cut)))


@constraint(
    _GROUP,
    f"s1: AnyShape; s2: AnyShape; {_MARGIN}",
    "Shape s1 holds s2. Other pairs than circles, polygons and circles in rectangles count as "
    "boxes: then the value is a sum of squares.",
)
def contains(context: Context, s1: Shape, s2: Shape, padding: Scalar) -> Scalar:
    return holds(context, s1, s2, padding)


@constraint(
    _GROUP,
    f"c1: Real2; r1: Real; c2: Real2; r2: Real; {_MARGIN}",
    "The first circle holds the second.",
    name="containsCircles",
)
def _circles(_: Context, c1: Vec, r1: Scalar, c2: Vec, r2: Scalar, padding: Scalar) -> Scalar:
    return circle_in_circle(c1, r1, c2, r2, padding)


@constraint(
    _GROUP,
    f"pts1: Real2N; pts2: Real2N; {_MARGIN}",
    "The first polygon holds the second.",
    name="containsPolys",
)
def _polys(context: Context, pts1: Points, pts2: Points, padding: Scalar) -> Scalar:
    return polygon_holds(context, some(pts1), some(pts2, 1), padding)


@constraint(
    _GROUP,
    f"pts: Real2N; c: Real2; r: Real; {_MARGIN}",
    "The polygon holds the circle.",
    name="containsPolyCircle",
)
def _poly_circle(context: Context, pts: Points, c: Vec, r: Scalar, padding: Scalar) -> Scalar:
    return polygon_holds(context, some(pts), [c], padding + r)


@constraint(
    _GROUP,
    f"pts: Real2N; pt: Real2; {_MARGIN}",
    "The polygon holds the point.",
    name="containsPolyPoint",
)
def _poly_point(context: Context, pts: Points, pt: Vec, padding: Scalar) -> Scalar:
    return polygon_holds(context, some(pts), [pt], padding)


@constraint(
    _GROUP,
    f"c: Real2; r: Real; pt: Real2; {_MARGIN}",
    "The circle holds the point.",
    name="containsCirclePoint",
)
def _circle_point(_: Context, c: Vec, r: Scalar, pt: Vec, padding: Scalar) -> Scalar:
    return points_in_circle(c, r, [pt], padding)


@constraint(
    _GROUP,
    f"c: Real2; r: Real; pts: Real2N; {_MARGIN}",
    "The circle holds the polygon.",
    name="containsCirclePoly",
)
def _circle_poly(_: Context, c: Vec, r: Scalar, pts: Points, padding: Scalar) -> Scalar:
    return points_in_circle(c, r, some(pts, 1), padding)


@constraint(
    _GROUP,
    f"c: Real2; r: Real; rect: Real2N; {_MARGIN}",
    "The circle holds the rectangle with room to spare: as if that were a circle with the longer "
    "side as radius; padding is ignored.",
    name="containsCircleRect",
)
def _circle_rect(_: Context, c: Vec, r: Scalar, rect: Points, _padding: Scalar) -> Scalar:
    return box_in_circle(c, r, box_around(four_corners(rect)))


@constraint(
    _GROUP,
    f"rect: Real2N; c: Real2; r: Real; {_MARGIN}",
    "The rectangle holds the circle.",
    name="containsRectCircle",
)
def _rect_circle(_: Context, rect: Points, c: Vec, r: Scalar, padding: Scalar) -> Scalar:
    return circle_in_box(box_around(four_corners(rect)), c, r, padding)


@constraint(
    _GROUP,
    f"rect1: Real2N; rect2: Real2N; {_MARGIN}",
    "The first rectangle holds the second; the value is a sum of squares.",
    name="containsRects",
)
def _rects(_: Context, rect1: Points, rect2: Points, padding: Scalar) -> Scalar:
    return box_in_box(box_around(four_corners(rect1)), box_around(four_corners(rect2)), padding)
