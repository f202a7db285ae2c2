"""The size of texts without a browser: ink boxes from a table of glyph sizes.

The table (of DejaVu, written by `scripts/font_metrics.py`) comes with the package, so a program
lays itself out alike on every machine. Han, kana, hangul and full-width characters count one em.
The picture asks the viewer's font to fill the same length (`textLength`).
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
import unicodedata

from kuaibao.diagrams.library.context import Measure

__all__ = ["FontSizeError", "advance_width", "measure_text", "pixels"]

_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(px|in|cm|mm|pt)\s*")
_UNITS = {"px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72}
_WIDE = (1000, 60, 940, 840, -80)
"""Advance, left, right, top and bottom of a full-width character, in 1/1000 em."""
_MONO = re.compile(r"mono|courier|consolas|menlo|typewriter", re.IGNORECASE)
_SERIF = re.compile(
    r"(?<!sans[ -])serif|times|palatino|georgia|garamond|roman|song|cambria|baskerville",
    re.IGNORECASE,
)


class FontSizeError(ValueError):
    """A font size that is not a number with px, in, cm, mm or pt."""


def pixels(size: str) -> float:
    """A CSS font size in pixels.

    Raises:
        FontSizeError: It is not a number with one of the units px, in, cm, mm, pt.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise FontSizeError(f"font size {size!r} is not a number with px, in, cm, mm or pt")
    return float(match[1]) * _UNITS[match[2]]


def measure_text(
    text: str, size: float, *, family: str = "sans-serif", weight: str = "", style: str = ""
) -> Measure:
    """The ink box of one line: width from its leftmost to its rightmost ink.

    Args:
        text: Any characters; line ends count as spaces.
        size: Font size in pixels.
        family: CSS font family; the three generic families are told apart.
        weight: CSS font weight.
        style: CSS font style; italics are as wide as the upright.
    """
    boxes = [_box(character, _face(family, weight)) for character in _visible(text)]
    if not boxes:
        return Measure(0.0, 0.0, 0.0, 0.0)
    pen = 0
    left = right = None
    top = bottom = 0
    for advance, x0, x1, y1, y0 in boxes:
        if x1 > x0:
            left = pen + x0 if left is None else min(left, pen + x0)
            right = pen + x1 if right is None else max(right, pen + x1)
            top, bottom = max(top, y1), min(bottom, y0)
        pen += advance
    if left is None or right is None:
        return Measure(0.0, 0.0, 0.0, 0.0)
    scale = size / 1000
    # As in the browser's measure: what lies left of the start or right of it, both positive.
    width = (abs(left) + abs(right)) * scale if left < 0 else (right - min(left, 0)) * scale
    return Measure(width, (top - bottom) * scale, top * scale, -bottom * scale)


def advance_width(text: str, size: float, *, family: str = "sans-serif", weight: str = "") -> float:
    """How far the pen goes over a line, in pixels."""
    face = _face(family, weight)
    return sum(_box(character, face)[0] for character in _visible(text)) * size / 1000


def _visible(text: str) -> str:
    return "".join(" " if c in "\n\r\t" else c for c in text if not unicodedata.combining(c))


def _face(family: str, weight: str) -> str:
    is_bold = weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 600)
    if _MONO.search(family):
        return "mono"
    face = "serif" if _SERIF.search(family) else "sans"
    return f"{face}_bold" if is_bold else face


@functools.cache
def _table() -> dict[str, dict[str, tuple[int, int, int, int, int]]]:
    path = importlib.resources.files("kuaibao.diagrams.rendering").joinpath("font_metrics.json")
    return json.loads(path.read_text(encoding="utf-8"))


def _box(character: str, face: str) -> tuple[int, int, int, int, int]:
    rows = _table()[face]
    found = rows.get(character)
    if found is not None:
        return found
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    plain = unicodedata.normalize("NFKD", character)
    found = rows.get(plain[0]) if plain and plain[0] != character else None
    return found or rows["n"]
