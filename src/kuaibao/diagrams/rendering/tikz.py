r"""A layout as a TikZ picture: formulas and texts are set by LaTeX itself.

One pixel is 0.75 bp, y points up as in the diagram. Needs the packages tikz (libraries
arrows.meta) and amsmath, and graphicx where there are pictures. A picture of an Image shape is a
file beside (`\includegraphics`); without one it is a frame, and a comment names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kuaibao.diagrams.library.context import Canvas
from kuaibao.diagrams.rendering.paint import number, opacity, rgb
from kuaibao.diagrams.rendering.text_metrics import pixels
from kuaibao.diagrams.values import ColorV, Shape

__all__ = ["draw_tikz"]

_ARROWS = {
    "concave": "Stealth[inset=1pt]",
    "straight": "Stealth",
    "perp": "Bar",
    "line": "To",
    "doubleLine": "To To",
    "loopup": "Hooks[left]",
    "loopdown": "Hooks[right]",
    "loop": "Hooks",
}
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip


def draw_tikz(
    shapes: Sequence[Shape], canvas: Canvas, pictures: Mapping[str, str] | None = None
) -> str:
    """A `tikzpicture` of shapes whose numbers are known.

    Args:
        shapes: Roots in draw order, made by `with_numbers`.
        canvas: Its size is the bounding box.
        pictures: File to include, by the name of the Image shape.
    """
    w, h = canvas.width / 2, canvas.height / 2
    files = pictures or {}
    packages = "tikz,amsmath,graphicx" if files else "tikz,amsmath"
    lines = [
        rf"% \usepackage{{{packages}}} \usetikzlibrary{{arrows.meta}}",
        r"\begin{tikzpicture}[x=0.75bp, y=0.75bp]",
        rf"\useasboundingbox ({number(-w)},{number(-h)}) rectangle ({number(w)},{number(h)});",
        *(line for shape in shapes for line in _shape(shape, files)),
        r"\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


def _shape(shape: Shape, pictures: Mapping[str, str]) -> list[str]:
    match shape.kind:
        case "Group":
            return _group(shape, pictures)
        case "Image":
            return _image(shape, pictures.get(shape.name, ""))
        case "Text" | "Equation":
            return [_label(shape)]
        case _:
            outline = _outline(shape)
            return [rf"\path[{_style(shape)}] {outline};"] if outline else []


def _image(shape: Shape, file: str) -> list[str]:
    width, height = (max(shape[side] * 0.75, 0.0) for side in ("width", "height"))
    if not file:
        frame = rf"\path[draw=gray, dashed] {_rectangle(shape)};"
        return [f"% the picture {_one_line(shape['href'])} is missing", frame]
    size = f"width={number(width)}bp, height={number(height)}bp"
    turn = f", rotate={number(-shape['rotation'])}" if shape["rotation"] else ""
    include = rf"\includegraphics[{size}]{{{file}}}"
    return [rf"\node[inner sep=0{turn}] at {_at(shape['center'])} {{{include}}};"]


def _group(shape: Shape, pictures: Mapping[str, str]) -> list[str]:
    clip = shape["clipPath"].contents
    drawn = [one for one in shape["shapes"] if one is not clip]
    members = [line for one in drawn for line in _shape(one, pictures)]
    outline = _outline(clip) if clip is not None else ""
    start = [r"\begin{scope}", *([rf"\clip {outline};"] if outline else [])]
    return [*start, *members, r"\end{scope}"]


def _at(point: Sequence[float]) -> str:
    return f"({number(point[0])},{number(point[1])})"


def _outline(shape: Shape) -> str:
    match shape.kind:
        case "Circle":
            return f"{_at(shape['center'])} circle[radius={number(shape['r'])}]"
        case "Ellipse":
            radii = f"x radius={number(shape['rx'])}, y radius={number(shape['ry'])}"
            return f"{_at(shape['center'])} ellipse[{radii}]"
        case "Rectangle":
            return _rectangle(shape)
        case "Line":
            return f"{_at(shape['start'])} -- {_at(shape['end'])}"
        case "Polygon" | "Polyline":
            scale = shape["scale"]
            points = " -- ".join(_at((scale * x, scale * y)) for x, y in shape["points"])
            return points + (" -- cycle" if shape.kind == "Polygon" else "")
        case "Path":
            return _path(shape["d"])
        case _:
            return ""


def _rectangle(shape: Shape) -> str:
    x, y = shape["center"]
    w, h = shape["width"] / 2, shape["height"] / 2
    corners = f"{_at((-w, -h))} rectangle {_at((w, h))}"
    corner = shape["cornerRadius"] if shape.kind == "Rectangle" else 0.0
    rounded = f"rounded corners={number(corner * 0.75)}bp, " if corner > 0 else ""
    shift = f"{rounded}shift={{{_at((x, y))}}}, rotate={number(-shape['rotation'])}"
    return f"[{shift}] {corners}"


def _path(commands: Sequence[Any]) -> str:
    parts: list[str] = []
    here = (0.0, 0.0)
    control = here
    for command in commands:
        numbers = [float(x) for x in command.numbers]
        points = list(zip(numbers[::2], numbers[1::2], strict=False))
        match command.letter:
            case "M":
                parts.append(_at(points[0]))
            case "L":
                parts.append(f"-- {_at(points[0])}")
            case "C":
                parts.append(_curve(*points))
                control = points[1]
            case "S":
                first = (2 * here[0] - control[0], 2 * here[1] - control[1])
                parts.append(_curve(first, *points))
                control = points[0]
            case "Q" | "T":
                if command.letter == "T":
                    control = (2 * here[0] - control[0], 2 * here[1] - control[1])
                else:
                    control = points[0]
                parts.append(_quadratic(here, control, points[-1]))
            case "A":
                # An arc between two points is drawn by its chord; TikZ wants centre and angles.
                points = [(numbers[5], numbers[6])]
                parts.append(_arc(here, numbers))
            case _:
                parts.append("-- cycle")
                continue
        here = points[-1]
        if command.letter not in "CSQT":
            control = here
    return " ".join(parts)


def _curve(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> str:
    return f".. controls {_at(a)} and {_at(b)} .. {_at(c)}"


def _quadratic(start: Sequence[float], control: Sequence[float], end: Sequence[float]) -> str:
    first = [s + 2 / 3 * (c - s) for s, c in zip(start, control, strict=True)]
    second = [e + 2 / 3 * (c - e) for e, c in zip(end, control, strict=True)]
    return _curve(first, second, end)


def _arc(start: tuple[float, float], numbers: Sequence[float]) -> str:
    from kuaibao.diagrams.rendering.arcs import arc_to_curves

    curves = arc_to_curves(start, numbers)
    return " ".join(_curve(*curve) for curve in curves)


def _color(color: ColorV) -> str:
    r, g, b = (round(255 * x) for x in rgb(color))
    return f"{{rgb,255:red,{r};green,{g};blue,{b}}}"


def _style(shape: Shape) -> str:
    parts: list[str] = []
    fill, stroke = shape.properties.get("fillColor"), shape.properties.get("strokeColor")
    if isinstance(fill, ColorV) and fill.space != "none" and shape.kind != "Line":
        parts += [f"fill={_color(fill)}", f"fill opacity={number(opacity(fill))}"]
    if isinstance(stroke, ColorV) and stroke.space != "none" and shape["strokeWidth"] > 0:
        parts += [f"draw={_color(stroke)}", f"draw opacity={number(opacity(stroke))}"]
        parts.append(f"line width={number(shape['strokeWidth'] * 0.75)}bp")
        if shape["strokeStyle"] == "dashed" or shape["strokeDasharray"]:
            parts.append("dash pattern=on 5.25bp off 3.75bp")
    if shape.kind in ("Line", "Path"):
        start = _ARROWS.get(shape["startArrowhead"], "")
        end = _ARROWS.get(shape["endArrowhead"], "")
        if start or end:
            parts.append(f"arrows={{{start}-{end}}}")
    return ", ".join(parts)


def _label(shape: Shape) -> str:
    size = pixels(shape["fontSize"]) * 0.75
    font = rf"\fontsize{{{number(size)}bp}}{{{number(1.2 * size)}bp}}\selectfont"
    is_formula = shape.kind == "Equation"
    string = shape["string"]
    body = f"${_one_line(string)}$" if is_formula else _escaped(string)
    color = shape["fillColor"]
    paint = "" if color.space == "none" else f", text={_color(color)}"
    turn = f", rotate={number(-shape['rotation'])}" if shape["rotation"] else ""
    place = _at(shape["center"])
    return rf"\node[inner sep=0{paint}{turn}, font={font}] at {place} {{{body}}};"


def _escaped(value: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in _one_line(value))


def _one_line(value: str) -> str:
    return " ".join(value.split())
