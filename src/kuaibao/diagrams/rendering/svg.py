"""A layout as one SVG file that needs nothing else: formulas as outlines, pictures inside.

The picture has a title and a description, every shape its name as a title, so that a screen
reader can speak it. Coordinates turn from the diagram's (origin in the middle, y up) to SVG's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kuaibao.diagrams.errors import LayoutError
from kuaibao.diagrams.library.context import Canvas
from kuaibao.diagrams.rendering.arrowheads import ARROWHEADS, Arrowhead
from kuaibao.diagrams.rendering.formulas import set_formula
from kuaibao.diagrams.rendering.images import ImageFolder, inline_svg, missing_frame
from kuaibao.diagrams.rendering.paint import attributes, opacity, paint, text
from kuaibao.diagrams.rendering.text_metrics import FontSizeError, advance_width, pixels
from kuaibao.diagrams.values import Shape

__all__ = ["SvgOptions", "draw_svg", "path_data"]

_DASHES = "7,5"
_CAMEL = re.compile(r"(?<=[a-z])([A-Z])")
_KEBAB_NAMES = """
    accentHeight alignmentBaseline arabicForm baselineShift capHeight clipPath clipRule
    colorInterpolation colorInterpolationFilters colorProfile colorRendering
    dominantBaseline enableBackground fillOpacity fillRule floodColor floodOpacity
    fontFamily fontSize fontSizeAdjust fontStretch fontStyle fontVariant fontWeight
    glyphName glyphOrientationHorizontal glyphOrientationVertical horizAdvX horizOriginX
    imageRendering letterSpacing lightingColor markerEnd markerMid markerStart
    overlinePosition overlineThickness paintOrder pointerEvents renderingIntent
    shapeRendering stopColor stopOpacity strikethroughPosition strikethroughThickness
    strokeDasharray strokeDashoffset strokeLinecap strokeLinejoin strokeMiterlimit
    strokeOpacity strokeWidth textAnchor textDecoration textRendering transformOrigin
    underlinePosition underlineThickness unicodeBidi unicodeRange unitsPerEm vAlphabetic
    vHanging vIdeographic vMathematical vectorEffect vertAdvY vertOriginX vertOriginY
    wordSpacing writingMode
"""
_KEBAB = frozenset(_KEBAB_NAMES.split())
_NAME = re.compile(r"[A-Za-z_][\w.:-]*")
_UNSAFE = re.compile(r"javascript:|url\(\s*['\"]?(?!#)|expression\(|@import", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class SvgOptions:
    """How a layout becomes SVG."""

    title: str = "Diagram"
    description: str = ""
    """What is to see, for those who cannot see it."""
    prefix: str = "d-"
    """Begins every id, so that several diagrams can stand in one page."""
    images: ImageFolder = field(default_factory=ImageFolder)
    """Where the pictures of Image shapes are."""
    tex_labels: bool = False
    """Write formulas as `$...$` for LaTeX instead of outlines."""
    cropped: tuple[float, float, float, float] | None = None
    """Left, top, width and height of what is drawn; kept as metadata."""


def draw_svg(shapes: Sequence[Shape], canvas: Canvas, options: SvgOptions | None = None) -> str:
    """The SVG text of shapes whose numbers are known.

    Args:
        shapes: Roots in draw order, made by `with_numbers`.
        canvas: Its size becomes the viewBox.
        options: Title, description, pictures.
    """
    return _Painter(canvas, options or SvgOptions()).document(shapes)


def path_data(commands: Sequence[Any], canvas: Canvas) -> str:
    """The `d` attribute of a path; coordinates are turned to the screen's."""
    parts: list[str] = []
    for command in commands:
        letter, numbers = command.letter, list(command.numbers)
        if letter == "A":
            rx, ry, rotation, large, sweep, x, y = numbers
            flags = [f"{1 if flag else 0}" for flag in (large, sweep)]
            shown = [_n(rx), _n(ry), _n(rotation), *flags, *_point(x, y, canvas)]
        else:
            pairs = zip(numbers[::2], numbers[1::2], strict=False)
            shown = [one for x, y in pairs for one in _point(x, y, canvas)]
        parts.append(" ".join((letter, *shown)))
    return " ".join(parts)


