"""Rays, nearest points and silhouettes of raw geometry and of shapes.

A ray that misses gives no number; inside this file that is a point at infinity, outside the
query point itself, the distance infinity, or the normal (0, 0).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.boxes import rectangle_box
from kuaibao.diagrams.library.rows import RECTLIKE, BodyProblem
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    along,
    choose,
    clamp,
    cross2,
    distance_squared,
    dot,
    foot,
    minus,
    nearest,
    norm,
    rotated_90,
    smallest,
    unit,
)
from kuaibao.diagrams.scalars import (
    absolute,
    atan2,
    cos,
    divide,
    either,
    equal,
    greater,
    less,
    less_equal,
    minimum,
    select,
    sin,
    square,
    square_root,
)
from kuaibao.diagrams.values import Shape

__all__ = ["Hit", "nearest_on_shape", "ray_hits_shape", "silhouette_of_shape"]

INFINITY = math.inf


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a ray meets a shape first: whether, where, and the outline's normal (unoriented)."""

    found: Scalar
    point: Vec
    normal: Vec

    def point_or(self, p: Vec) -> list[Scalar]:
        """The point; p where the ray misses."""
        return choose(self.found, self.point, p)

    def distance(self, p: Vec) -> Scalar:
        """From p; infinity where the ray misses."""
        return select(self.found, norm(minus(p, self.point)), INFINITY)

    def normal_towards(self, p: Vec) -> list[Scalar]:
        """The normal on the side of p; (0, 0) where the ray misses."""
        away = less(dot(self.normal, minus(p, self.point)), 0.0)
        flipped = [select(away, -1.0 * x, x) for x in self.normal]
        return choose(self.found, flipped, [0.0, 0.0])


def _first_root(p: Vec, direction: Vec) -> tuple[Scalar, Scalar]:
    """The least positive t with |p + t direction| = 1 for a unit direction, and whether it is."""
    b = -1.0 * dot(p, direction)
    discriminant = square(b) - (dot(p, p) - 1.0)
    root = square_root(discriminant)
    near, far = b - root, b + root
    real = less_equal(0.0, discriminant)
    t = select(greater(near, 0.0), near, far)
    return t, select(real, greater(far, 0.0), 0.0)


def ray_hits_ellipse(center: Vec, rx: Scalar, ry: Scalar, p: Vec, v: Vec) -> Hit:
    """An upright ellipse, by scaling it to the unit circle."""
    scaled = [divide(p[0] - center[0], rx), divide(p[1] - center[1], ry)]
    direction = unit([divide(v[0], rx), divide(v[1], ry)])
    t, found = _first_root(scaled, direction)
    x, y = along(scaled, t, direction)
    point = [center[0] + x * rx, center[1] + y * ry]
    return Hit(found, point, unit([ry * x, rx * y]))


def ray_hits_circle(center: Vec, r: Scalar, p: Vec, v: Vec) -> Hit:
    """A circle."""
    offset, direction = minus(p, center), unit(v)
    b = -1.0 * dot(offset, direction)
    discriminant = square(b) - (dot(offset, offset) - square(r))
    root = square_root(discriminant)
    near, far = b - root, b + root
    t = select(greater(near, 0.0), near, far)
    found = select(less(discriminant, 0.0), 0.0, greater(far, 0.0))
    point = along(p, t, direction)
    return Hit(found, point, unit(minus(point, center)))


def ray_hits_segment(a: Vec, b: Vec, p: Vec, v: Vec) -> Hit:
    """A segment."""
    u, w = minus(b, a), minus(p, a)
    determinant = cross2(v, u)
    t = divide(cross2(u, w), determinant)
    s = divide(cross2(v, w), determinant)
    misses = either(less(t, 0.0), either(less(s, 0.0), greater(s, 1.0)))
    finite = less(absolute(t), INFINITY)
    found = select(misses, 0.0, finite)
    return Hit(found, along(p, t, v), unit(rotated_90(u)))


def first_hit(hits: Sequence[Hit], p: Vec) -> Hit:
    """The nearest of several; of equally near ones the last."""
    best = hits[0]
    shortest = best.distance(p)
    for hit in hits[1:]:
        d = hit.distance(p)
        closer = less_equal(d, shortest)
        best = Hit(
            select(closer, hit.found, best.found),
            choose(closer, hit.point, best.point),
            choose(closer, hit.normal, best.normal),
        )
        shortest = minimum(d, shortest)
    return best


