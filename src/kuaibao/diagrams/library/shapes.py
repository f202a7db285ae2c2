"""The 11 shapes: their properties, defaults and the order in which defaults are drawn.

Drawn defaults are unknowns of the layout: positions anywhere on the canvas, sizes from 3 to a
sixth of it, colours from 0.1 to 0.9. Within a shape fill comes first, then position, then sizes.
"""

from __future__ import annotations

from collections.abc import Callable

from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import SHAPE_KINDS
from kuaibao.diagrams.values import (
    BoolV,
    ClipDataV,
    ColorV,
    FloatV,
    PathDataV,
    PtListV,
    ShapeListV,
    StrV,
    Value,
    VectorV,
)

__all__ = ["SHAPE_KINDS", "make_defaults", "property_names"]

Properties = dict[str, Value]


def _color(context: Context) -> ColorV:
    return ColorV("rgba", [*(context.unknown(0.1, 0.9) for _ in range(3)), 0.5])


def _center(context: Context) -> VectorV:
    return VectorV(
        [context.unknown(*context.canvas.x_range), context.unknown(*context.canvas.y_range)]
    )


def _across(context: Context) -> FloatV:
    return FloatV(context.unknown(3.0, context.canvas.width / 6))


def _down(context: Context) -> FloatV:
    return FloatV(context.unknown(3.0, context.canvas.height / 6))


def _black() -> ColorV:
    return ColorV("rgba", [0.0, 0.0, 0.0, 1.0])


def _stroke(width: float = 0.0) -> Properties:
    return {
        "strokeWidth": FloatV(width),
        "strokeStyle": StrV("solid"),
        "strokeColor": _black() if width else ColorV("none"),
        "strokeDasharray": StrV(""),
    }


def _arrows() -> Properties:
    return {
        "startArrowheadSize": FloatV(1.0),
        "startArrowhead": StrV("none"),
        "flipStartArrowhead": BoolV(False),
        "endArrowheadSize": FloatV(1.0),
        "endArrowhead": StrV("none"),
    }


def _circle(context: Context) -> Properties:
    fill, center, r = _color(context), _center(context), _across(context)
    return {**_stroke(), "fillColor": fill, "center": center, "r": r}


def _ellipse(context: Context) -> Properties:
    fill, center = _color(context), _center(context)
    rx, ry = _across(context), _down(context)
    return {**_stroke(), "fillColor": fill, "center": center, "rx": rx, "ry": ry}


def _rectangle(context: Context) -> Properties:
    fill, center = _color(context), _center(context)
    width, height = _across(context), _down(context)
    return {
        **_stroke(),
        "fillColor": fill,
        "center": center,
        "width": width,
        "height": height,
        "cornerRadius": FloatV(0.0),
        "rotation": FloatV(0.0),
    }


def _image(context: Context) -> Properties:
    center, width, height = _center(context), _across(context), _down(context)
    return {
        "center": center,
        "width": width,
        "height": height,
        "rotation": FloatV(0.0),
        "href": StrV("defaultImage"),
        "preserveAspectRatio": StrV(""),
    }


def _line(context: Context) -> Properties:
    start, end = _center(context), _center(context)
    return {
        **_stroke(1.0),
        **_arrows(),
        "start": start,
        "end": end,
        "strokeLinecap": StrV(""),
        "fillColor": ColorV("none"),
    }


def _path(_: Context) -> Properties:
    return {
        **_stroke(1.0),
        **_arrows(),
        "strokeLinecap": StrV("butt"),
        "fillColor": ColorV("none"),
        "d": PathDataV([]),
    }


def _triangle() -> PtListV:
    return PtListV([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0]])


def _polygon(context: Context) -> Properties:
    fill = _color(context)
    return {**_stroke(), "fillColor": fill, "scale": FloatV(1.0), "points": _triangle()}


def _polyline(_: Context) -> Properties:
    return {
        **_stroke(1.0),
        "strokeLinecap": StrV("butt"),
        "fillColor": ColorV("none"),
        "scale": FloatV(1.0),
        "points": _triangle(),
    }


def _measures(context: Context) -> Properties:
    names = ("width", "height", "ascent", "descent")
    return {name: FloatV(context.given(0.0, name)) for name in names}


def _text(context: Context) -> Properties:
    center = _center(context)
    empty = ("visibility", "fontSizeAdjust", "fontStretch", "fontStyle", "fontVariant")
    return {
        **_stroke(),
        "fillColor": _black(),
        "center": center,
        **_measures(context),
        "rotation": FloatV(0.0),
        "string": StrV("defaultText"),
        **{name: StrV("") for name in (*empty, "fontWeight", "lineHeight")},
        "fontFamily": StrV("sans-serif"),
        "fontSize": StrV("12px"),
        "textAnchor": StrV("middle"),
        "alignmentBaseline": StrV("alphabetic"),
        "dominantBaseline": StrV("alphabetic"),
    }


def _equation(context: Context) -> Properties:
    center = _center(context)
    return {
        "fillColor": _black(),
        "center": center,
        **_measures(context),
        "rotation": FloatV(0.0),
        "string": StrV("defaultLabelText"),
        "fontSize": StrV("16px"),
    }


def _group(_: Context) -> Properties:
    return {"shapes": ShapeListV([]), "clipPath": ClipDataV()}


_MAKERS: dict[str, Callable[[Context], Properties]] = {
    "Circle": _circle,
    "Ellipse": _ellipse,
    "Equation": _equation,
    "Group": _group,
    "Image": _image,
    "Line": _line,
    "Path": _path,
    "Polygon": _polygon,
    "Polyline": _polyline,
    "Rectangle": _rectangle,
    "Text": _text,
}


def make_defaults(kind: str, context: Context) -> Properties:
    """All properties of a shape kind with fresh unknowns; `name` is empty.

    Text and Equation get four inputs with the value 0 (`width`, `height`, `ascent`, `descent`):
    whoever measures sets `graph.inputs[...].start`, or replaces the properties.
    """
    return {"name": StrV(""), **_MAKERS[kind](context), "ensureOnCanvas": BoolV(True)}


def property_names(kind: str) -> tuple[str, ...]:
    """The names of a kind's properties, in order."""
    return tuple(make_defaults(kind, Context()))
