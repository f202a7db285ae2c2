"""Axis-aligned bounding boxes of all shape kinds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.library.rows import RECTLIKE, BodyProblem
from kuaibao.diagrams.library.vectors import Points, Vec, largest, minus, norm, smallest
from kuaibao.diagrams.scalars import (
    absolute,
    cos,
    divide,
    equal,
    greater,
    maximum,
    minimum,
    select,
    sin,
    square,
    square_root,
)
from kuaibao.diagrams.values import PathCommand, Shape

__all__ = ["Box", "bounding_box", "box_around", "center_of", "path_points", "rectangle_corners"]

DEGREE = math.pi / 180.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle along the axes."""

    x: Scalar
    y: Scalar
    width: Scalar
    height: Scalar

    @property
    def left(self) -> Scalar:
        """The smallest x."""
        return self.x - 0.5 * self.width

    @property
    def right(self) -> Scalar:
        """The largest x."""
        return self.x + 0.5 * self.width

    @property
    def bottom(self) -> Scalar:
        """The smallest y."""
        return self.y - 0.5 * self.height

    @property
    def top(self) -> Scalar:
        """The largest y."""
        return self.y + 0.5 * self.height

    @property
    def center(self) -> tuple[Scalar, Scalar]:
        """The middle."""
        return self.x, self.y

    def corners(self) -> list[list[Scalar]]:
        """Top right, top left, bottom left, bottom right."""
        left, right, bottom, top = self.left, self.right, self.bottom, self.top
        return [[right, top], [left, top], [left, bottom], [right, bottom]]


def box_between(left: Scalar, right: Scalar, bottom: Scalar, top: Scalar) -> Box:
    """The box with these sides."""
    return Box(0.5 * (left + right), 0.5 * (bottom + top), right - left, top - bottom)


def box_around(points: Points) -> Box:
    """The smallest box that holds the points."""
    if not points:
        return Box(0.0, 0.0, 0.0, 0.0)
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return box_between(smallest(xs), largest(xs), smallest(ys), largest(ys))


def bounding_box(shape: Shape) -> Box:
    """The box of a shape, strokes of circles, ellipses, rectangles and lines included."""
    kind = shape.kind
    if kind == "Circle":
        size = 2.0 * shape["r"] + shape["strokeWidth"]
        return Box(shape["center"][0], shape["center"][1], size, size)
    if kind == "Ellipse":
        stroke = shape["strokeWidth"]
        return Box(
            shape["center"][0],
            shape["center"][1],
            2.0 * shape["rx"] + stroke,
            2.0 * shape["ry"] + stroke,
        )
    if kind in RECTLIKE:
        return rectangle_box(shape, shape["strokeWidth"] if kind == "Rectangle" else 0.0)
    if kind == "Line":
        return _segment_box(shape["start"], shape["end"], shape["strokeWidth"])
    if kind in ("Polygon", "Polyline"):
        return box_around(scaled_points(shape))
    if kind == "Path":
        return box_around(path_points(shape["d"]))
    return _group_box(shape)


def center_of(shape: Shape) -> tuple[Scalar, Scalar]:
    """The centre of a shape's bounding box."""
    if "center" in shape.properties:
        x, y = shape["center"]
        return x, y
    if shape.kind == "Line":
        (x0, y0), (x1, y1) = shape["start"], shape["end"]
        return 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    return bounding_box(shape).center


def scaled_points(shape: Shape) -> list[list[Scalar]]:
    """The vertices of a polygon or polyline as drawn."""
    scale = shape["scale"]
    return [[scale * x, scale * y] for x, y in shape["points"]]


def rectangle_box(shape: Shape, stroke: Scalar = 0.0) -> Box:
    """The box of a rectangle-like shape, turned by its rotation; without stroke by default."""
    width, height = shape["width"] + stroke, shape["height"] + stroke
    rotation = shape["rotation"]
    if isinstance(rotation, Node) or rotation != 0:
        c, s = absolute(cos(rotation * DEGREE)), absolute(sin(rotation * DEGREE))
        width, height = c * width + s * height, s * width + c * height
    return Box(shape["center"][0], shape["center"][1], width, height)


