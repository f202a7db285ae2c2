"""The library as a table: each entry is a row with parameters, text and body.

From the row come the check of the arguments, the error message and the manual. A body is a
function `body(context, *arguments)` over plain Python values (see `_PLAIN`); a constraint or an
objective gives a scalar, a function what `returns` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kuaibao.diagrams.graph import Node, Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.values import (
    BoolV,
    ClipDataV,
    ColorV,
    FloatV,
    ListV,
    LListV,
    MatrixV,
    PathDataListV,
    PathDataV,
    PtListV,
    Shape,
    ShapeListV,
    StrV,
    TupV,
    Value,
    VectorV,
)

__all__ = [
    "LIBRARY",
    "RECTLIKE",
    "SHAPE_KINDS",
    "Argument",
    "ArgumentProblem",
    "BodyProblem",
    "Library",
    "Param",
    "Row",
    "argument_kind",
    "check_arguments",
    "constraint",
    "evaluate",
    "function",
    "objective",
    "whole",
]

Argument: TypeAlias = Value | Shape
SHAPE_KINDS = (
    "Circle", "Ellipse", "Equation", "Group", "Image", "Line", "Path", "Polygon", "Polyline",
    "Rectangle", "Text",
)  # fmt: skip
RECTLIKE = frozenset({"Equation", "Image", "Rectangle", "Text"})
_REQUIRED: Any = object()


@dataclass(frozen=True)
class Param:
    """One parameter: a type of the 18, a shape kind, `AnyShape`, `Rectlike`, or several by `|`."""

    name: str
    type: str
    default: Any = _REQUIRED
    doc: str = ""

    @property
    def required(self) -> bool:
        """Whether the argument may not be left out."""
        return self.default is _REQUIRED

    def __str__(self) -> str:
        """As the manual shows it: `padding: Real = 0`."""
        if self.required:
            return f"{self.name}: {self.type}"
        return f"{self.name}: {self.type} = {_show(self.default)}"


@dataclass(frozen=True)
class Row:
    """One entry of the library."""

    name: str
    kind: str
    """`constraint`, `objective` or `function`."""
    params: tuple[Param, ...]
    returns: str
    """The type of what a function gives; `Real` for constraints and objectives."""
    doc: str
    body: Callable[..., Any] = field(repr=False)
    group: str = ""
    """The heading in the manual."""

    @property
    def signature(self) -> str:
        """`name(a: Real, b: Real = 0) -> Real`."""
        arrow = f" -> {self.returns}" if self.kind == "function" else ""
        return f"{self.name}({', '.join(map(str, self.params))}){arrow}"


@dataclass(frozen=True)
class Library:
    """The three registries, filled when `kuaibao.diagrams.library` is imported."""

    constraints: dict[str, Row] = field(default_factory=dict[str, Row])
    objectives: dict[str, Row] = field(default_factory=dict[str, Row])
    functions: dict[str, Row] = field(default_factory=dict[str, Row])

    def of_kind(self, kind: str) -> Mapping[str, Row]:
        """The registry of `constraint`, `objective` or `function`."""
        return {
            "constraint": self.constraints,
            "objective": self.objectives,
            "function": self.functions,
        }[kind]


LIBRARY = Library()


class ArgumentProblem(Exception):
    """An argument list does not fit a row; whoever knows the place makes it an error with one.

    `tag` is `TooManyArguments`, `MissingArgument` or `BadArgumentType`; `index` is the position
    of the offending argument.
    """

    def __init__(self, tag: str, row: Row, index: int, message: str) -> None:
        super().__init__(message)
        self.tag = tag
        self.row = row
        self.index = index
        self.message = message


class BodyProblem(Exception):
    """The arguments have the right types but the entry can't work with them (lengths, ranges)."""


def whole(number: Scalar, name: str) -> int:
    """A number that counts or indexes, known while compiling.

    Raises:
        BodyProblem: it depends on an unknown or is not whole.
    """
    if isinstance(number, Node) or number != int(number):
        raise BodyProblem(f"'{name}' must be a whole number that is known before the layout")
    return int(number)


