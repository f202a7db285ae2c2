"""Cut a simple polygon into convex parts: ears, then diagonals dropped (Hertel and Mehlhorn 1983).

The cut is made on numbers, at the start values of the layout, and kept while vertices move.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["convex_parts"]

Point = Sequence[float]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _is_convex(points: Sequence[Point], ring: Sequence[int]) -> bool:
    n = len(ring)
    turns = [_turn(*(points[ring[(k + j) % n]] for j in range(3))) for k in range(n)]
    return all(t >= -1e-9 for t in turns)


def _inside(p: Point, a: Point, b: Point, c: Point) -> bool:
    return _turn(a, b, p) > 0 and _turn(b, c, p) > 0 and _turn(c, a, p) > 0


def _ears(points: Sequence[Point], ring: list[int]) -> list[list[int]]:
    """Triangles of a counterclockwise ring; a self-crossing one is cut as far as it goes."""
    ring = list(ring)
    triangles: list[list[int]] = []
    while len(ring) > 3:
        for k in range(len(ring)):
            i, j, m = ring[k - 1], ring[k], ring[(k + 1) % len(ring)]
            a, b, c = points[i], points[j], points[m]
            others = (q for q in ring if q not in (i, j, m))
            if _turn(a, b, c) > 0 and not any(_inside(points[q], a, b, c) for q in others):
                triangles.append([i, j, m])
                del ring[k]
                break
        else:
            del ring[min(range(len(ring)), key=lambda k: _flatness(points, ring, k))]
    return [*triangles, ring]


def _flatness(points: Sequence[Point], ring: Sequence[int], k: int) -> float:
    return abs(_turn(points[ring[k - 1]], points[ring[k]], points[ring[(k + 1) % len(ring)]]))


def _joined(first: list[int], second: list[int]) -> list[int] | None:
    """The ring of two rings that share a side in opposite directions."""
    n, m = len(first), len(second)
    for k in range(n):
        a, b = first[k], first[(k + 1) % n]
        for j in range(m):
            if second[j] == b and second[(j + 1) % m] == a:
                rest = [second[(j + 2 + q) % m] for q in range(m - 2)]
                return [*first[: k + 1], *rest, *first[k + 1 :]]
    return None


def convex_parts(points: Sequence[Point]) -> list[list[int]]:
    """Rings of vertex numbers, each convex, that together make up the polygon."""
    ring = list(range(len(points)))
    area = sum(points[k - 1][0] * points[k][1] - points[k][0] * points[k - 1][1] for k in ring)
    if area < 0:
        ring.reverse()
    if len(ring) <= 3 or _is_convex(points, ring):
        return [list(range(len(points)))]
    parts = _ears(points, ring)
    k = 0
    while k < len(parts):
        for j in range(k + 1, len(parts)):
            joined = _joined(parts[k], parts[j])
            if joined is not None and _is_convex(points, joined):
                parts[k] = joined
                del parts[j]
                break
        else:
            k += 1
    return parts