def rectangle_corners(shape: Shape) -> list[list[Scalar]]:
    """Top right, top left, bottom left, bottom right before rotation; no stroke."""
    rotation = -1.0 * shape["rotation"] * DEGREE
    c, s = cos(rotation), sin(rotation)
    w, h = 0.5 * shape["width"], 0.5 * shape["height"]
    x, y = shape["center"]
    offsets = [(w, h), (-w, h), (-w, -h), (w, -h)]
    return [[x + (c * dx - s * dy), y + (s * dx + c * dy)] for dx, dy in offsets]


def _segment_box(start: Vec, end: Vec, thickness: Scalar) -> Box:
    dx, dy = minus(end, start)
    width, height = absolute(dx), absolute(dy)
    if isinstance(thickness, Node) or thickness != 0:
        length = norm([dx, dy])
        width, height = (
            width + thickness * divide(absolute(dy), length),
            height + thickness * divide(absolute(dx), length),
        )
    return Box(0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1]), width, height)


def _group_box(shape: Shape) -> Box:
    boxes = [bounding_box(member) for member in shape["shapes"]]
    if not boxes:
        return Box(0.0, 0.0, 0.0, 0.0)
    left, right = smallest([b.left for b in boxes]), largest([b.right for b in boxes])
    bottom, top = smallest([b.bottom for b in boxes]), largest([b.top for b in boxes])
    clip = shape["clipPath"].contents
    if clip is not None:
        window = bounding_box(clip)
        left, right = maximum(left, window.left), minimum(right, window.right)
        bottom, top = maximum(bottom, window.bottom), minimum(top, window.top)
    return box_between(left, right, bottom, top)


def path_points(commands: Sequence[PathCommand]) -> list[list[Scalar]]:
    """Points whose hull holds the path: its control points; for arcs a box about the ellipse.

    Raises:
        BodyProblem: a command is not one of the absolute M L Q C T S A Z.
    """
    points: list[list[Scalar]] = []
    current: list[Scalar] = [0.0, 0.0]
    control: list[Scalar] = current
    first: list[Scalar] = current
    for command in commands:
        letter = command.letter
        if letter == "Z":
            current = control = first
            points.append(first)
            continue
        if letter not in "MLQCTSA":
            raise BodyProblem(f"the bounding box of a path with the command '{letter}' is unknown")
        if letter == "A":
            end = list(command.numbers[5:7])
            points.extend(_arc_points(current, end, command.numbers))
            current = control = end
            continue
        given = [list(command.numbers[k : k + 2]) for k in range(0, len(command.numbers), 2)]
        if letter in "TS":  # the control point before, mirrored at the current point
            mirrored = [c + (c - k) for c, k in zip(current, control, strict=True)]
            points.append(current)
            given.insert(0, mirrored)
        points.extend(given)
        control = given[-2] if letter in "QCST" else given[-1]
        current = given[-1]
        if letter == "M":
            first = current
    return points


def _arc_points(start: Vec, end: Vec, numbers: Sequence[Scalar]) -> list[list[Scalar]]:
    """Two corners of the square about the ellipse's centre (SVG 1.1, appendix F.6.5)."""
    rx, ry, rotation, large, sweep = numbers[:5]
    # the sweep flag is SVG's, whose y points down: rotation and chirality turn around
    angle = rotation * DEGREE
    c, s = cos(angle), sin(angle)
    hx, hy = 0.5 * (start[0] - end[0]), 0.5 * (start[1] - end[1])
    x, y = c * hx - s * hy, s * hx + c * hy
    rx, ry = absolute(rx), absolute(ry)
    excess = square(divide(x, rx)) + square(divide(y, ry))
    grow = greater(excess, 1.0)
    rx = select(grow, square_root(excess) * rx, rx)
    ry = select(grow, square_root(excess) * ry, ry)
    below = square(rx * y) + square(ry * x)
    root = square_root(maximum(0.0, divide(square(rx * ry) - below, below)))
    factor = select(equal(large, sweep), 1.0, -1.0) * root
    cx, cy = factor * divide(rx * y, ry), factor * -1.0 * divide(ry * x, rx)
    mx, my = 0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1])
    x0, y0 = c * cx + s * cy + mx, -1.0 * s * cx + c * cy + my
    r = maximum(rx, ry)
    return [[x0 - r, y0 - r], [x0 + r, y0 + r]]
