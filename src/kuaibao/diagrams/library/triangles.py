"""Centres and radii of triangles."""

from __future__ import annotations

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import function
from kuaibao.diagrams.library.vectors import Vec, distance, dot, mean_point, minus
from kuaibao.diagrams.scalars import divide, square_root, total

__all__: list[str] = []

_GROUP = "Triangles"
_CORNERS = "p: Real2; q: Real2; r: Real2"


def _sides(p: Vec, q: Vec, r: Vec) -> tuple[Scalar, Scalar, Scalar]:
    """The lengths opposite p, q and r."""
    return distance(r, q), distance(p, r), distance(q, p)


def _weighted(weights: Vec, corners: tuple[Vec, Vec, Vec]) -> list[Scalar]:
    whole = total(weights)
    shares = [divide(w, whole) for w in weights]
    return [dot(shares, column) for column in zip(*corners, strict=True)]


@function(_GROUP, "a: Real2; b: Real2; c: Real2", "Real2", "The centre of mass of a triangle.")
def barycenter(_: Context, a: Vec, b: Vec, c: Vec) -> list[Scalar]:
    return mean_point([a, b, c])


@function(_GROUP, _CORNERS, "Real2", "The centre of the circle through the corners.")
def circumcenter(_: Context, p: Vec, q: Vec, r: Vec) -> list[Scalar]:
    u, v, w = minus(r, q), minus(p, r), minus(q, p)
    a2, b2, c2 = dot(u, u), dot(v, v), dot(w, w)
    # a^2 cos(A) b c and so on: barycentric weights up to a common factor
    return _weighted([-a2 * dot(w, v), -b2 * dot(u, w), -c2 * dot(v, u)], (p, q, r))


@function(_GROUP, _CORNERS, "Real", "The radius of the circle through the corners.")
def circumradius(_: Context, p: Vec, q: Vec, r: Vec) -> Scalar:
    a, b, c = _sides(p, q, r)
    s = 0.5 * (a + b + c)
    heron = square_root(s * (a + b - s) * (a + c - s) * (b + c - s))
    return divide(a * b * c, 4.0 * heron)


@function(_GROUP, _CORNERS, "Real2", "The centre of the inscribed circle.")
def incenter(_: Context, p: Vec, q: Vec, r: Vec) -> list[Scalar]:
    return _weighted(_sides(p, q, r), (p, q, r))


@function(_GROUP, _CORNERS, "Real", "The radius of the inscribed circle.")
def inradius(_: Context, p: Vec, q: Vec, r: Vec) -> Scalar:
    a, b, c = _sides(p, q, r)
    s = 0.5 * (a + b + c)
    return square_root(divide((s - a) * (s - b) * (s - c), s))
