"""The library of Style: 11 shapes, 34 constraints, 24 objectives, 228 functions, as rows."""

from importlib import import_module

from kuaibao.diagrams.library.context import Canvas, Context, Measure
from kuaibao.diagrams.library.manual import library_json, library_page, library_text
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
    "library_json",
    "library_page",
    "library_text",
    "make_defaults",
    "property_names",
]

# Importing these fills the registries, in the order of the manual.
for _name in (
    "constraints", "containment", "ellipses", "objectives", "scalar_functions",
    "vector_functions", "matrix_functions", "cameras", "colors", "random_draws",
    "path_functions", "marks", "triangles", "curves", "query_functions",
):  # fmt: skip
    import_module(f"{__name__}.{_name}")