def _n(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else "0"


def _point(x: float, y: float, canvas: Canvas) -> tuple[str, str]:
    return _n(canvas.width / 2 + x), _n(canvas.height / 2 - y)


Attributes = dict[str, Any]


class _Painter:
    def __init__(self, canvas: Canvas, options: SvgOptions) -> None:
        self.canvas = canvas
        self.options = options
        self.n_id = 0
        self.painters: dict[str, Callable[[Shape], str]] = {
            "Circle": self._circle,
            "Ellipse": self._ellipse,
            "Rectangle": self._rectangle,
            "Line": self._line,
            "Path": self._path,
            "Polygon": self._polygon,
            "Polyline": self._polygon,
            "Text": self._text,
            "Equation": self._equation,
            "Image": self._image,
            "Group": self._group,
        }

    def document(self, shapes: Sequence[Shape]) -> str:
        options, prefix = self.options, self.options.prefix
        described = f"{prefix}title {prefix}desc" if options.description else f"{prefix}title"
        head: Attributes = {
            "xmlns": "http://www.w3.org/2000/svg",
            "xmlns:xlink": "http://www.w3.org/1999/xlink",
            "version": "1.2",
            "viewBox": f"0 0 {_n(self.canvas.width)} {_n(self.canvas.height)}",
            "role": "img",
            "aria-labelledby": described,
            "penrose": "0",
        }
        parts = [f"<svg{attributes(head)}>", self._titled("title", options.title)]
        if options.description:
            parts.append(self._titled("desc", options.description))
        if options.cropped is not None:
            box = " ".join(_n(x) for x in options.cropped)
            parts.append(
                '<metadata><croppedViewBox xmlns="https://penrose.cs.cmu.edu/croppedViewBox">'
                f"{box}</croppedViewBox></metadata>"
            )
        parts.extend(self._shape(shape) for shape in shapes)
        parts.append("</svg>\n")
        return "\n".join(parts)

    def _titled(self, tag: str, content: str) -> str:
        return f'<{tag} id="{self.options.prefix}{tag}">{text(content)}</{tag}>'

    def _shape(self, shape: Shape) -> str:
        return self.painters[shape.kind](shape)

    def _id(self, shape: Shape, role: str) -> str:
        self.n_id += 1
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", shape.name).strip("-")
        return f"{self.options.prefix}{stem}-{role}-{self.n_id}"

    # Attributes.

    def _element(self, tag: str, shape: Shape, own: Attributes, body: str = "") -> str:
        title = f"<title>{text(shape.name)}</title>"
        return f"<{tag}{attributes(_with_passed(own, shape))}>{title}{body}</{tag}>"

    def _screen(self, point: Sequence[float]) -> tuple[float, float]:
        x, y = self.canvas.width / 2 + point[0], self.canvas.height / 2 - point[1]
        return (x if math.isfinite(x) else 0.0, y if math.isfinite(y) else 0.0)

    def _box(self, shape: Shape) -> tuple[float, float, float, float]:
        """Left, top, width and height on the screen."""
        x, y = self._screen(shape["center"])
        width, height = max(shape["width"], 0.0), max(shape["height"], 0.0)
        return x - width / 2, y - height / 2, width, height

    def _rotation(self, shape: Shape) -> str:
        x, y = self._screen(shape["center"])
        turn = shape["rotation"]
        return f"rotate({_n(turn)}, {_n(x)}, {_n(y)})" if turn else ""

    # Shapes.

    def _circle(self, shape: Shape) -> str:
        x, y = self._screen(shape["center"])
        own = {**_fill(shape), **_stroke(shape), "cx": x, "cy": y, "r": max(shape["r"], 0.0)}
        return self._element("circle", shape, own)

    def _ellipse(self, shape: Shape) -> str:
        x, y = self._screen(shape["center"])
        radii = {"rx": max(shape["rx"], 0.0), "ry": max(shape["ry"], 0.0)}
        own = {**_fill(shape), **_stroke(shape), "cx": x, "cy": y, **radii}
        return self._element("ellipse", shape, own)

    def _rectangle(self, shape: Shape) -> str:
        x, y, width, height = self._box(shape)
        own: Attributes = {
            **_fill(shape), **_stroke(shape), "x": x, "y": y, "width": width, "height": height,
        }  # fmt: skip
        if shape["cornerRadius"] > 0:
            own["rx"] = shape["cornerRadius"]
        if self._rotation(shape):
            own["transform"] = self._rotation(shape)
        return self._element("rect", shape, own)

    def _polygon(self, shape: Shape) -> str:
        scale = shape["scale"]
        points = [self._screen((scale * x, scale * y)) for x, y in shape["points"]]
        own: Attributes = {**_fill(shape), **_stroke(shape)}
        own["points"] = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        return self._element(shape.kind.lower(), shape, own)

    def _line(self, shape: Shape) -> str:
        start, end = self._shortened(shape)
        (x1, y1), (x2, y2) = self._screen(start), self._screen(end)
        own: Attributes = {**_stroke(shape), "x1": x1, "y1": y1, "x2": x2, "y2": y2}
        markers = self._markers(shape, own)
        line = f"<line{attributes(own)}/>"
        return self._element("g", shape, {}, markers + line)

    def _shortened(self, shape: Shape) -> tuple[Sequence[float], Sequence[float]]:
        """The ends of the stroke: an arrow's tip, not its line, reaches the end point."""
        start, end, width = shape["start"], shape["end"], shape["strokeWidth"]
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy)
        if not length or not math.isfinite(length):
            return start, end
        ends = [start, end]
        for index, (role, sign) in enumerate((("start", 1), ("end", -1))):
            head = ARROWHEADS.get(shape[f"{role}Arrowhead"])
            if head is None:
                continue
            is_flipped = role == "start" and shape["flipStartArrowhead"]
            overhang = head.ref_x if is_flipped else head.overhang
            cut = sign * overhang * shape[f"{role}ArrowheadSize"] * width / length
            ends[index] = (ends[index][0] + cut * dx, ends[index][1] + cut * dy)
        return ends[0], ends[1]

    def _markers(self, shape: Shape, own: Attributes) -> str:
        parts: list[str] = []
        for role in ("start", "end"):
            head = ARROWHEADS.get(shape[f"{role}Arrowhead"])
            if head is None:
                continue
            name = self._id(shape, role)
            is_flipped = role == "start" and shape["flipStartArrowhead"]
            parts.append(_marker(shape, name, head, shape[f"{role}ArrowheadSize"], is_flipped))
            own[f"marker-{role}"] = f"url(#{name})"
        return f"<defs>{''.join(parts)}</defs>" if parts else ""

    def _path(self, shape: Shape) -> str:
        own: Attributes = {**_fill(shape), **_stroke(shape)}
        own["d"] = path_data(shape["d"], self.canvas)
        markers = self._markers(shape, own)
        if not markers:
            return self._element("path", shape, own)
        return self._element("g", shape, {}, f"{markers}<path{attributes(own)}/>")

    def _text(self, shape: Shape) -> str:
        x, y = self._screen(shape["center"])
        own: Attributes = {**_fill(shape), **_stroke(shape), "x": x}
        own["y"] = y + shape["height"] / 2 - shape["descent"]
        own["text-anchor"] = shape["textAnchor"]
        for name in ("visibility", "fontSizeAdjust"):
            if shape[name]:
                own[_svg_name(name)] = shape[name]
        for name in ("alignmentBaseline", "dominantBaseline"):
            if shape[name] not in ("", "alphabetic"):
                own[_svg_name(name)] = shape[name]
        if self._rotation(shape):
            own["transform"] = self._rotation(shape)
        own["style"] = f"font: {_font(shape)};"
        try:
            size = pixels(shape["fontSize"])
        except FontSizeError as error:
            raise LayoutError("Fatal", str(error)) from error
        content = shape["string"]
        length = advance_width(
            content, size, family=shape["fontFamily"], weight=shape["fontWeight"]
        )
        if length > 0 and len(content.strip()) > 1:
            own |= {"textLength": round(length, 3), "lengthAdjust": "spacingAndGlyphs"}
        return self._element("text", shape, own, text(content))

    def _equation(self, shape: Shape) -> str:
        left, top, width, height = self._box(shape)
        if self.options.tex_labels:
            own: Attributes = {**_fill(shape), "text-anchor": "middle", "x": left + width / 2}
            own["y"] = top + height - shape["descent"]
            return self._element("text", shape, own, text(f"${shape['string']}$"))
        formula = set_formula(shape["string"])
        scale = width / formula.width, height / formula.height
        move = f"translate({_n(left)}, {_n(top)})"
        inner = (
            f"scale({_n(scale[0])}, {_n(scale[1])}) "
            f"translate({_n(-formula.left)}, {_n(-formula.top)})"
        )
        turned = f"{self._rotation(shape)} {move}".strip()
        body = f'<g transform="{inner}">{formula.outlines}</g>'
        own = {"transform": turned, **_fill(shape), "stroke": "none"}
        own["aria-label"] = shape["string"]
        return self._element("g", shape, own, body)

    def _image(self, shape: Shape) -> str:
        left, top, width, height = self._box(shape)
        href, ratio = shape["href"], shape["preserveAspectRatio"]
        try:
            data = self.options.images.read(href)
            picture = inline_svg(data, self._id(shape, "image") + "-", width, height, ratio)
        except LayoutError:  # the program's warnings tell why
            picture = missing_frame(href, width, height)
        move = f"{self._rotation(shape)} translate({_n(left)}, {_n(top)})".strip()
        return self._element("g", shape, {"transform": move}, picture)

    def _group(self, shape: Shape) -> str:
        clip = shape["clipPath"].contents
        members = [one for one in shape["shapes"] if one is not clip]
        if clip is None:
            return self._element("g", shape, {}, "".join(self._shape(one) for one in members))
        name = self._id(shape, "clip")
        parts = [f'<clipPath id="{name}">{self._shape(clip)}</clipPath>']
        parts += [f'<g clip-path="url(#{name})">{self._shape(one)}</g>' for one in members]
        return self._element("g", shape, {}, "".join(parts))


