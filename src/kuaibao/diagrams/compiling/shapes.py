"""Shapes out of their properties: types checked, texts measured, the rest passed through."""

from __future__ import annotations

from typing import Any

from kuaibao.diagrams.compiling.paths import CompileProblem
from kuaibao.diagrams.language.source import Span
from kuaibao.diagrams.library import Argument, Measure
from kuaibao.diagrams.rendering.formulas import FormulaError, measure_formula
from kuaibao.diagrams.rendering.text_metrics import FontSizeError, measure_text, pixels
from kuaibao.diagrams.values import (
    FloatV,
    ListV,
    LListV,
    MatrixV,
    PtListV,
    Shape,
    ShapeListV,
    StrV,
    TupV,
    Value,
    VectorV,
)

__all__ = ["MEASURED", "TEXT_PROPERTIES", "fit_property", "measure", "pass_through"]

MEASURED = frozenset(("width", "height", "ascent", "descent"))
"""Properties of Text and Equation that come from the font."""
TEXT_PROPERTIES = ("string", "fontSize", "fontFamily", "fontWeight", "fontStyle", "fontVariant")
"""Properties that the measures depend on."""


def fit_property(kind: str, name: str, given: Argument, default: Value, span: Span) -> Value:
    """A value as the property of a shape wants it; lists, vectors and tuples stand for each other.

    Raises:
        CompileProblem: `BadShapeParamTypeError`.
    """
    if type(given) is type(default):
        return given  # type: ignore[return-value]  # the same class, hence no Shape
    match default, given:
        case VectorV(), ListV(row) | TupV(row):
            return VectorV(row)
        case PtListV(), LListV(rows) | MatrixV(rows):
            return PtListV(rows)
        case ShapeListV(), VectorV([]) | ListV([]):
            return ShapeListV([])
        case PtListV(), VectorV([]) | ListV([]):
            return PtListV([])
        case _:
            found = given.kind if isinstance(given, Shape) else type(given).__name__
            raise CompileProblem(
                "BadShapeParamTypeError",
                f"property {name} of {kind} must be {type(default).__name__}, not {found}",
                span,
            )


def pass_through(name: str, given: Argument, span: Span) -> FloatV | StrV:
    """A property that the shape does not know, for the SVG.

    Raises:
        CompileProblem: `BadShapeParamTypeError` if it is neither number nor string.
    """
    if isinstance(given, FloatV | StrV):
        return given
    found = given.kind if isinstance(given, Shape) else type(given).__name__
    raise CompileProblem(
        "BadShapeParamTypeError",
        f"{name} is passed on to SVG, so it must be a number or a string, not {found}",
        span,
    )


def measure(kind: str, properties: dict[str, Any], span: Span) -> Measure:
    """The size of a Text or Equation in pixels.

    Args:
        kind: `Text` or `Equation`.
        properties: The strings of `TEXT_PROPERTIES` that the kind has.
        span: Where the shape stands.

    Raises:
        CompileProblem: `Fatal` for an empty equation, TeX that cannot be set, or a font size in
            other units than px, in, cm, mm, pt.
    """
    try:
        size = pixels(properties["fontSize"])
        if kind == "Equation":
            if not properties["string"].strip():
                raise CompileProblem("Fatal", "the string of an Equation is empty", span)
            return measure_formula(properties["string"], size)
        return measure_text(
            properties["string"],
            size,
            family=properties["fontFamily"],
            weight=properties["fontWeight"],
            style=properties["fontStyle"],
        )
    except (FormulaError, FontSizeError) as error:
        raise CompileProblem("Fatal", str(error), span) from error
