"""Functions of vectors and points, in the plane and in any dimension."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library import vectors as v_
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import BodyProblem, function, whole
from kuaibao.diagrams.library.vectors import Points, Vec
from kuaibao.diagrams.scalars import acos, atan2, cos, divide, sin
from kuaibao.diagrams.values import Shape

__all__: list[str] = []

_GROUP = "Vectors"
_POINTS = "Points"


def same_length(v: Sequence[object], w: Sequence[object]) -> None:
    """Refuse vectors of different lengths."""
    if len(v) != len(w):
        raise BodyProblem(f"the vectors must have one length, got {len(v)} and {len(w)}")


@function(_GROUP, "v: RealN; w: RealN", "Real", "The inner product.")
def dot(_: Context, v: Vec, w: Vec) -> Scalar:
    same_length(v, w)
    return v_.dot(v, w)


@function(_GROUP, "l: Line", "Real", "The length of a line.")
def length(_: Context, line: Shape) -> Scalar:
    return v_.distance(line["start"], line["end"])


@function(_GROUP, "v: RealN", "RealN", "The direction of v: v / (|v| + 1e-5).", name="normalize")
@function(_GROUP, "v: RealN", "RealN", "The direction of v: v / (|v| + 1e-5).", name="unit")
def _unit(_: Context, v: Vec) -> list[Scalar]:
    return v_.unit(v)


@function(_GROUP, "v: RealN", "Real", "The length of a vector.")
def norm(_: Context, v: Vec) -> Scalar:
    return v_.norm(v)


@function(_GROUP, "v: RealN", "Real", "The squared length of a vector.")
def normsq(_: Context, v: Vec) -> Scalar:
    return v_.norm_squared(v)


@function(_GROUP, "v: RealN; w: RealN", "Real", "The distance between two points.")
def vdist(_: Context, v: Vec, w: Vec) -> Scalar:
    same_length(v, w)
    return v_.distance(v, w)


@function(_GROUP, "v: RealN; w: RealN", "Real", "The squared distance between two points.")
def vdistsq(_: Context, v: Vec, w: Vec) -> Scalar:
    same_length(v, w)
    return v_.distance_squared(v, w)


@function(_GROUP, "s: Real; v: RealN", "RealN", "The multiple s v.")
def vmul(_: Context, s: Scalar, v: Vec) -> list[Scalar]:
    return v_.times(s, v)


@function(_GROUP, "u: Real3; v: Real3", "Real3", "The cross product in space.")
def cross(_: Context, u: Vec, v: Vec) -> list[Scalar]:
    return v_.cross3(u, v)


@function(
    _GROUP, "u: Real2; v: Real2", "Real", "The determinant of two vectors of the plane.",
    name="cross2D",
)  # fmt: skip
def _cross_2d(_: Context, u: Vec, v: Vec) -> Scalar:
    return v_.cross2(u, v)


@function(
    _GROUP, "v: RealN", "Real", "The angle of a vector of the plane, in (-pi, pi].", name="angleOf"
)
def _angle_of(_: Context, v: Vec) -> Scalar:
    if len(v) < 2:
        raise BodyProblem("an angle needs a vector of two numbers")
    return atan2(v[1], v[0])


@function(
    _GROUP,
    "u: RealN; v: RealN",
    "Real",
    "The angle between two vectors, in [0, pi]; the cosine is shrunk by 1e-10 to stay inside.",
    name="angleBetween",
)
def angle_between(_: Context, u: Vec, v: Vec) -> Scalar:
    """The unsigned angle."""
    same_length(u, v)
    return acos((1.0 - 1e-10) * v_.dot(v_.unit(u), v_.unit(v)))


@function(
    _GROUP, "u: RealN; v: RealN", "Real", "The angle that turns u to v, in (-pi, pi].",
    name="angleFrom",
)  # fmt: skip
def _angle_from(_: Context, u: Vec, v: Vec) -> Scalar:
    if len(u) != 2 or len(v) != 2:
        raise BodyProblem("a signed angle needs two vectors of the plane")
    return v_.signed_angle(u, v)


@function(_GROUP, "v: Real2", "Real2", "A quarter turn counterclockwise.")
def rot90(_: Context, v: Vec) -> list[Scalar]:
    return v_.rotated_90(v)


@function(
    _GROUP,
    "v: Real2; theta: Real",
    "Real2",
    "The vector turned by theta radians (clockwise, as in Penrose).",
    name="rotateBy",
)
def _rotate_by(_: Context, v: Vec, theta: Scalar) -> list[Scalar]:
    c, s = cos(theta), sin(theta)
    return [c * v[0] + s * v[1], c * v[1] - s * v[0]]


@function(
    _GROUP, "theta: Real", "Real2", "The direction at theta radians from the x axis.",
    name="unitVector",
)  # fmt: skip
def _unit_vector(_: Context, theta: Scalar) -> list[Scalar]:
    return [cos(theta), sin(theta)]


@function(_POINTS, "start: RealN; end: RealN", "RealN", "The point half way.")
def midpoint(_: Context, start: Vec, end: Vec) -> list[Scalar]:
    same_length(start, end)
    return v_.middle(start, end)


@function(
    _POINTS,
    "p1: RealN; p2: RealN; r: Real",
    "RealN",
    "The point at the distance r from p1 towards p2.",
    name="ptOnLine",
)
def _pt_on_line(_: Context, p1: Vec, p2: Vec, r: Scalar) -> list[Scalar]:
    same_length(p1, p2)
    return v_.along(p1, r, v_.unit(v_.minus(p2, p1)))


@function(
    _POINTS,
    "a0: Real2; a1: Real2; b0: Real2; b1: Real2",
    "Real2",
    "Where the lines through a0, a1 and through b0, b1 meet.",
    name="lineLineIntersection",
)
def _line_line_intersection(_: Context, a0: Vec, a1: Vec, b0: Vec, b1: Vec) -> list[Scalar]:
    a, b = ([p[0], p[1], 1.0] for p in (a0, a1))
    c, d = ([p[0], p[1], 1.0] for p in (b0, b1))
    x, y, w = v_.cross3(v_.cross3(a, b), v_.cross3(c, d))
    return [divide(x, w), divide(y, w)]


@function(_POINTS, "points: RealNM", "RealN", "The mean of some points.", name="averagePoint")
def _average_point(_: Context, points: Points) -> list[Scalar]:
    return v_.mean_point(points)


@function(_POINTS, "points: Real2N", "Real2", "The mean of some points.", name="centerOfMass")
def _center_of_mass(_: Context, points: Points) -> list[Scalar]:
    return v_.mean_point(points)


@function(_POINTS, "points: RealNM", "Real2", "The first point.", name="firstPoint")
def _first_point(_: Context, points: Points) -> Vec:
    return _element(points, 0)


@function(_POINTS, "points: RealNM", "Real2", "The last point.", name="lastPoint")
def _last_point(_: Context, points: Points) -> Vec:
    return _element(points, len(points) - 1)


@function(
    _POINTS, "points: RealNM; i: PosInt", "Real2", "Point i, counted from 1.",
    name="oneBasedElement",
)  # fmt: skip
def _one_based_element(_: Context, points: Points, i: Scalar) -> Vec:
    return _element(points, whole(i, "i") - 1)


def _element(points: Points, index: int) -> Vec:
    if not 0 <= index < len(points):
        raise BodyProblem(f"there is no point {index + 1} of {len(points)}")
    return points[index]
