"""Functions that make colours."""

from __future__ import annotations

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import BodyProblem, function
from kuaibao.diagrams.opcodes import UNARY_BY_NAME
from kuaibao.diagrams.scalars import divide, equal, select, unary
from kuaibao.diagrams.values import ColorV

__all__: list[str] = []

_GROUP = "Colours"


@function(
    _GROUP,
    "r: Unit -- red; g: Unit -- green; b: Unit -- blue; a: Unit -- opacity",
    "Color",
    "A colour by red, green, blue and opacity, each from 0 to 1.",
)
def rgba(_: Context, r: Scalar, g: Scalar, b: Scalar, a: Scalar) -> ColorV:
    return ColorV("rgba", [r, g, b, a])


@function(
    _GROUP,
    "h: Real -- hue; s: Real -- saturation; v: Real -- value; a: Unit -- opacity",
    "Color",
    "A colour by hue (degrees), saturation and value (0 to 100) and opacity (0 to 1).",
)
def hsva(_: Context, h: Scalar, s: Scalar, v: Scalar, a: Scalar) -> ColorV:
    return ColorV("hsva", [h, s, v, a])


@function(_GROUP, "", "Color", "No paint.")
def none(_: Context) -> ColorV:
    return ColorV("none")


@function(
    _GROUP,
    "color1: Color; color2: Color; level: Real",
    "Color",
    "The first colour at even levels, the second at odd ones.",
    name="selectColor",
)
def _select_color(_: Context, color1: ColorV, color2: ColorV, level: Scalar) -> ColorV:
    if color1.space != "rgba" or color2.space != "rgba":
        raise BodyProblem("both colours must be given by rgba or by #rrggbb")
    half = divide(level, 2.0)
    is_even = equal(half, unary(UNARY_BY_NAME["trunc"], half))
    pairs = zip(color1.contents, color2.contents, strict=True)
    return ColorV("rgba", [select(is_even, a, b) for a, b in pairs])


@function(
    _GROUP, "color: Color; frac: Unit", "Color", "The colour with its opacity times frac.",
    name="setOpacity",
)  # fmt: skip
def _set_opacity(_: Context, color: ColorV, frac: Scalar) -> ColorV:
    if color.space == "none":
        return color
    *rest, alpha = color.contents
    return ColorV(color.space, [*rest, frac * alpha])


@function(
    _GROUP,
    "alpha: Unit; colorType: ColorType",
    "Color",
    'A random colour, "rgb" (each part from 0.1 to 0.9) or "hsv" (a strong one of any hue).',
    name="sampleColor",
)
def _sample_color(context: Context, alpha: Scalar, color_type: str) -> ColorV:
    if color_type == "rgb":
        return ColorV("rgba", [*(context.draw(0.1, 0.9) for _ in range(3)), alpha])
    return ColorV("hsva", [context.draw(0.0, 360.0), 100.0, 80.0, alpha])
