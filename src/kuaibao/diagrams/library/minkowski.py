"""Signed distances between two shapes, by Minkowski differences: negative where they overlap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.boxes import Box, bounding_box, rectangle_box
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.distances import to_polygon, to_polyline, to_segment
from kuaibao.diagrams.library.partition import convex_parts
from kuaibao.diagrams.library.rows import RECTLIKE
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    box_distance,
    dot,
    foot,
    largest,
    minus,
    rotated_90,
    smallest,
    unit,
)
from kuaibao.diagrams.scalars import (
    absolute,
    divide,
    greater,
    less,
    maximum,
    minimum,
    select,
    square,
    square_root,
)
from kuaibao.diagrams.values import Shape

__all__ = ["between_shapes", "parts_of", "polygon_holds"]


def between_boxes(a: Box, b: Box) -> Scalar:
    """Two boxes."""
    dx = absolute(a.x - b.x) - 0.5 * (a.width + b.width)
    dy = absolute(a.y - b.y) - 0.5 * (a.height + b.height)
    return box_distance(dx, dy)


def box_to_circle(box: Box, center: Vec, r: Scalar) -> Scalar:
    """A box and a circle."""
    dx = absolute(box.x - center[0]) - 0.5 * box.width
    dy = absolute(box.y - center[1]) - 0.5 * box.height
    return box_distance(dx, dy) - r


def box_to_segment(box: Box, start: Vec, end: Vec) -> Scalar:
    """A box and a segment: the distance of the origin to the hexagon that is their difference.

    Overlapping, the least of the ways out along x, y and the segment's normal; apart, the
    nearest pair of an end and the box or of a corner and the segment.
    """
    half_w, half_h = 0.5 * box.width, 0.5 * box.height
    ax, ay = start[0] - box.x, start[1] - box.y
    bx, by = end[0] - box.x, end[1] - box.y
    apart_x = maximum(minimum(ax, bx), -1.0 * maximum(ax, bx)) - half_w
    apart_y = maximum(minimum(ay, by), -1.0 * maximum(ay, by)) - half_h
    nx, ny = rotated_90(unit([bx - ax, by - ay]))
    reach = half_w * absolute(nx) + half_h * absolute(ny)
    apart_n = absolute(nx * ax + ny * ay) - reach
    apart = largest([apart_x, apart_y, apart_n])
    ends = minimum(
        box_distance(absolute(ax) - half_w, absolute(ay) - half_h),
        box_distance(absolute(bx) - half_w, absolute(by) - half_h),
    )
    corners = [(half_w, half_h), (-half_w, half_h), (-half_w, -half_h), (half_w, -half_h)]
    to_corners = [_squared_to_segment([ax, ay], [bx, by], corner) for corner in corners]
    outside = minimum(ends, square_root(smallest(to_corners)))
    return select(greater(apart, 0.0), outside, apart)


def _squared_to_segment(a: Vec, b: Vec, p: Vec) -> Scalar:
    x, y = foot(a, b, p)
    return square(x - p[0]) + square(y - p[1])


def between_segments(a: Vec, b: Vec, c: Vec, d: Vec) -> Scalar:
    """Two segments: the origin and the parallelogram of differences."""
    corners = [minus(a, c), minus(b, c), minus(b, d), minus(a, d)]
    return to_polygon(corners, [0.0, 0.0])


def parts_of(context: Context, points: Points) -> list[list[Vec]]:
    """Convex parts of a polygon, as at the start values."""
    if len(points) <= 3:
        return [list(points)]
    rings = convex_parts(context.start_values(points))
    return [[points[k] for k in ring] for ring in rings]


def _sides(points: Points) -> list[tuple[Vec, list[Scalar]]]:
    """A point and the outward normal of each side of a convex polygon."""
    n = len(points)
    middle = [divide(largest_sum, float(n)) for largest_sum in _sums(points)]
    sides: list[tuple[Vec, list[Scalar]]] = []
    for k in range(n):
        a, b = points[k - 1], points[k]
        normal = unit(rotated_90(minus(b, a)))
        flip = select(less(dot(minus(middle, a), normal), 0.0), 1.0, -1.0)
        sides.append((a, [flip * x for x in normal]))
    return sides


def _sums(points: Points) -> list[Scalar]:
    x: Scalar = 0.0
    y: Scalar = 0.0
    for p in points:
        x, y = x + p[0], y + p[1]
    return [x, y]


def _apart_along(first: Points, second: Points) -> list[Scalar]:
    """How far the second lies beyond each side of the first."""
    return [
        smallest([dot(normal, b) for b in second]) - dot(normal, a) for a, normal in _sides(first)
    ]


def between_polygons(context: Context, first: Points, second: Points) -> Scalar:
    """Two polygons: the nearest pair of their convex parts.

    Penrose takes the largest over the parts of the first, so that two polygons that are not
    convex count as apart while other parts of them overlap.
    """
    second_parts = parts_of(context, second)
    return smallest(
        [
            largest([*_apart_along(a, b), *_apart_along(b, a)])
            for a in parts_of(context, first)
            for b in second_parts
        ]
    )


def polygon_to_ellipse(
    context: Context, points: Points, center: Vec, rx: Scalar, ry: Scalar
) -> Scalar:
    """A polygon and an ellipse, through the ellipse's implicit function."""
    return smallest(
        [
            largest([_side_to_ellipse(a, normal, center, rx, ry) for a, normal in _sides(part)])
            for part in parts_of(context, points)
        ]
    )


