"""Points of marks beside lines and angles, and point sets that are computed."""

from __future__ import annotations

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.matrix_functions import Rows
from kuaibao.diagrams.library.random_draws import draw_normal
from kuaibao.diagrams.library.rows import BodyProblem, function, whole
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    along,
    choose,
    distance,
    dot,
    middle,
    minus,
    rotated_90,
    rotated_by,
    unit,
)
from kuaibao.diagrams.scalars import divide, exp, greater, log, total
from kuaibao.diagrams.values import Shape

__all__: list[str] = []

_MARKS = "Marks"
_SETS = "Point sets"
_MAX_POINTS = 10_000


@function(
    _MARKS,
    "s1: Line; s2: Line; padding: Real",
    "Real2N",
    "Line s1 moved by padding against the direction of s2, as a measure beside it.",
    name="unitMark",
)
def _unit_mark(_: Context, s1: Shape, s2: Shape, padding: Scalar) -> list[list[Scalar]]:
    direction = unit(minus(s2["end"], s2["start"]))
    return [along(s1[name], -padding, direction) for name in ("start", "end")]


@function(
    _MARKS,
    "points: Real2N; t: String -- start or end; size: Real",
    "Real2N",
    "The bar across an end of such a measure.",
    name="unitMark2",
)
def _unit_mark2(_: Context, points: Points, t: str, size: Scalar) -> list[list[Scalar]]:
    if len(points) != 2:
        raise BodyProblem(f"a measure has two points, got {len(points)}")
    across = rotated_90(unit(minus(points[1], points[0])))
    base = points[0] if t == "start" else points[1]
    return [along(base, size, across), along(base, -size, across)]


@function(
    _MARKS,
    "s1: Line; padding: Real",
    "Real2",
    "The point beside the middle of a line, to its left.",
    name="midpointOffset",
)
def _midpoint_offset(_: Context, s1: Shape, padding: Scalar) -> list[Scalar]:
    across = rotated_90(unit(minus(s1["end"], s1["start"])))
    return along(middle(s1["start"], s1["end"]), padding, across)


@function(
    _MARKS,
    "s1: Line; padding: Real",
    "Real2N",
    "The points of an angle bracket in the middle of a line, as for parallels.",
)
def chevron(_: Context, s1: Shape, padding: Scalar) -> list[list[Scalar]]:
    direction = unit(minus(s1["end"], s1["start"]))
    center = middle(s1["start"], s1["end"])
    return [
        along(center, padding, rotated_by(direction, 135.0)),
        center,
        along(center, padding, rotated_by(direction, 225.0)),
    ]


@function(
    _MARKS,
    "pt1: Real2; pt2: Real2; pt3: Real2; padding: Real",
    "Real2",
    "A point inside the right angle at pt1.",
    name="innerPointOffset",
)
def _inner_point_offset(_: Context, pt1: Vec, pt2: Vec, pt3: Vec, padding: Scalar) -> list[Scalar]:
    first = unit(minus(pt2, pt1))
    across = rotated_90(first)
    reference = along(pt1, padding, first)
    right, left = along(reference, -padding, across), along(reference, padding, across)
    second_end = along(pt1, padding, unit(minus(pt3, pt1)))
    is_right = greater(dot(first, unit(minus(right, second_end))), 0.95)
    return choose(is_right, right, left)


@function(
    _SETS,
    "n: PosInt; X0: Real2; A: RealNM; omega: Real2",
    "Real2N",
    "A random walk of n points from X0: each step is A times normal noise, plus the drift omega.",
    name="diffusionProcess",
)
def _diffusion_process(
    context: Context, n: Scalar, start: Vec, a: Rows, omega: Vec
) -> list[list[Scalar]]:
    count = whole(n, "n")
    if not 1 <= count <= _MAX_POINTS:
        raise BodyProblem(f"n must be between 1 and {_MAX_POINTS}, got {count}")
    points: list[list[Scalar]] = [list(start)]
    for _ in range(count - 1):
        noise = [draw_normal(context), draw_normal(context)]
        step = [dot(row, noise) for row in a]
        points.append([x + s + o for x, s, o in zip(points[-1], step, omega, strict=True)])
    return points


@function(
    _SETS,
    "points: RealNM; projectedPoints: RealNM",
    "Real",
    "How badly points of the plane show the neighbours of points of many dimensions "
    "(Kullback-Leibler divergence of t-SNE, with a fixed spread).",
    name="tsneEnergy",
)
def _tsne_energy(_: Context, points: Points, projected: Points) -> Scalar:
    if len(points) != len(projected):
        raise BodyProblem(f"there are {len(points)} points but {len(projected)} pictures of them")
    n = len(points)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    near = [exp(-0.5 * distance(points[i], points[j])) for i, j in pairs]
    seen = [divide(1.0, 1.0 + distance(projected[i], projected[j])) for i, j in pairs]
    near_sum, seen_sum = 2.0 * total(near), 2.0 * total(seen)
    tiny = 2.0**-52
    terms: list[Scalar] = []
    for p, q in zip(near, seen, strict=True):
        p, q = divide(p, near_sum), divide(q, seen_sum)
        terms.append(2.0 * p * log(divide(p + tiny, q + tiny)))
    return total(terms)