def _register(
    registry: dict[str, Row], kind: str, group: str, doc: str, params: str, returns: str, name: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        entry = name or body.__name__
        registry[entry] = Row(entry, kind, _parse_params(params), returns, doc, body, group)
        return body

    return decorate


def constraint(
    group: str, params: str, doc: str, *, name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated body as a constraint: satisfied where its value is not positive."""
    return _register(LIBRARY.constraints, "constraint", group, doc, params, "Real", name)


def objective(
    group: str, params: str, doc: str, *, name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated body as an objective: the smaller its value the better."""
    return _register(LIBRARY.objectives, "objective", group, doc, params, "Real", name)


def function(
    group: str, params: str, returns: str, doc: str, *, name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated body as a function of Style."""
    return _register(LIBRARY.functions, "function", group, doc, params, returns, name)


_DEFAULTS: dict[str, Any] = {"true": True, "false": False, "origin": (0.0, 0.0), '"ccw"': "ccw"}


def _parse_params(text: str) -> tuple[Param, ...]:
    """Parameters from `"x: Real | first value; padding: Real = 0 | margin"`."""
    params: list[Param] = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        head, _, doc = part.partition(" -- ")
        name, _, rest = head.partition(":")
        type_text, _, default = rest.partition("=")
        value: Any = _REQUIRED
        if default:
            word = default.strip()
            value = _DEFAULTS[word] if word in _DEFAULTS else float(word)
        params.append(Param(name.strip(), type_text.strip(), value, doc.strip()))
    return tuple(params)


def _show(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return "(0, 0)"
    return f'"{default}"'


def argument_kind(argument: Argument) -> str:
    """What an argument is, for messages: `Circle`, `FloatV`, `VectorV of 3`."""
    if isinstance(argument, Shape):
        return argument.kind
    kind = type(argument).__name__
    if isinstance(argument, VectorV | ListV | TupV):
        return f"{kind} of {len(argument.contents)}"
    return kind


def check_arguments(row: Row, arguments: Sequence[Argument | None]) -> list[Any]:
    """The plain values for a row's body; defaults fill what is missing.

    Raises:
        ArgumentProblem: too many arguments, one missing without a default, or one of another type.
    """
    if len(arguments) > len(row.params):
        n = len(row.params)
        raise ArgumentProblem(
            "TooManyArguments", row, n,
            f"{row.name} takes at most {n} argument{'s' * (n != 1)}, got {len(arguments)}",
        )  # fmt: skip
    plain: list[Any] = []
    for index, param in enumerate(row.params):
        argument = arguments[index] if index < len(arguments) else None
        if argument is None:
            if param.required:
                raise ArgumentProblem(
                    "MissingArgument", row, index,
                    f"{row.name} needs the argument '{param.name}' ({param.type})",
                )  # fmt: skip
            plain.append(param.default)
            continue
        for choice in param.type.split("|"):
            value = _coerce(choice, argument)
            if value is not None:
                plain.append(value)
                break
        else:
            raise ArgumentProblem(
                "BadArgumentType", row, index,
                f"argument '{param.name}' of {row.name} must be {_a(param.type)}, "
                f"got {_a(argument_kind(argument))}",
            )  # fmt: skip
    return plain


def _a(noun: str) -> str:
    return noun if "|" in noun else f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


def _coerce(type_name: str, argument: Argument) -> Any:
    if isinstance(argument, Shape):
        fits = (
            type_name == "AnyShape"
            or argument.kind == type_name
            or (type_name == "Rectlike" and argument.kind in RECTLIKE)
        )
        return argument if fits else None
    plain = _PLAIN.get(type_name)
    return plain(argument) if plain else None


def _number(argument: Value) -> Scalar | None:
    return argument.contents if isinstance(argument, FloatV) else None


def _vector(argument: Value) -> list[Scalar] | None:
    if isinstance(argument, VectorV | ListV | TupV):
        return list(argument.contents)
    return None


def _vector_of(n: int) -> Callable[[Value], list[Scalar] | None]:
    def coerce(argument: Value) -> list[Scalar] | None:
        vector = _vector(argument)
        return vector if vector is not None and len(vector) == n else None

    return coerce


def _rows(argument: Value) -> list[list[Scalar]] | None:
    if isinstance(argument, MatrixV | LListV | PtListV):
        return [list(row) for row in argument.contents]
    if isinstance(argument, VectorV | ListV | ShapeListV) and not argument.contents:
        return []  # `listof` over an empty collection gives an empty vector
    return None


def _points(argument: Value) -> list[list[Scalar]] | None:
    rows = _rows(argument)
    return rows if rows is not None and all(len(row) == 2 for row in rows) else None


def _one_of(*words: str) -> Callable[[Value], str | None]:
    def coerce(argument: Value) -> str | None:
        if isinstance(argument, StrV) and argument.contents in words:
            return argument.contents
        return None

    return coerce


def _empty(argument: Value) -> bool:
    return isinstance(argument, VectorV | ListV) and not argument.contents


def _shape_list(argument: Value) -> list[Shape] | None:
    if isinstance(argument, ShapeListV):
        return list(argument.contents)
    return [] if _empty(argument) else None


def _path_list(argument: Value) -> list[Any] | None:
    if isinstance(argument, PathDataListV):
        return [list(path) for path in argument.contents]
    return [] if _empty(argument) else None


_PLAIN: dict[str, Callable[[Value], Any]] = {
    "Real": _number,
    "Unit": _number,
    "PosInt": _number,
    "Nat": _number,
    "Real2": _vector_of(2),
    "Real3": _vector_of(3),
    "RealN": _vector,
    "Real2N": _points,
    "RealNM": _rows,
    "Color": lambda a: a if isinstance(a, ColorV) else None,
    "String": lambda a: a.contents if isinstance(a, StrV) else None,
    "ColorType": _one_of("rgb", "hsv"),
    "PathType": _one_of("open", "closed"),
    "ShapeList": _shape_list,
    "PathDataList": _path_list,
    "PathCmd": lambda a: list(a.contents) if isinstance(a, PathDataV) else None,
    "Boolean": lambda a: a.contents if isinstance(a, BoolV) else None,
    "ClipData": lambda a: a if isinstance(a, ClipDataV) else None,
}

_WRAP: dict[str, Callable[[Any], Value]] = {
    "Real": FloatV,
    "PosInt": FloatV,
    "Real2": VectorV,
    "Real3": VectorV,
    "RealN": VectorV,
    "Real2N": PtListV,
    "RealNM": MatrixV,
    "String": StrV,
    "PathCmd": PathDataV,
}


def evaluate(row: Row, context: Context, arguments: Sequence[Argument | None]) -> Any:
    """Check the arguments and run the body.

    Returns:
        The scalar of a constraint or objective; the `Value` of a function.

    Raises:
        ArgumentProblem: the arguments don't fit the parameters.
        BodyProblem: they fit, but the entry can't work with them.
    """
    result = row.body(context, *check_arguments(row, arguments))
    if row.kind != "function":
        return result if isinstance(result, Node) else float(result)
    wrap = _WRAP.get(row.returns)
    return wrap(result) if wrap else result
