"""The library of Style: 11 shapes, 34 constraints, 24 objectives, 228 functions, as rows."""

from kuaibao.diagrams.library.context import Canvas, Context, Measure
from kuaibao.diagrams.library.rows import (
    LIBRARY,
    SHAPE_KINDS,
    Argument,
    ArgumentProblem,
    BodyProblem,
    Param,
    Row,
    argument_kind,
    check_arguments,
    evaluate,
)
from kuaibao.diagrams.library.shapes import make_defaults, property_names

__all__ = [
    "LIBRARY",
    "SHAPE_KINDS",
    "Argument",
    "ArgumentProblem",
    "BodyProblem",
    "Canvas",
    "Context",
    "Measure",
    "Param",
    "Row",
    "argument_kind",
    "check_arguments",
    "evaluate",
    "make_defaults",
    "property_names",
]
