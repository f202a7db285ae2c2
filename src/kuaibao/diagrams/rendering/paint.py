"""Colours and numbers as SVG writes them."""

from __future__ import annotations

import math
from html import escape

from kuaibao.diagrams.values import ColorV

__all__ = ["attributes", "number", "opacity", "paint", "rgb", "text"]


def number(value: float) -> str:
    """A number in at most ten digits; what is not finite becomes 0."""
    if not math.isfinite(value):
        return "0"
    shown = f"{value:.10g}"
    return "0" if shown == "-0" else shown


def rgb(color: ColorV) -> tuple[float, float, float]:
    """Red, green and blue from 0 to 1; black for no paint."""
    if color.space == "none":
        return (0.0, 0.0, 0.0)
    a, b, c = (float(x) for x in list(color.contents)[:3])  # type: ignore[arg-type]  # numbers by now
    if color.space == "rgba":
        return (_clamped(a), _clamped(b), _clamped(c))
    return _from_hsv(a, b, c)


def _clamped(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def _from_hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Hue in degrees, saturation and value in percent."""
    if not math.isfinite(hue):
        hue = saturation = 0.0
    s, v = _clamped(saturation / 100), _clamped(value / 100)

    def channel(offset: float) -> float:
        k = (offset + hue / 60) % 6
        return v - v * s * max(0.0, min(k, 4 - k, 1.0))

    return (channel(5), channel(3), channel(1))


def paint(color: ColorV) -> str:
    """`#rrggbb`, or `none`."""
    if color.space == "none":
        return "none"
    return "#" + "".join(f"{math.floor(255 * x + 0.5):02x}" for x in rgb(color))


def opacity(color: ColorV) -> float:
    """The alpha of a colour, 1 for no paint."""
    if color.space == "none":
        return 1.0
    return _clamped(float(color.contents[3]))  # type: ignore[arg-type]  # a number by now


def text(value: str) -> str:
    """Character data, without what XML does not allow."""
    return escape(_allowed(value), quote=False)


def attributes(pairs: dict[str, str | float]) -> str:
    """` name="value"` for each pair, ready to stand in a tag."""
    parts: list[str] = []
    for name, value in pairs.items():
        shown = value if isinstance(value, str) else number(value)
        parts.append(f' {name}="{_quoted(shown)}"')
    return "".join(parts)


def _allowed(value: str) -> str:
    return "".join(c for c in value if c >= " " or c in "\t\n\r")


def _quoted(value: str) -> str:
    """An attribute's value; line ends are kept by reference, or XML would make them spaces."""
    return escape(_allowed(value)).translate({9: "&#9;", 10: "&#10;", 13: "&#13;"})
