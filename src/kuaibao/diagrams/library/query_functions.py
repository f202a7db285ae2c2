"""Functions that measure shapes and raw geometry: distances, rays, nearest points, silhouettes."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library import distances, minkowski, queries
from kuaibao.diagrams.library.boxes import bounding_box, box_around, box_between, rectangle_corners
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import BodyProblem, function
from kuaibao.diagrams.library.vectors import Points, Vec, distance
from kuaibao.diagrams.scalars import select
from kuaibao.diagrams.values import ClipDataV, Shape

__all__: list[str] = []

_DISTANCE = "Distances to points"
_BETWEEN = "Distances between shapes"
_RAYS = "Rays"
_NEAREST = "Nearest points"
_RIM = "Silhouettes"
_SHAPES = "Shapes"

_RECT = "rect: Real2N -- four corners as bboxPts gives them"
_CIRCLE = "c: Real2; r: Real"
_ELLIPSE = "c: Real2; rx: Real; ry: Real"
_SEGMENT = "start: Real2; end: Real2"
_POLY = "pts: Real2N; closed: Boolean"
_GROUP = "shapes: ShapeList"
_ANY = "Rectlike|Circle|Polygon|Line|Polyline|Ellipse|Group"


def four_corners(rect: Points) -> Points:
    """The corners of an upright rectangle.

    Raises:
        BodyProblem: there are not four.
    """
    if len(rect) != 4:
        raise BodyProblem(f"a rectangle has four corners, got {len(rect)} points")
    return rect


def some(points: Sequence[Vec], n: int = 2) -> Sequence[Vec]:
    """Refuse fewer than n points.

    Raises:
        BodyProblem: there are fewer.
    """
    if len(points) < n:
        raise BodyProblem(f"this needs {n} points or more, got {len(points)}")
    return points


# Shapes.


@function(
    _SHAPES, "s: AnyShape", "Real2N",
    "The corners of the bounding box: top right, top left, bottom left, bottom right.",
    name="bboxPts",
)  # fmt: skip
def _bbox_pts(_: Context, s: Shape) -> list[list[Scalar]]:
    return bounding_box(s).corners()


@function(
    _SHAPES, "s: Rectlike", "Real2N",
    "The corners as drawn, turned by the rotation; top right, top left, bottom left, bottom right "
    "of the unturned rectangle.",
    name="rectPts",
)  # fmt: skip
def _rect_pts(_: Context, s: Shape) -> list[list[Scalar]]:
    return rectangle_corners(s)


@function(_SHAPES, "shape: AnyShape", "ClipData", "Cuts a group to a shape.")
def clip(_: Context, shape: Shape) -> ClipDataV:
    return ClipDataV(shape)


@function(_SHAPES, "", "ClipData", "Leaves a group uncut.", name="noClip")
def _no_clip(_: Context) -> ClipDataV:
    return ClipDataV()


@function(
    _SHAPES, "str: String", "String", "A name as TeX: what follows '_' becomes a subscript.",
    name="TeXify",
)  # fmt: skip
def _texify(_: Context, name: str) -> str:
    first, *rest = name.split("_")
    return f"{{{first}}}" if not rest else f"{{{first}}}_{{{_texify(_, '_'.join(rest))}}}"


# Distances to points.


@function(
    _DISTANCE, f"s: {_ANY}; p: Real2", "Real", "To a shape: negative inside.",
    name="signedDistance",
)  # fmt: skip
def _signed_distance(_: Context, s: Shape, p: Vec) -> Scalar:
    return distances.to_shape(s, p)


@function(_DISTANCE, f"{_RECT}; pt: Real2", "Real", "To a rectangle.", name="signedDistanceRect")
def _to_rect(_: Context, rect: Points, p: Vec) -> Scalar:
    return distances.to_rect(four_corners(rect), p)


@function(_DISTANCE, f"{_CIRCLE}; pt: Real2", "Real", "To a circle.", name="signedDistanceCircle")
def _to_circle(_: Context, c: Vec, r: Scalar, p: Vec) -> Scalar:
    return distances.to_circle(c, r, p)


@function(
    _DISTANCE, "pts: Real2N; pt: Real2", "Real", "To a polygon.", name="signedDistancePolygon"
)
def _to_polygon(_: Context, pts: Points, p: Vec) -> Scalar:
    return distances.to_polygon(some(pts), p)


@function(
    _DISTANCE, f"{_ELLIPSE}; pt: Real2", "Real", "To an ellipse.", name="signedDistanceEllipse"
)
def _to_ellipse(_: Context, c: Vec, rx: Scalar, ry: Scalar, p: Vec) -> Scalar:
    return distances.to_ellipse(c, rx, ry, p)


@function(
    _DISTANCE, f"{_SEGMENT}; pt: Real2", "Real", "To a segment; never negative.",
    name="signedDistanceLine",
)  # fmt: skip
def _to_line(_: Context, start: Vec, end: Vec, p: Vec) -> Scalar:
    return distances.to_segment(start, end, p)


@function(
    _DISTANCE, "pts: Real2N; pt: Real2", "Real", "To an open chain; never negative.",
    name="signedDistancePolyline",
)  # fmt: skip
def _to_polyline(_: Context, pts: Points, p: Vec) -> Scalar:
    return distances.to_polyline(some(pts), p)


@function(
    _DISTANCE, f"{_GROUP}; pt: Real2", "Real", "To the union of shapes.",
    name="signedDistanceGroup",
)  # fmt: skip
def _to_group(_: Context, shapes: Sequence[Shape], p: Vec) -> Scalar:
    return distances.to_group(shapes, p)


# Distances between shapes.


@function(
    _BETWEEN, "s1: AnyShape; s2: AnyShape", "Real",
    "Between two shapes: negative by how far they overlap; pairs without a formula count as boxes.",
    name="shapeDistance",
)  # fmt: skip
def _shape_distance(context: Context, s1: Shape, s2: Shape) -> Scalar:
    return minkowski.between_shapes(context, s1, s2)


@function(
    _BETWEEN, "c1: Real2; r1: Real; c2: Real2; r2: Real", "Real", "Between two circles.",
    name="shapeDistanceCircles",
)  # fmt: skip
def _between_circles(_: Context, c1: Vec, r1: Scalar, c2: Vec, r2: Scalar) -> Scalar:
    return distance(c1, c2) - (r1 + r2)


@function(
    _BETWEEN, "rect1: Real2N; rect2: Real2N", "Real", "Between two rectangles.",
    name="shapeDistanceRects",
)  # fmt: skip
def _between_rects(_: Context, rect1: Points, rect2: Points) -> Scalar:
    a, b = box_around(four_corners(rect1)), box_around(four_corners(rect2))
    return minkowski.between_boxes(a, b)


@function(
    _BETWEEN, f"{_RECT}; {_SEGMENT}", "Real", "Between a rectangle and a segment.",
    name="shapeDistanceRectLine",
)  # fmt: skip
def _rect_to_line(_: Context, rect: Points, start: Vec, end: Vec) -> Scalar:
    return minkowski.box_to_segment(box_around(four_corners(rect)), start, end)


@function(
    _BETWEEN,
    "bottomLeft: Real2; topRight: Real2; start: Real2; end: Real2",
    "Real",
    "Between a rectangle by two corners and a segment.",
    name="rectLineDist",
)
def _rect_line_dist(_: Context, bottom_left: Vec, top_right: Vec, start: Vec, end: Vec) -> Scalar:
    box = box_between(bottom_left[0], top_right[0], bottom_left[1], top_right[1])
    return minkowski.box_to_segment(box, start, end)


@function(
    _BETWEEN, f"{_RECT}; points: RealNM", "Real", "Between a rectangle and an open chain.",
    name="shapeDistanceRectlikePolyline",
)  # fmt: skip
def _rect_to_polyline(_: Context, rect: Points, points: Points) -> Scalar:
    return minkowski.box_to_polyline(box_around(four_corners(rect)), some(points))


@function(
    _BETWEEN, "pts1: Real2N; pts2: Real2N", "Real", "Between two polygons.",
    name="shapeDistancePolys",
)  # fmt: skip
def _between_polys(context: Context, pts1: Points, pts2: Points) -> Scalar:
    return minkowski.between_polygons(context, some(pts1), some(pts2))


@function(
    _BETWEEN, f"{_RECT}; {_CIRCLE}", "Real", "Between a rectangle and a circle.",
    name="shapeDistanceRectCircle",
)  # fmt: skip
def _rect_to_circle(_: Context, rect: Points, c: Vec, r: Scalar) -> Scalar:
    return minkowski.box_to_circle(box_around(four_corners(rect)), c, r)


@function(
    _BETWEEN, f"pts: Real2N; {_ELLIPSE}", "Real", "Between a polygon and an ellipse.",
    name="shapeDistancePolyEllipse",
)  # fmt: skip
def _poly_to_ellipse(context: Context, pts: Points, c: Vec, rx: Scalar, ry: Scalar) -> Scalar:
    return minkowski.polygon_to_ellipse(context, some(pts), c, rx, ry)


@function(
    _BETWEEN, f"{_CIRCLE}; {_SEGMENT}", "Real", "Between a circle and a segment.",
    name="shapeDistanceCircleLine",
)  # fmt: skip
def _circle_to_line(_: Context, c: Vec, r: Scalar, start: Vec, end: Vec) -> Scalar:
    return distances.to_segment(start, end, c) - r


@function(
    _BETWEEN,
    "start1: Real2; end1: Real2; start2: Real2; end2: Real2",
    "Real",
    "Between two segments: negative where they cross.",
    name="shapeDistanceLines",
)
def _between_lines(_: Context, start1: Vec, end1: Vec, start2: Vec, end2: Vec) -> Scalar:
    return minkowski.between_segments(start1, end1, start2, end2)


# Rays from p along v: the point hit (p if none), its distance, the normal there.


def _ray_rows(stem: str, params: str, what: str, hit: object) -> None:
    """Enter the three functions of one kind of target; `hit(*geometry, p, v)` gives a `Hit`."""

    def point(_: Context, *given: object) -> list[Scalar]:
        return hit(*given).point_or(given[-2])  # type: ignore[operator]

    def length(_: Context, *given: object) -> Scalar:
        return hit(*given).distance(given[-2])  # type: ignore[operator]

    def normal(_: Context, *given: object) -> list[Scalar]:
        return hit(*given).normal_towards(given[-2])  # type: ignore[operator]

    full = f"{params}; p: Real2; v: Real2"
    text = f"of the ray from p along v and {what}"
    function(
        _RAYS, full, "Real2", f"The first common point {text}; p if there is none.",
        name=f"rayIntersect{stem}",
    )(point)  # fmt: skip
    function(
        _RAYS, full, "Real", f"The distance from p to the first common point {text}.",
        name=f"rayIntersect{stem}Distance",
    )(length)  # fmt: skip
    function(
        _RAYS, full, "Real2", f"The normal, towards p, at the first common point {text}.",
        name=f"rayIntersectNormal{stem}",
    )(normal)  # fmt: skip


def _ray_hits_rect(rect: Points, p: Vec, v: Vec) -> queries.Hit:
    _, top_left, bottom_left, bottom_right = four_corners(rect)
    turned = [bottom_left, bottom_right, rect[0], top_left]
    return queries.ray_hits_chain(turned, True, p, v)


_ray_rows("", f"S: {_ANY}", "a shape", queries.ray_hits_shape)
_ray_rows("Circle", _CIRCLE, "a circle", queries.ray_hits_circle)
_ray_rows("Ellipse", _ELLIPSE, "an ellipse", queries.ray_hits_ellipse)
_ray_rows("Line", _SEGMENT, "a segment", queries.ray_hits_segment)
_ray_rows("Rect", _RECT, "a rectangle", _ray_hits_rect)
_ray_rows("Poly", _POLY, "a chain", queries.ray_hits_chain)
_ray_rows("Group", _GROUP, "some shapes", queries.ray_hits_group)


# Nearest points.


@function(
    _NEAREST, f"s: {_ANY}; p: Real2", "Real2", "Of the outline of a shape.", name="closestPoint"
)
def _closest(_: Context, s: Shape, p: Vec) -> list[Scalar]:
    return queries.nearest_on_shape(s, p)


@function(_NEAREST, f"{_CIRCLE}; pt: Real2", "Real2", "Of a circle.", name="closestPointCircle")
def _closest_circle(_: Context, c: Vec, r: Scalar, p: Vec) -> list[Scalar]:
    return queries.nearest_on_circle(c, r, p)


@function(_NEAREST, f"{_RECT}; pt: Real2", "Real2", "Of a rectangle.", name="closestPointRect")
def _closest_rect(_: Context, rect: Points, p: Vec) -> list[Scalar]:
    return queries.nearest_on_rect(four_corners(rect), p)


@function(_NEAREST, f"{_SEGMENT}; pt: Real2", "Real2", "Of a segment.", name="closestPointLine")
def _closest_line(_: Context, start: Vec, end: Vec, p: Vec) -> list[Scalar]:
    return queries.foot(start, end, p)


@function(
    _NEAREST, f"{_ELLIPSE}; pt: Real2", "Real2", "Of an ellipse (two Newton steps).",
    name="closestPointEllipse",
)  # fmt: skip
def _closest_ellipse(_: Context, c: Vec, rx: Scalar, ry: Scalar, p: Vec) -> list[Scalar]:
    return queries.nearest_on_ellipse(c, rx, ry, p)


@function(_NEAREST, f"{_POLY}; pt: Real2", "Real2", "Of a chain.", name="closestPointPoly")
def _closest_poly(_: Context, pts: Points, closed: bool, p: Vec) -> list[Scalar]:
    return queries.nearest_on_chain(pts, closed, p)


@function(_NEAREST, f"{_GROUP}; pt: Real2", "Real2", "Of some shapes.", name="closestPointGroup")
def _closest_group(_: Context, shapes: Sequence[Shape], p: Vec) -> list[Scalar]:
    return queries.nearest_in_group(shapes, p)


# Silhouettes: the nearest point where the line of sight from p grazes an outline.


def _rim_row(stem: str, params: str, what: str, rim: object) -> None:
    def point(_: Context, *given: object) -> list[Scalar]:
        return queries.rim_point(rim(*given), given[-1])  # type: ignore[operator, arg-type]

    function(
        _RIM, f"{params}; p: Real2", "Real2",
        f"The nearest point where the view from p grazes {what}; p if there is none.",
        name=f"closestSilhouettePoint{stem}",
    )(point)  # fmt: skip


def _rim_of_circle(c: Vec, r: Scalar, p: Vec) -> queries.Rim:
    return queries.silhouette_of_ellipse(c, r, r, p)


def _rim_of_rect(rect: Points, p: Vec) -> queries.Rim:
    return queries.silhouette_of_chain(four_corners(rect), True, p)


def _rim_of_polyline(points: Points, p: Vec) -> queries.Rim:
    return queries.silhouette_of_chain(points, False, p)


def _rim_of_polygon(points: Points, p: Vec) -> queries.Rim:
    return queries.silhouette_of_chain(points, True, p)


_rim_row("", f"s: {_ANY}", "a shape", queries.silhouette_of_shape)
_rim_row("Circle", _CIRCLE, "a circle", _rim_of_circle)
_rim_row("Ellipse", _ELLIPSE, "an ellipse", queries.silhouette_of_ellipse)
_rim_row("Line", _SEGMENT, "a segment (its nearer end)", queries.silhouette_of_segment)
_rim_row("Rect", _RECT, "a rectangle", _rim_of_rect)
_rim_row("Polyline", "points: Real2N", "an open chain", _rim_of_polyline)
_rim_row("Polygon", "points: Real2N", "a polygon", _rim_of_polygon)
_rim_row("Group", _GROUP, "some shapes", queries.silhouette_of_group)


@function(
    _RIM, f"s: {_ANY}; p: Real2", "Real", "The distance to that point; infinite if there is none.",
    name="closestSilhouetteDistance",
)  # fmt: skip
def _silhouette_distance(_: Context, s: Shape, p: Vec) -> Scalar:
    rim = queries.silhouette_of_shape(s, p)
    return select(rim.found, distance(p, rim.point), queries.INFINITY)
