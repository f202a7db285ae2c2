"""Signed distances from points to shapes: negative inside closed ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.library.boxes import bounding_box
from kuaibao.diagrams.library.rows import RECTLIKE, BodyProblem
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    box_distance,
    distance,
    distance_squared,
    foot,
    middle,
    norm,
    smallest,
)
from kuaibao.diagrams.scalars import (
    absolute,
    acos,
    both,
    cos,
    divide,
    either,
    equal,
    greater,
    greater_equal,
    less,
    maximum,
    minimum,
    negated,
    power,
    select,
    sign,
    sin,
    square,
    square_root,
)
from kuaibao.diagrams.values import Shape

__all__ = ["to_circle", "to_ellipse", "to_polygon", "to_polyline", "to_rect", "to_shape"]


def to_rect(corners: Points, p: Vec) -> Scalar:
    """To an upright rectangle by its corners (top right, top left, bottom left, bottom right)."""
    top_right, top_left, bottom_left, _ = corners
    x, y = middle(top_right, bottom_left)
    half_width = 0.5 * (top_right[0] - top_left[0])
    half_height = 0.5 * (top_left[1] - bottom_left[1])
    return box_distance(absolute(p[0] - x) - half_width, absolute(p[1] - y) - half_height)


def to_circle(center: Vec, r: Scalar, p: Vec) -> Scalar:
    """To a circle."""
    return distance(p, center) - r


def to_segment(start: Vec, end: Vec, p: Vec) -> Scalar:
    """To a segment; never negative."""
    return distance(p, foot(start, end, p))


def to_polyline(points: Points, p: Vec) -> Scalar:
    """To the nearest segment of an open chain; never negative."""
    return smallest([to_segment(a, b, p) for a, b in itertools.pairwise(points)])


def to_polygon(points: Points, p: Vec) -> Scalar:
    """To a simple polygon: distance to its sides, negative by the crossing rule inside."""
    shortest = distance_squared(p, points[0])
    inside: Scalar = 1.0
    for k, a in enumerate(points):
        b = points[k - 1]
        shortest = minimum(shortest, distance_squared(p, foot(a, b, p)))
        above = greater_equal(p[1], a[1])
        below = less(p[1], b[1])
        edge = greater((b[0] - a[0]) * (p[1] - a[1]), (b[1] - a[1]) * (p[0] - a[0]))
        crosses = both(both(above, below), edge)
        crosses_back = both(both(negated(above), negated(below)), negated(edge))
        inside = select(either(crosses, crosses_back), -1.0 * inside, inside)
    return inside * square_root(shortest)


def to_ellipse(center: Vec, rx: Scalar, ry: Scalar, p: Vec) -> Scalar:
    """To an upright ellipse, by the roots of the quartic that its nearest point satisfies."""
    x, y = absolute(p[0] - center[0]), absolute(p[1] - center[1])
    swap = greater(x, y)
    a, b = select(swap, y, x), select(swap, x, y)  # a <= b
    ra, rb = select(swap, ry, rx), select(swap, rx, ry)
    if not isinstance(rx, Node) and not isinstance(ry, Node) and rx == ry:
        return norm([x, y]) - rx  # the quartic degenerates for a circle
    spread = square(rb) - square(ra)
    m, n = divide(ra * a, spread), divide(rb * b, spread)
    m2, n2 = square(m), square(n)
    c = divide(m2 + n2 - 1.0, 3.0)
    c3 = c * c * c
    q = c3 + m2 * n2 * 2.0
    d = c3 + m2 * n2
    g = m + m * n2
    co = select(
        less(d, 0.0), _three_roots(m2, c, c3, q, g, spread), _one_root(m, n, m2, c, q, d, g)
    )
    co = divide(co - m, 2.0)
    si = square_root(maximum(1.0 - square(co), 0.0))
    closest = [ra * co, rb * si]
    side = select(less(b - closest[1], 0.0), -1.0, 1.0)
    exact = norm([closest[0] - a, closest[1] - b]) * side
    return select(equal(spread, 0.0), norm([x, y]) - rx, exact)


def _three_roots(m2: Scalar, c: Scalar, c3: Scalar, q: Scalar, g: Scalar, spread: Scalar) -> Scalar:
    h = divide(acos(divide(q, c3)), 3.0)
    s, t = cos(h), sin(h) * math.sqrt(3.0)
    rx = square_root(m2 - c * (s + t + 2.0))
    ry = square_root(m2 - c * (s + 2.0 - t))
    return ry + sign(spread) * rx + divide(absolute(g), rx * ry)


def _one_root(
    m: Scalar, n: Scalar, m2: Scalar, c: Scalar, q: Scalar, d: Scalar, g: Scalar
) -> Scalar:
    h = 2.0 * m * n * square_root(d)
    s, u = _cube_root(q + h), _cube_root(q - h)
    rx = 2.0 * m2 - (s + u) - c * 4.0
    ry = (s - u) * math.sqrt(3.0)
    rm = norm([rx, ry])
    return divide(ry, square_root(rm - rx)) + divide(2.0 * g, rm)


def _cube_root(x: Scalar) -> Scalar:
    return select(less(x, 0.0), -1.0, 1.0) * power(absolute(x), 1.0 / 3.0)


def to_shape(shape: Shape, p: Vec) -> Scalar:
    """To any shape but a path; rectangles count as their bounding boxes, groups as unions."""
    kind = shape.kind
    if kind in RECTLIKE:
        return to_rect(bounding_box(shape).corners(), p)
    if kind == "Circle":
        return to_circle(shape["center"], shape["r"], p)
    if kind == "Ellipse":
        return to_ellipse(shape["center"], shape["rx"], shape["ry"], p)
    if kind == "Line":
        return to_segment(shape["start"], shape["end"], p)
    if kind == "Polygon":
        return to_polygon(shape["points"], p)
    if kind == "Polyline":
        return to_polyline(shape["points"], p)
    if kind == "Group":
        return to_group(shape["shapes"], p)
    raise BodyProblem(f"the signed distance to a {kind} is not defined")


def to_group(shapes: Sequence[Shape], p: Vec) -> Scalar:
    """To the union of some shapes.

    Raises:
        BodyProblem: there is no shape, or one whose distance is not defined.
    """
    if not shapes:
        raise BodyProblem("the signed distance to an empty group is not defined")
    return smallest([to_shape(shape, p) for shape in shapes])