def ray_hits_chain(points: Points, closed: bool, p: Vec, v: Vec) -> Hit:
    """A polygon (closed) or an open chain.

    Raises:
        BodyProblem: fewer than two points.
    """
    if len(points) < 2:
        raise BodyProblem("a ray needs a chain of two points or more")
    return first_hit([ray_hits_segment(a, b, p, v) for a, b in sides_of(points, closed)], p)


def sides_of(points: Points, closed: bool) -> list[tuple[Vec, Vec]]:
    """The segments of a chain in order."""
    pairs = list(itertools.pairwise(points))
    return [*pairs, (points[-1], points[0])] if closed else pairs


def upright_corners(shape: Shape) -> list[list[Scalar]]:
    """Corners of a rectangle-like shape, counterclockwise from bottom left; rotation ignored."""
    (x, y), w, h = shape["center"], 0.5 * shape["width"], 0.5 * shape["height"]
    return [[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]]


def ray_hits_shape(shape: Shape, p: Vec, v: Vec) -> Hit:
    """Any shape but a path or an equation's glyphs; groups are the union of their members."""
    kind = shape.kind
    if kind in RECTLIKE:
        return ray_hits_chain(upright_corners(shape), True, p, v)
    if kind == "Circle":
        return ray_hits_circle(shape["center"], shape["r"], p, v)
    if kind == "Ellipse":
        return ray_hits_ellipse(shape["center"], shape["rx"], shape["ry"], p, v)
    if kind == "Line":
        return ray_hits_segment(shape["start"], shape["end"], p, v)
    if kind in ("Polygon", "Polyline"):
        return ray_hits_chain(shape["points"], kind == "Polygon", p, v)
    return ray_hits_group(_members(shape), p, v)


def ray_hits_group(shapes: Sequence[Shape], p: Vec, v: Vec) -> Hit:
    """The first hit of any member.

    Raises:
        BodyProblem: there is none.
    """
    if not shapes:
        raise BodyProblem("a ray can't meet an empty group")
    return first_hit([ray_hits_shape(shape, p, v) for shape in shapes], p)


def _members(shape: Shape) -> Sequence[Shape]:
    if shape.kind != "Group":
        raise BodyProblem(f"this query is not defined for a {shape.kind}")
    return shape["shapes"]


def nearest_on_circle(center: Vec, r: Scalar, p: Vec) -> list[Scalar]:
    """The nearest point of a circle's line."""
    offset = minus(p, center)
    length = norm(offset)
    return [c + r * divide(x, length) for c, x in zip(center, offset, strict=True)]


def nearest_on_rect(corners: Points, p: Vec) -> list[Scalar]:
    """The nearest point of an upright rectangle's outline (corners as `rectPts` gives them)."""
    _, top_left, bottom_left, bottom_right = corners
    left, right, bottom, top = top_left[0], bottom_right[0], bottom_left[1], top_left[1]
    x, y = clamp(p[0], left, right), clamp(p[1], bottom, top)
    gaps = [absolute(x - left), absolute(x - right), absolute(y - bottom), absolute(y - top)]
    least = smallest(gaps)
    to_left, to_right, to_bottom, to_top = (equal(least, gap) for gap in gaps)
    on_x = select(either(to_bottom, to_top), x, right)
    on_y = select(either(to_left, to_right), y, bottom)
    return [select(to_left, left, on_x), select(to_top, top, on_y)]


def nearest_on_ellipse(center: Vec, rx: Scalar, ry: Scalar, p: Vec) -> list[Scalar]:
    """Near the nearest point of an ellipse's line: two Newton steps on its angle."""
    x, y = p[0] - center[0], p[1] - center[1]
    t = atan2(rx * y, ry * x)
    spread = square(rx) - square(ry)
    for _ in range(2):
        slope = cos(t) * (ry * y + spread * sin(t)) - rx * x * sin(t)
        bend = spread * cos(2.0 * t) - ry * y * sin(t) - rx * x * cos(t)
        t = t - divide(slope, bend)
    return [rx * cos(t) + center[0], ry * sin(t) + center[1]]


def nearest_on_chain(points: Points, closed: bool, p: Vec) -> list[Scalar]:
    """The nearest point of a chain.

    Raises:
        BodyProblem: fewer than two points.
    """
    if len(points) < 2:
        raise BodyProblem("the nearest point needs a chain of two points or more")
    return nearest(p, [foot(a, b, p) for a, b in sides_of(points, closed)])


