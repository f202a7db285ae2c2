"""SVG's elliptical arcs as cubic curves (SVG 1.1, appendix F.6), in coordinates with y up."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["arc_to_curves"]

Point = tuple[float, float]


def arc_to_curves(start: Point, numbers: Sequence[float]) -> list[tuple[Point, Point, Point]]:
    """Control points of the cubic pieces of an arc.

    Args:
        start: Where the arc begins.
        numbers: Radii, rotation in degrees, large and sweep flags, end point; the flags and the
            rotation as SVG means them on a screen with y down.
    """
    rx, ry, rotation, large, sweep, x, y = numbers
    # On the screen y points down: mirrored there, the formulas of the specification hold as are.
    x1, y1, x2, y2 = start[0], -start[1], x, -y
    rx, ry = abs(rx), abs(ry)
    if not rx or not ry or (x1 == x2 and y1 == y2):
        end = (x, y)
        return [(start, end, end)]
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    dx, dy = (x1 - x2) / 2, (y1 - y2) / 2
    u, v = cos * dx + sin * dy, -sin * dx + cos * dy
    excess = (u / rx) ** 2 + (v / ry) ** 2
    if excess > 1:
        rx, ry = rx * math.sqrt(excess), ry * math.sqrt(excess)
    square = max((rx * ry) ** 2 / ((rx * v) ** 2 + (ry * u) ** 2) - 1, 0.0)
    factor = math.sqrt(square) * (-1 if bool(large) == bool(sweep) else 1)
    cu, cv = factor * rx * v / ry, -factor * ry * u / rx
    cx, cy = cos * cu - sin * cv + (x1 + x2) / 2, sin * cu + cos * cv + (y1 + y2) / 2
    first = math.atan2((v - cv) / ry, (u - cu) / rx)
    turn = math.atan2((-v - cv) / ry, (-u - cu) / rx) - first
    if sweep and turn < 0:
        turn += math.tau
    elif not sweep and turn > 0:
        turn -= math.tau
    n = max(1, math.ceil(abs(turn) / (math.pi / 2) - 1e-9))
    step = turn / n
    reach = 4 / 3 * math.tan(step / 4)

    def at(px: float, py: float) -> Point:
        return (cx + cos * rx * px - sin * ry * py, -(cy + sin * rx * px + cos * ry * py))

    curves: list[tuple[Point, Point, Point]] = []
    for k in range(n):
        a, b = first + k * step, first + (k + 1) * step
        ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        first_control = at(ca - reach * sa, sa + reach * ca)
        curves.append((first_control, at(cb + reach * sb, sb - reach * cb), at(cb, sb)))
    return curves
