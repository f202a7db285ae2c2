"""TeX formulas as outlines, by ziamath: sizes for the layout, paths for the picture.

A formula is set once at `EM` units and kept (in memory and on disk, by its text), so that drawing
the same diagram again does not even load the typesetter.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuaibao.diagrams.caching import cache_folder
from kuaibao.diagrams.library.context import Measure
from kuaibao.diagrams.rendering.tex import (
    FormulaError,
    prepare_tex,
    wide_characters,
)
from kuaibao.files import hash_value, write_json

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["EM", "MAX_TEX", "Formula", "FormulaError", "measure_formula", "set_formula"]

EM = 100.0
"""Units of one em in which formulas are kept."""
_FORM = 1
"""Of the kept formulas; another number makes old ones forgotten."""
MAX_TEX = 4_000
"""Longest TeX string that is set, in characters."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A set formula: its box in units of 1/`EM` em, the baseline at y = 0, y down."""

    left: float
    top: float
    width: float
    height: float
    outlines: str
    """SVG elements (`path` and `rect`) without fill, except where TeX asked for a colour."""

    def measure(self, size: float) -> Measure:
        """Its size in pixels at a font size in pixels."""
        scale = size / EM
        descent = (self.top + self.height) * scale
        return Measure(self.width * scale, self.height * scale, -self.top * scale, descent)


def measure_formula(tex: str, size: float) -> Measure:
    """The size of a formula in pixels.

    Raises:
        FormulaError: The TeX cannot be set.
    """
    return set_formula(tex).measure(size)


@functools.lru_cache(maxsize=4096)
def set_formula(tex: str) -> Formula:
    """Set a formula, or take it from this machine's cache.

    Raises:
        FormulaError: The TeX cannot be set; says which command it was, if that is known.
    """
    if len(tex) > MAX_TEX:
        raise FormulaError(f"the formula is longer than {MAX_TEX} characters")
    path = _kept(tex)
    formula = _load(path)
    if formula is None:
        formula = _typeset(tex)
        # A cache that cannot be written costs time, nothing else.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, dataclasses.asdict(formula))
    return formula


def _kept(tex: str) -> Path:
    """Where a formula is kept."""
    name = hash_value([tex, _FORM, version("ziamath"), EM])
    return cache_folder("formulas") / f"{name[-32:]}.json"


def _load(path: Path) -> Formula | None:
    try:
        return Formula(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _typeset(tex: str) -> Formula:
    prepared = prepare_tex(tex)
    try:
        import ziamath as typesetter

        ziamath: Any = typesetter
        ziamath.config.svg2 = False
        node: Any = ziamath.Latex(prepared, size=EM, inline=True)
        picture: Element = node.svgxml()
        box: Any = node.node.bbox
    except Exception as error:  # the typesetter raises its own and plain Python errors alike
        raise FormulaError(f"cannot set ${tex}$: {_reason(error)}") from error
    width = max(float(box.xmax) - float(box.xmin), 1.0)
    height = max(float(box.ymax) - float(box.ymin), 1.0)
    outlines = _outlines(picture, wide_characters(tex))
    return Formula(float(box.xmin), -float(box.ymax), width, height, outlines)


def _reason(error: Exception) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"{name} {error}".strip()


def _outlines(picture: Element, wide: str) -> str:
    parts: list[str] = []
    waiting = iter(wide)
    for element in picture.iter():
        tag = element.tag.rpartition("}")[2]
        if tag not in ("path", "rect"):
            continue
        kept = {k: v for k, v in element.attrib.items() if k not in ("fill", "stroke", "class")}
        if wide and tag == "path" and _is_square(kept.get("d", "")):
            character = next(waiting, "")
            if character:
                parts.append(_wide(kept["d"], character))
                continue
        for paint in ("fill", "stroke"):
            value = element.attrib.get(paint, "")
            if value and value not in ("black", "none"):
                kept[paint] = value
        if element.attrib.get("fill") == "none":
            kept["fill"] = "none"
        body = " ".join(f'{k}="{_escaped(v)}"' for k, v in kept.items())
        parts.append(f"<{tag} {body}/>")
    return "".join(parts)


def _numbers(outline: str) -> tuple[list[float], list[float]]:
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", outline)]
    return numbers[::2], numbers[1::2]


def _is_square(outline: str) -> bool:
    """Whether a glyph is an empty square: two nested outlines with four corners each."""
    xs, ys = _numbers(outline)
    if set(re.findall("[A-Z]", outline)) - set("MLHVZ") or len(set(xs)) != 4 or len(set(ys)) != 4:
        return False
    return abs((max(xs) - min(xs)) / (max(ys) - min(ys)) - 1) < 0.02


def _wide(outline: str, character: str) -> str:
    """A full-width character as text, in the place that a square has kept for it."""
    xs, ys = _numbers(outline)
    left, right, bottom = min(xs), max(xs), max(ys)
    # The ink of the square is 0.88 of its advance, and reaches a tenth below the baseline.
    size = (right - left) / 0.88
    x, y = left - 0.06 * size, bottom - 0.1 * size
    place = f'x="{x:.6g}" y="{y:.6g}" font-size="{size:.6g}" font-family="serif"'
    return f"<text {place}>{_escaped(character)}</text>"


def _escaped(value: str) -> str:
    value = value.strip().replace("&", "&amp;").replace('"', "&quot;")
    return value.replace("<", "&lt;").replace(">", "&gt;")
