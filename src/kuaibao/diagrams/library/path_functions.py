"""Functions that make outlines of paths."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import TAU, Context
from kuaibao.diagrams.library.rows import BodyProblem, function, whole
from kuaibao.diagrams.library.vectors import (
    Points,
    Vec,
    along,
    cross2,
    distance,
    middle,
    minus,
    plus,
    rotated_90,
    times,
    unit,
)
from kuaibao.diagrams.scalars import absolute, cos, divide, greater, select, sin
from kuaibao.diagrams.values import PathCommand, Shape

__all__: list[str] = []

_GROUP = "Paths"
_MAX_REPEATS = 10_000


def _command(letter: str, *points: Vec) -> PathCommand:
    return PathCommand(letter, [x for point in points for x in point])


def _ended(commands: list[PathCommand], path_type: str) -> list[PathCommand]:
    return [*commands, PathCommand("Z")] if path_type == "closed" else commands


def _need(points: Sequence[object], n: int) -> None:
    if len(points) < n:
        raise BodyProblem(f"this path needs {n} points or more, got {len(points)}")


def _arc(radius: Vec, rotation: Scalar, large: Scalar, sweep: Scalar, end: Vec) -> PathCommand:
    return PathCommand("A", [*radius, rotation, large, sweep, *end])


def chain(points: Points, *, closed: bool) -> list[PathCommand]:
    """Segments from point to point."""
    commands = [_command("M" if k == 0 else "L", p) for k, p in enumerate(points)]
    return [*commands, PathCommand("Z")] if closed else commands


@function(
    _GROUP,
    "start: Real2; end: Real2; curveHeight: Real; padding: Real -- kept free at both ends",
    "PathCmd",
    "A quadratic curve between two points whose control point lies curveHeight beside them.",
    name="makePath",
)
def _make_path(
    _: Context, start: Vec, end: Vec, height: Scalar, padding: Scalar
) -> list[PathCommand]:
    back = unit(minus(start, end))
    control = along(along(end, 0.5 * distance(start, end), back), height, rotated_90(back))
    return [
        _command("M", along(start, -padding, back)),
        _command("Q", control, along(end, padding, back)),
    ]


_FROM_POINTS = "pathType: PathType; pts: Real2N"


@function(_GROUP, _FROM_POINTS, "PathCmd", "Segments from point to point.", name="pathFromPoints")
def _path_from_points(_: Context, path_type: str, pts: Points) -> list[PathCommand]:
    _need(pts, 1)
    return chain(pts, closed=path_type == "closed")


@function(
    _GROUP,
    _FROM_POINTS,
    "PathCmd",
    "Quadratic curves: start, control point, end, then ends of smooth continuations.",
    name="quadraticCurveFromPoints",
)
def _quadratic_curve(_: Context, path_type: str, pts: Points) -> list[PathCommand]:
    _need(pts, 3)
    first = [_command("M", pts[0]), _command("Q", pts[1], pts[2])]
    return _ended([*first, *(_command("T", p) for p in pts[3:])], path_type)


@function(
    _GROUP,
    "pathType: PathType; p0: Real2; p1: Real2; p2: Real2",
    "PathCmd",
    "The quadratic curve from p0 to p2 that passes p1 half way.",
    name="interpolateQuadraticFromPoints",
)
def _interpolate_quadratic(
    _: Context, path_type: str, p0: Vec, p1: Vec, p2: Vec
) -> list[PathCommand]:
    control = minus(times(2.0, p1), times(0.5, plus(p0, p2)))
    return _ended([_command("M", p0), _command("Q", control, p2)], path_type)


@function(
    _GROUP,
    _FROM_POINTS,
    "PathCmd",
    "Cubic curves: start, two control points, end, then pairs of control point and end.",
    name="cubicCurveFromPoints",
)
def _cubic_curve(_: Context, path_type: str, pts: Points) -> list[PathCommand]:
    _need(pts, 4)
    if len(pts) % 2:
        raise BodyProblem(f"smooth continuations need two points each, got {len(pts) - 4} points")
    commands = [_command("M", pts[0]), _command("C", *pts[1:4])]
    commands += [_command("S", pts[k], pts[k + 1]) for k in range(4, len(pts), 2)]
    return _ended(commands, path_type)


@function(
    _GROUP,
    "pathType: PathType; points: RealNM; tension: Real = 0.25",
    "PathCmd",
    "A smooth curve through the points (Catmull and Rom); the tangents grow with the tension.",
    name="interpolatingSpline",
)
def _interpolating_spline(
    _: Context, path_type: str, points: Points, tension: Scalar
) -> list[PathCommand]:
    _need(points, 2)
    n, closed = len(points), path_type == "closed"
    tangents: list[list[Scalar]] = []
    for k in range(n):
        before = points[k - 1] if closed or k > 0 else points[0]
        after = points[(k + 1) % n] if closed or k < n - 1 else points[-1]
        tangents.append(times(tension, minus(after, before)))
    commands = [_command("M", points[0])]
    for k in range(n if closed else n - 1):
        j = (k + 1) % n
        commands.append(
            _command("C", plus(points[k], tangents[k]), minus(points[j], tangents[j]), points[j])
        )
    return _ended(commands, path_type)


def _linked(paths: Sequence[Sequence[PathCommand]], letter: str) -> list[PathCommand]:
    """One path of several; the moves between them become lines, or fall out (letter "")."""
    linked: list[PathCommand] = []
    for index, path in enumerate(paths):
        if index and path:
            first = [PathCommand(letter, path[0].numbers)] if letter else []
            linked += [*first, *path[1:]]
        else:
            linked += path
    return linked


_PATHS = "pathDataList: PathDataList"


@function(
    _GROUP,
    f"pathType: PathType; {_PATHS}",
    "PathCmd",
    "Several paths as one, with segments between them.",
    name="connectPaths",
)
def _connect_paths(
    _: Context, path_type: str, paths: Sequence[Sequence[PathCommand]]
) -> list[PathCommand]:
    linked = _linked(paths, "L")
    if path_type == "closed" and linked:
        linked.append(PathCommand("L", linked[0].numbers))
    return linked


@function(
    _GROUP, _PATHS, "PathCmd", "Several paths one after the other, with gaps.",
    name="concatenatePaths",
)  # fmt: skip
def _concatenate_paths(_: Context, paths: Sequence[Sequence[PathCommand]]) -> list[PathCommand]:
    return [command for path in paths for command in path]


@function(
    _GROUP,
    _PATHS,
    "PathCmd",
    "Several paths as one; each goes on where the one before ends.",
    name="joinPaths",
)
def _join_paths(_: Context, paths: Sequence[Sequence[PathCommand]]) -> list[PathCommand]:
    return _linked(paths, "")


@function(
    _GROUP,
    "pathType: PathType; start: Real2; end: Real2; radii: Real2 -- width and height of the "
    "ellipse; rotation: Real -- degrees; largeArc: Real -- 1 for the longer way; "
    "arcSweep: Real -- 1 for clockwise",
    "PathCmd",
    "An elliptic arc, as the A of SVG.",
)
def arc(
    _: Context,
    path_type: str,
    start: Vec,
    end: Vec,
    radii: Vec,
    rotation: Scalar,
    large: Scalar,
    sweep: Scalar,
) -> list[PathCommand]:
    return _ended([_command("M", start), _arc(radii, rotation, large, sweep, end)], path_type)


@function(
    _GROUP,
    "pathType: PathType; center: Real2; r: Real; theta0: Real; theta1: Real",
    "PathCmd",
    "The arc of a circle between two angles (radians); closed, a piece of pie.",
    name="circularArc",
)
def _circular_arc(
    _: Context, path_type: str, center: Vec, r: Scalar, theta0: Scalar, theta1: Scalar
) -> list[PathCommand]:
    start, end = (plus(center, [r * cos(theta), r * sin(theta)]) for theta in (theta0, theta1))
    large = select(greater(absolute(theta1 - theta0), math.pi), 1.0, 0.0)
    sweep = select(greater(theta0, theta1), 1.0, 0.0)
    commands = [_command("M", start), _arc([r, r], 0.0, large, sweep, end)]
    if path_type == "closed":
        commands += [_command("L", center), PathCommand("Z")]
    return commands


@function(
    _GROUP,
    "innerStart: Real2; innerEnd: Real2; outerStart: Real2; outerEnd: Real2; "
    "innerRadius: Real2; repeat: PosInt; spacing: Real; arcSweep: Real",
    "PathCmd",
    "Concentric arcs, as for equal angles.",
    name="repeatedArcs",
)
def _repeated_arcs(
    _: Context,
    inner_start: Vec,
    inner_end: Vec,
    outer_start: Vec,
    outer_end: Vec,
    inner_radius: Vec,
    repeat: Scalar,
    spacing: Scalar,
    sweep: Scalar,
) -> list[PathCommand]:
    count = _repeats(repeat, "repeat")
    to_start = unit(minus(outer_start, inner_start))
    to_end = unit(minus(outer_end, inner_end))
    start, end, radius = list(inner_start), list(inner_end), list(inner_radius)
    commands: list[PathCommand] = []
    for _k in range(count):
        commands += [_command("M", start), _arc(radius, 0.0, 0.0, sweep, end)]
        start, end = along(start, spacing, to_start), along(end, spacing, to_end)
        radius = [x + spacing for x in radius]
    return commands


def _repeats(number: Scalar, name: str) -> int:
    count = whole(number, name)
    if not 0 <= count <= _MAX_REPEATS:
        raise BodyProblem(f"'{name}' must be between 0 and {_MAX_REPEATS}, got {count}")
    return count


@function(
    _GROUP,
    "center: Real2; start: Real2; end: Real2; radius: Real2; rotation: Real; largeArc: Real; "
    "arcSweep: Real",
    "PathCmd",
    "A piece of pie: an elliptic arc and its centre.",
)
def wedge(
    _: Context,
    center: Vec,
    start: Vec,
    end: Vec,
    radius: Vec,
    rotation: Scalar,
    large: Scalar,
    sweep: Scalar,
) -> list[PathCommand]:
    commands = [_command("M", start), _arc(radius, rotation, large, sweep, end)]
    return [*commands, _command("L", center), PathCommand("Z")]


@function(
    _GROUP,
    "center: Real2; start: Real2; end: Real2",
    "Real",
    "The arcSweep of the short way from start to end about the centre.",
    name="arcSweepFlag",
)
def _arc_sweep_flag(_: Context, center: Vec, start: Vec, end: Vec) -> Scalar:
    turn = cross2(unit(minus(start, center)), unit(minus(end, center)))
    return select(greater(turn, 0.0), 0.0, 1.0)


@function(
    _GROUP,
    "pt1: Real2; pt2: Real2; spacing: Real; numTicks: PosInt; tickLength: Real",
    "PathCmd",
    "Ticks across the middle of a segment, as for equal lengths.",
    name="ticksOnLine",
)
def _ticks_on_line(
    _: Context, pt1: Vec, pt2: Vec, spacing: Scalar, n_tick: Scalar, length: Scalar
) -> list[PathCommand]:
    count = _repeats(n_tick, "numTicks")
    if count == 0:
        raise BodyProblem("there must be one tick or more")
    direction = unit(minus(pt2, pt1))
    across = rotated_90(direction)
    center = middle(pt1, pt2)
    commands: list[PathCommand] = []
    for place in _tick_places(count):
        tick = along(center, place * spacing, direction)
        commands += [
            _command("M", along(tick, -length, across)),
            _command("L", along(tick, length, across)),
        ]
    return commands


def _tick_places(n: int) -> list[float]:
    """Places about 0 at distance 1, nearest first."""
    places = [0.5 if n % 2 == 0 else 0.0]
    side = -1.0 if n % 2 == 0 else 1.0
    for k in range(1, n):
        places.append(places[-1] + side * (k if k % 2 else -k))
    return places


@function(
    _GROUP,
    "s1: Line; s2: Line; intersection: Real2; len: Real",
    "PathCmd",
    "The square that marks a right angle where two lines start.",
    name="orientedSquare",
)
def _oriented_square(
    _: Context, s1: Shape, s2: Shape, intersection: Vec, length: Scalar
) -> list[PathCommand]:
    first = unit(minus(s1["end"], s1["start"]))
    second = unit(minus(s2["end"], s2["start"]))
    left = along(s1["start"], length, second)
    points = [left, along(left, length, first), along(s1["start"], length, first), intersection]
    return chain(points, closed=True)


@function(
    _GROUP, "l1: Line; l2: Line; l3: Line", "PathCmd", "The triangle of the starts of three lines."
)
def triangle(_: Context, l1: Shape, l2: Shape, l3: Shape) -> list[PathCommand]:
    return chain([l1["start"], l2["start"], l3["start"]], closed=True)


@function(
    _GROUP,
    "center: RealN = origin; radius: Real = 50; holeSize: Real = 0.35; angle: Real = 0; "
    'nSides: PosInt = 5; chirality: String = "ccw"',
    "PathCmd",
    "Penrose's impossible polygon.",
    name="Penrose",
)
def _impossible_polygon(
    _: Context,
    center: Vec,
    radius: Scalar,
    hole: Scalar,
    angle: Scalar,
    n_side: Scalar,
    chirality: str,
) -> list[PathCommand]:
    n = max(3, _repeats(math.floor(n_side) if isinstance(n_side, float) else n_side, "nSides"))
    side = 1.0 if chirality == "cw" else -1.0
    inner_radius = hole * radius
    half_interior = 0.5 * math.pi * (n - 2) / n
    width = divide(radius - inner_radius, 4.0 * math.cos(half_interior))
    angles = [angle + k * TAU / n for k in range(n)]
    rays = [[side * sin(theta), cos(theta)] for theta in angles]
    inner = [along(center, inner_radius, ray) for ray in rays]
    outer = [along(center, radius, ray) for ray in rays]
    edges = [unit(minus(inner[(k + 1) % n], inner[k])) for k in range(n)]
    inner_cut = [along(inner[k], -width, edges[k]) for k in range(n)]
    outer_cut = [along(outer[k], -width, edges[k - 1]) for k in range(n)]
    commands: list[PathCommand] = []
    for i in range(n):
        j, k = (i + 1) % n, (i + 2) % n
        bar = [outer_cut[i], outer[i], outer_cut[j], inner_cut[k], inner[k], inner_cut[j]]
        commands += chain(bar, closed=True)
    return commands