def nearest_on_shape(shape: Shape, p: Vec) -> list[Scalar]:
    """The nearest point of a shape's outline; rectangles count as their boxes without stroke."""
    kind = shape.kind
    if kind in RECTLIKE:
        return nearest_on_rect(rectangle_box(shape).corners(), p)
    if kind == "Circle":
        return nearest_on_circle(shape["center"], shape["r"], p)
    if kind == "Ellipse":
        return nearest_on_ellipse(shape["center"], shape["rx"], shape["ry"], p)
    if kind == "Line":
        return foot(shape["start"], shape["end"], p)
    if kind in ("Polygon", "Polyline"):
        return nearest_on_chain(shape["points"], kind == "Polygon", p)
    return nearest_in_group(_members(shape), p)


def nearest_in_group(shapes: Sequence[Shape], p: Vec) -> list[Scalar]:
    """The nearest of the members' nearest points.

    Raises:
        BodyProblem: there is none.
    """
    if not shapes:
        raise BodyProblem("an empty group has no nearest point")
    return nearest(p, [nearest_on_shape(shape, p) for shape in shapes])


@dataclass(frozen=True, slots=True)
class Rim:
    """The nearest point where the line of sight from p grazes a shape, if there is one."""

    found: Scalar
    point: Vec


def silhouette_of_ellipse(center: Vec, rx: Scalar, ry: Scalar, p: Vec) -> Rim:
    """Where the tangents from p touch an ellipse; of the two the nearer, none from inside."""
    u, w = divide(p[0] - center[0], rx), divide(p[1] - center[1], ry)
    reach = square(u) + square(w)
    beyond = reach - 1.0
    root = square_root(beyond)
    touch: list[list[Scalar]] = []
    for sign in (-1.0, 1.0):
        x = divide(u + sign * w * root, reach)
        y = divide(w - sign * u * root, reach)
        touch.append([center[0] + rx * x, center[1] + ry * y])
    closer = less(distance_squared(touch[0], p), distance_squared(touch[1], p))
    return Rim(less_equal(0.0, beyond), choose(closer, touch[0], touch[1]))


def silhouette_of_segment(a: Vec, b: Vec, p: Vec) -> Rim:
    """The nearer end."""
    return Rim(1.0, choose(less(distance_squared(p, a), distance_squared(p, b)), a, b))


def silhouette_of_chain(points: Points, closed: bool, p: Vec) -> Rim:
    """Vertices where one neighbouring side faces p and the other does not; ends of open chains."""
    n = len(points)
    if n < 2:
        raise BodyProblem("a silhouette needs a chain of two points or more")
    sides = sides_of(points, closed)
    facing = [cross2(minus(b, a), minus(p, a)) for a, b in sides]
    rims = [
        Rim(less(facing[k - 1] * facing[k], 0.0), sides[k][0])
        for k in range(0 if closed else 1, len(sides))
    ]
    if not closed:
        rims += [Rim(1.0, points[0]), Rim(1.0, points[-1])]
    return nearest_rim(rims, p)


def nearest_rim(rims: Sequence[Rim], p: Vec) -> Rim:
    """The nearest of those that exist."""
    best = rims[0]
    shortest = select(best.found, distance_squared(p, best.point), INFINITY)
    for rim in rims[1:]:
        d = select(rim.found, distance_squared(p, rim.point), INFINITY)
        closer = less_equal(d, shortest)
        best = Rim(select(closer, rim.found, best.found), choose(closer, rim.point, best.point))
        shortest = minimum(d, shortest)
    return best


def silhouette_of_shape(shape: Shape, p: Vec) -> Rim:
    """Of any shape but a path; rectangles count as their boxes without stroke."""
    kind = shape.kind
    if kind in RECTLIKE:
        return silhouette_of_chain(rectangle_box(shape).corners(), True, p)
    if kind == "Circle":
        return silhouette_of_ellipse(shape["center"], shape["r"], shape["r"], p)
    if kind == "Ellipse":
        return silhouette_of_ellipse(shape["center"], shape["rx"], shape["ry"], p)
    if kind == "Line":
        return silhouette_of_segment(shape["start"], shape["end"], p)
    if kind in ("Polygon", "Polyline"):
        return silhouette_of_chain(shape["points"], kind == "Polygon", p)
    return silhouette_of_group(_members(shape), p)


def silhouette_of_group(shapes: Sequence[Shape], p: Vec) -> Rim:
    """The nearest rim of any member.

    Raises:
        BodyProblem: there is none.
    """
    if not shapes:
        raise BodyProblem("an empty group has no silhouette")
    return nearest_rim([silhouette_of_shape(shape, p) for shape in shapes], p)


def rim_point(rim: Rim, p: Vec) -> list[Scalar]:
    """The point; p itself where there is none."""
    return choose(rim.found, rim.point, p)