def _fill(shape: Shape) -> Attributes:
    color = shape["fillColor"]
    if color.space == "none":
        return {"fill": "none"}
    return {"fill": paint(color), "fill-opacity": opacity(color)}


def _stroke(shape: Shape) -> Attributes:
    color, properties = shape["strokeColor"], shape.properties
    if color.space == "none":
        return {"stroke": "none"}
    own: Attributes = {
        "stroke": paint(color),
        "stroke-opacity": opacity(color),
        "stroke-width": max(shape["strokeWidth"], 0.0),
    }
    if shape["strokeDasharray"]:
        own["stroke-dasharray"] = shape["strokeDasharray"]
    elif shape["strokeStyle"] == "dashed":
        own["stroke-dasharray"] = _DASHES
    if "strokeLinecap" in properties and shape["strokeLinecap"]:
        own["stroke-linecap"] = shape["strokeLinecap"]
    return own


def _marker(shape: Shape, name: str, head: Arrowhead, size: float, is_flipped: bool) -> str:
    color = shape["strokeColor"]
    own: Attributes = {
        "id": name,
        "markerUnits": "strokeWidth",
        "markerWidth": head.width * size,
        "markerHeight": head.height * size,
        "viewBox": f"0 0 {_n(head.width)} {_n(head.height)}",
        "refX": head.ref_x,
        "refY": head.ref_y,
        "orient": "auto" if is_flipped else "auto-start-reverse",
    }
    look: Attributes = {"d": head.path}
    if head.is_filled:
        look |= {"fill": paint(color), "fill-opacity": opacity(color)}
    else:
        look |= {"fill": "none", "stroke": paint(color), "stroke-opacity": opacity(color)}
        look |= {"stroke-linecap": "round"}
    return f"<marker{attributes(own)}><path{attributes(look)}/></marker>"