def _side_to_ellipse(a: Vec, normal: Vec, center: Vec, rx: Scalar, ry: Scalar) -> Scalar:
    """A half-plane and the ellipse p (x - x0)^2 + q (y - y0)^2 = rx ry, p = ry/rx, q = rx/ry."""
    p, q, area = divide(ry, rx), divide(rx, ry), rx * ry
    offset = dot(normal, a)
    at_center = dot(normal, center)
    m = divide(
        q * square(normal[0]) + p * square(normal[1]),
        p * q * 4.0 * (at_center + (area - offset)),
    )
    root = square_root(divide(m, 1.0 + m))
    values: list[Scalar] = []
    for sign in (1.0, -1.0):
        weight = divide(1.0 + sign * root, 2.0 * sign * root)
        x = center[0] + weight * divide(normal[0], p)
        y = center[1] + weight * divide(normal[1], q)
        values.append(normal[0] * x + normal[1] * y - offset)
    return minimum(smallest(values), maximum(-1.0 * area, at_center - offset))


def polygon_holds(context: Context, points: Points, inner: Points, margin: Scalar) -> Scalar:
    """How far the worst inner point lies outside a polygon, plus a margin.

    A point is inside when one convex part holds it (Penrose asks it of every part, which no point
    of a polygon that is not convex can satisfy).
    """
    parts = [_sides(part) for part in parts_of(context, points)]
    return largest(
        [
            smallest([largest([dot(n, p) - dot(n, a) + margin for a, n in part]) for part in parts])
            for p in inner
        ]
    )


_POLYGONAL = frozenset({"Polygon", "Polyline"})


def between_shapes(context: Context, s: Shape, t: Shape) -> Scalar:
    """Any two shapes; pairs without a formula of their own count as their bounding boxes.

    Strokes of rectangles count only for those pairs and for polylines, as in Penrose.
    """
    for a, b in ((s, t), (t, s)):
        value = _between(context, a, b)
        if value is not None:
            return value
    if s.kind in RECTLIKE and t.kind in RECTLIKE:
        return between_boxes(rectangle_box(s), rectangle_box(t))
    context.approximated(s, t)
    return between_boxes(bounding_box(s), bounding_box(t))


def _between(context: Context, a: Shape, b: Shape) -> Scalar | None:
    """By the kinds of a and b in this order."""
    if a.kind == "Circle":
        if b.kind == "Circle":
            (x, y), (u, w) = a["center"], b["center"]
            return square_root(square(x - u) + square(y - w)) - (a["r"] + b["r"])
        if b.kind in RECTLIKE:
            return box_to_circle(rectangle_box(b), a["center"], a["r"])
        if b.kind == "Line":
            return to_segment(b["start"], b["end"], a["center"]) - a["r"]
        if b.kind == "Polyline":
            return to_polyline(b["points"], a["center"]) - a["r"]
        return None
    if a.kind in RECTLIKE:
        if b.kind == "Line":
            return box_to_segment(rectangle_box(a), b["start"], b["end"])
        if b.kind == "Polyline":
            return box_to_polyline(bounding_box(a), b["points"])
        return None
    if a.kind == "Line" and b.kind == "Line":
        return between_segments(a["start"], a["end"], b["start"], b["end"])
    if a.kind in _POLYGONAL and b.kind in _POLYGONAL:
        return between_polygons(context, a["points"], b["points"])
    if a.kind == "Polygon" and b.kind == "Ellipse":
        return polygon_to_ellipse(context, a["points"], b["center"], b["rx"], b["ry"])
    return None


def box_to_polyline(box: Box, points: Points) -> Scalar:
    """A box and the nearest segment of an open chain."""
    pairs: Sequence[tuple[Vec, Vec]] = list(itertools.pairwise(points))
    return smallest([box_to_segment(box, a, b) for a, b in pairs])
