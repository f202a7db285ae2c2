"""Curves as chains of points: lengths, curvatures, fields along them, regularity.

The curvature at a point is that of its two sides: the exterior angle, or a function of it
(Crane and Wardetzky, "A Glimpse into Discrete Differential Geometry", 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import TAU, Context
from kuaibao.diagrams.library.rows import BodyProblem, constraint, function, objective
from kuaibao.diagrams.library.vector_functions import angle_between
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    along,
    cross2,
    cross3,
    distance,
    largest,
    middle,
    minus,
    rotated_90,
    signed_angle,
    unit,
)
from kuaibao.diagrams.scalars import (
    absolute,
    divide,
    less_equal,
    power,
    select,
    sign,
    sin,
    square,
    total,
)

__all__: list[str] = []

_GROUP = "Curves"
_CHAIN = "points: RealNM; closed: Boolean"

T = TypeVar("T")


def _pairs(items: Sequence[T], closed: bool) -> list[tuple[T, T]]:
    n = len(items)
    return [(items[k], items[(k + 1) % n]) for k in range(n if closed else n - 1)]


def _triples(items: Sequence[T], closed: bool) -> list[tuple[T, T, T]]:
    n = len(items)
    starts = range(n if closed else n - 2)
    return [(items[k], items[(k + 1) % n], items[(k + 2) % n]) for k in starts]


def _lengths(points: Points, closed: bool) -> list[Scalar]:
    return [distance(a, b) for a, b in _pairs(points, closed)]


def _angle(context: Context, a: Vec, b: Vec, c: Vec) -> Scalar:
    """The exterior angle at b, signed in the plane."""
    u, v = minus(b, a), minus(c, b)
    return signed_angle(u, v) if len(a) == 2 else angle_between(context, u, v)


def _angles(context: Context, points: Points, closed: bool) -> list[Scalar]:
    return [_angle(context, *triple) for triple in _triples(points, closed)]


def _bends(context: Context, points: Points, closed: bool) -> list[Scalar]:
    """2 sin(angle / 2) at each corner (Steiner's offset by segments)."""
    return [2.0 * sin(0.5 * angle) for angle in _angles(context, points, closed)]


def _spread(values: Sequence[Scalar]) -> Scalar:
    """The sum of squared deviations from the mean."""
    if not values:
        return 0.0
    mean = divide(total(values), float(len(values)))
    return total(square(x - mean) for x in values)


@function(_GROUP, _CHAIN, "Real", "The length of a curve.")
def perimeter(_: Context, points: Points, closed: bool) -> Scalar:
    return total(_lengths(points, closed))


@function(
    _GROUP, _CHAIN, "Real", "The area inside a curve, positive if it runs counterclockwise.",
    name="signedArea",
)  # fmt: skip
def _signed_area(_: Context, points: Points, closed: bool) -> Scalar:
    return 0.5 * total(cross2(a, b) for a, b in _pairs(points, closed))


@function(
    _GROUP, _CHAIN, "Real", "How often the direction of a curve turns around.",
    name="turningNumber",
)  # fmt: skip
def _turning_number(context: Context, points: Points, closed: bool) -> Scalar:
    return divide(total(_angles(context, points, closed)), TAU)


@function(_GROUP, _CHAIN, "Real", "The squared length over the area.", name="isoperimetricRatio")
def _isoperimetric_ratio(context: Context, points: Points, closed: bool) -> Scalar:
    length = perimeter(context, points, closed)
    return divide(square(length), _signed_area(context, points, closed))


@function(
    _GROUP,
    f"{_CHAIN}; signed: Boolean -- whether turns of both sides cancel",
    "Real",
    "The sum of the exterior angles.",
    name="totalCurvature",
)
def _total_curvature(context: Context, points: Points, closed: bool, signed: bool) -> Scalar:
    angles = _angles(context, points, closed)
    return total(angles if signed else map(absolute, angles))


def _areas(points: Points, closed: bool) -> list[Scalar]:
    """Half the product of the sides at each corner, by which its curvature is weighted."""
    return [0.5 * distance(a, b) * distance(b, c) for a, b, c in _triples(points, closed)]


@function(
    _GROUP, _CHAIN, "Real", "The sum of squared curvatures, weighted by the sides.",
    name="elasticEnergy",
)  # fmt: skip
def _elastic_energy(context: Context, points: Points, closed: bool) -> Scalar:
    bends = _bends(context, points, closed)
    return total(
        square(bend) * area for bend, area in zip(bends, _areas(points, closed), strict=True)
    )


@function(
    _GROUP,
    f"{_CHAIN}; p: Real",
    "Real",
    "The sum of curvatures to the power p, weighted by the sides.",
    name="pElasticEnergy",
)
def _p_elastic_energy(context: Context, points: Points, closed: bool, p: Scalar) -> Scalar:
    bends = _bends(context, points, closed)
    return total(
        power(bend, p) * area for bend, area in zip(bends, _areas(points, closed), strict=True)
    )


@function(
    _GROUP, f"{_CHAIN}; p: Real", "Real", "The sum of changes of curvature to the power p.",
    name="inflectionEnergy",
)  # fmt: skip
def _inflection_energy(context: Context, points: Points, closed: bool, p: Scalar) -> Scalar:
    bends = _bends(context, points, closed)
    return total(power(absolute(b - a), p) for a, b in _pairs(bends, closed))


@function(
    _GROUP, f"{_CHAIN}; k: Real", "Real", "The sum of the lengths of sides to the power k.",
    name="lengthK",
)  # fmt: skip
def _length_k(_: Context, points: Points, closed: bool, k: Scalar) -> Scalar:
    return total(power(length, k) for length in _lengths(points, closed))


@function(
    _GROUP, _CHAIN, "Real", "The largest curvature, by circles through three points.",
    name="maxCurvature",
)  # fmt: skip
def _max_curvature(context: Context, points: Points, closed: bool) -> Scalar:
    bends = _bends(context, points, closed)
    if not bends:
        raise BodyProblem("a curvature needs three points or more")
    widths = [distance(a, c) for a, _, c in _triples(points, closed)]
    return largest([absolute(divide(b, w)) for b, w in zip(bends, widths, strict=True)])


def _neighbours(items: Sequence[T], closed: bool) -> list[tuple[T, T]]:
    """Those before and after each item; the ends of an open chain are their own."""
    n = len(items)
    if n < 2:
        raise BodyProblem("this needs a curve of two points or more")
    inner = [(items[k - 1], items[(k + 1) % n]) for k in range(n)]
    if not closed:
        inner[0], inner[-1] = (items[0], items[1]), (items[-2], items[-1])
    return inner


def _tangents(points: Points, closed: bool) -> list[list[Scalar]]:
    return [unit(minus(b, a)) for a, b in _neighbours(points, closed)]


def _ends_copied(inner: list[T]) -> list[T]:
    """Values of inner points; each end of an open chain takes its neighbour's."""
    if not inner:
        raise BodyProblem("this needs a curve of three points or more")
    return [inner[0], *inner, inner[-1]]


def _principal_normals(points: Points, closed: bool) -> list[list[Scalar]]:
    """The direction in which the tangent changes."""
    tangents = _tangents(points, closed)
    if closed:
        return _tangents(tangents, True)
    inner = zip(tangents, tangents[2:], strict=False)
    return _ends_copied([unit(minus(b, a)) for a, b in inner])


def _normals(points: Points, closed: bool) -> list[list[Scalar]]:
    if points and len(points[0]) == 2:
        return [rotated_90(tangent) for tangent in _tangents(points, closed)]
    return _principal_normals(points, closed)


def _curvatures(context: Context, points: Points, closed: bool) -> list[Scalar]:
    """Change of direction over length, signed in the plane, one a point."""
    n = len(points)
    if n < 3:
        raise BodyProblem("a curvature needs three points or more")
    at = range(n) if closed else range(1, n - 1)
    found: list[Scalar] = []
    for k in at:
        a, b, c = points[k - 1], points[k], points[(k + 1) % n]
        change = distance(unit(minus(c, b)), unit(minus(b, a)))
        length = distance(middle(a, b), middle(b, c))
        found.append(sign(_angle(context, a, b, c)) * divide(change, length))
    return found if closed else _ends_copied(found)


@function(_GROUP, _CHAIN, "RealNM", "The directions of a curve.", name="tangentVectors")
def _tangent_vectors(_: Context, points: Points, closed: bool) -> list[list[Scalar]]:
    return _tangents(points, closed)


@function(
    _GROUP, _CHAIN, "RealNM", "The normals of a curve: left of it in the plane, inwards in space.",
    name="normalVectors",
)  # fmt: skip
def _normal_vectors(_: Context, points: Points, closed: bool) -> list[list[Scalar]]:
    return _normals(points, closed)


@function(_GROUP, _CHAIN, "RealNM", "The binormals of a curve in space.", name="binormalVectors")
def _binormal_vectors(_: Context, points: Points, closed: bool) -> list[list[Scalar]]:
    if any(len(point) != 3 for point in points):
        raise BodyProblem("binormals need points of space")
    tangents, normals = _tangents(points, closed), _principal_normals(points, closed)
    return [cross3(t, n) for t, n in zip(tangents, normals, strict=True)]


@function(_GROUP, _CHAIN, "RealNM", "The centres of curvature.", name="evoluteCurve")
def _evolute_curve(context: Context, points: Points, closed: bool) -> list[list[Scalar]]:
    normals = _principal_normals(points, closed)
    bends = _curvatures(context, points, closed)
    parts = zip(points, bends, normals, strict=True)
    return [along(p, divide(1.0, k), n) for p, k, n in parts]


@function(
    _GROUP,
    f"{_CHAIN}; magnitude: Real",
    "RealNM",
    "A curve moved by a length along its normals.",
    name="offsetCurve",
)
def _offset_curve(
    _: Context, points: Points, closed: bool, magnitude: Scalar
) -> list[list[Scalar]]:
    normals = _normals(points, closed)
    return [along(p, magnitude, n) for p, n in zip(points, normals, strict=True)]


@function(_GROUP, _CHAIN, "RealN", "The curvature at each point.", name="curvatures")
def _curvature_list(context: Context, points: Points, closed: bool) -> list[Scalar]:
    return _curvatures(context, points, closed)


@constraint(_GROUP, _CHAIN, "All corners turn to one side.", name="isLocallyConvex")
def _is_locally_convex(context: Context, points: Points, closed: bool) -> Scalar:
    angles = [signed_angle(minus(b, a), minus(c, b)) for a, b, c in _triples(points, closed)]
    side = sign(total(angles))
    return total(select(less_equal(side * a, 0.0), square(a), 0.0) for a in angles)


@constraint(
    _GROUP, _CHAIN, "The curve bounds a convex region: it turns to one side, and once.",
    name="isConvex",
)  # fmt: skip
def _is_convex(context: Context, points: Points, closed: bool) -> Scalar:
    turns = _turning_number(context, points, closed)
    once = square(absolute(turns) - 1.0)
    return _is_locally_convex(context, points, closed) + once


@constraint(_GROUP, _CHAIN, "All sides have one length.", name="isEquilateral")
@objective(_GROUP, _CHAIN, "All sides have one length.", name="isEquilateral")
def _is_equilateral(_: Context, points: Points, closed: bool) -> Scalar:
    return _spread(_lengths(points, closed))


@constraint(_GROUP, _CHAIN, "All exterior angles are the same.", name="isEquiangular")
@objective(_GROUP, _CHAIN, "All exterior angles are the same.", name="isEquiangular")
def _is_equiangular(_: Context, points: Points, closed: bool) -> Scalar:
    return _spread([signed_angle(minus(b, a), minus(c, b)) for a, b, c in _triples(points, closed)])


@objective(_GROUP, _CHAIN, "All sides and all exterior angles are the same.", name="isRegular")
def _is_regular(context: Context, points: Points, closed: bool) -> Scalar:
    return _is_equilateral(context, points, closed) + _is_equiangular(context, points, closed)
