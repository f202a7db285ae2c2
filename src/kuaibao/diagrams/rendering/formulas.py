"""TeX formulas as outlines, by ziamath: sizes for the layout, paths for the picture.

A formula is set once at `EM` units and kept (in memory and on disk, by its text), so that drawing
the same diagram again does not even load the typesetter.
"""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any

from kuaibao.diagrams.library.context import Measure
from kuaibao.diagrams.rendering.tex import FormulaError, prepare_tex

__all__ = ["EM", "MAX_TEX", "Formula", "FormulaError", "measure_formula", "set_formula"]

EM = 100.0
"""Units of one em in which formulas are kept."""
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
    """Set a formula.

    Raises:
        FormulaError: The TeX cannot be set; says which command it was, if that is known.
    """
    if len(tex) > MAX_TEX:
        raise FormulaError(f"the formula is longer than {MAX_TEX} characters")
    prepared = prepare_tex(tex)
    try:
        import ziamath as typesetter

        ziamath: Any = typesetter
        ziamath.config.svg2 = False
        node: Any = ziamath.Latex(prepared, size=EM, inline=True)
        picture: ElementTree.Element = node.svgxml()
        box: Any = node.node.bbox
    except FormulaError:
        raise
    except Exception as error:  # the typesetter raises its own and plain Python errors alike
        raise FormulaError(f"cannot set ${tex}$: {_reason(error)}") from error
    width = max(float(box.xmax) - float(box.xmin), 1.0)
    height = max(float(box.ymax) - float(box.ymin), 1.0)
    return Formula(float(box.xmin), -float(box.ymax), width, height, _outlines(picture))


def _reason(error: Exception) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"{name} {error}".strip()


def _outlines(picture: ElementTree.Element) -> str:
    parts: list[str] = []
    for element in picture.iter():
        tag = element.tag.rpartition("}")[2]
        if tag not in ("path", "rect"):
            continue
        kept = {k: v for k, v in element.attrib.items() if k not in ("fill", "stroke", "class")}
        for paint in ("fill", "stroke"):
            value = element.attrib.get(paint, "")
            if value and value not in ("black", "none"):
                kept[paint] = value
        if element.attrib.get("fill") == "none":
            kept["fill"] = "none"
        body = " ".join(f'{k}="{_escaped(v)}"' for k, v in kept.items())
        parts.append(f"<{tag} {body}/>")
    return "".join(parts)


def _escaped(value: str) -> str:
    value = value.strip().replace("&", "&amp;").replace('"', "&quot;")
    return value.replace("<", "&lt;").replace(">", "&gt;")