def _font(shape: Shape) -> str:
    """The CSS shorthand; parts that are empty are left out."""
    size = shape["fontSize"] + (f"/{shape['lineHeight']}" if shape["lineHeight"] else "")
    words = [shape[f"font{part}"] for part in ("Style", "Variant", "Weight", "Stretch")]
    rule = " ".join(word for word in (*words, size, shape["fontFamily"]) if word)
    return re.sub(r"[;{}<>]", "", rule)


def _svg_name(name: str) -> str:
    if name in _KEBAB:
        return _CAMEL.sub(r"-\1", name).lower()
    return name


def _with_passed(own: Attributes, shape: Shape) -> Attributes:
    """Attributes of the shape and those passed through; what the shape sets itself wins."""
    result = dict(own)
    for name, value in shape.passthrough.items():
        shown = value.contents if isinstance(value.contents, str) else _n(float(value.contents))  # type: ignore[arg-type]  # a number by now
        svg_name = _svg_name(name)
        is_safe = _NAME.fullmatch(svg_name) and not svg_name.lower().startswith(("on", "xmlns"))
        if not shown or not is_safe or _UNSAFE.search(shown) or "href" in svg_name.lower():
            continue
        if svg_name == "style":
            result["style"] = f"{result.get('style', '')}{shown}"
        else:
            result.setdefault(svg_name, shown)
    return result
