"""Indexed statements: `Node v_i for i in [0, 3] where i % 2 == 0` becomes plain statements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TypeVar

from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Span

__all__ = ["MAX_INDEXED", "expand"]

MAX_INDEXED = 1_000_000
"""Combinations of indices that one statement may range over."""
_CLOSE = 1e-5
"""Numbers nearer than this are equal: 0.1 + 0.2 == 0.3."""

Plain = (
    tree.Declaration
    | tree.Bind
    | tree.DeclareBind
    | tree.Predicate
    | tree.AutoLabel
    | tree.Label
    | tree.NoLabel
)
_Argument = TypeVar("_Argument", bound="tree.SubstanceArgument | tree.SubstanceExpression")


class _WrongIndexError(Exception):
    def __init__(
        self, tag: str, message: str, span: Span, word: str = "", known: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.tag, self.message, self.span = tag, message, span
        self.word, self.known = word, known


def expand(statement: tree.Indexed, findings: Findings) -> list[Plain]:
    """The plain statements, in order; the first range varies slowest.

    What is wrong goes to `findings`: `DuplicateIndexError`, `BadSetIndexRangeError`,
    `InvalidSetIndexingError`, `DivideByZeroError`, `InvalidArithmeticValueError`, `TooManyIndices`.
    """
    try:
        return [_substitute(statement.statement, indices) for indices in _assignments(statement)]
    except _WrongIndexError as wrong:
        findings.error(wrong.tag, wrong.message, wrong.span, word=wrong.word, known=wrong.known)
        return []


def _assignments(statement: tree.Indexed) -> Iterator[dict[str, int]]:
    names: list[str] = []
    values: list[range] = []
    for one in statement.ranges:
        if one.variable.text in names:
            raise _WrongIndexError(
                "DuplicateIndexError",
                f"the index {one.variable.text} is declared twice",
                one.variable.span,
            )
        names.append(one.variable.text)
        values.append(range(_whole(one.low), _whole(one.high) + 1))
    if math.prod(len(one) for one in values) > MAX_INDEXED:
        raise _WrongIndexError(
            "TooManyIndices",
            f"this statement ranges over more than {MAX_INDEXED} combinations of indices",
            statement.ranges[0].variable.span,
        )
    for combination in itertools.product(*values):
        indices = dict(zip(names, combination, strict=True))
        try:
            wanted = statement.condition is None or _holds(statement.condition, indices)
        except RecursionError:
            where = statement.ranges[0].variable.span
            raise _WrongIndexError("TooDeep", "the condition is nested too deep", where) from None
        if wanted:
            yield indices


def _whole(bound: tree.Literal) -> int:
    value = bound.value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _WrongIndexError(
        "BadSetIndexRangeError", f"the ends of a range are whole numbers, not {value}", bound.span
    )


def _holds(condition: tree.Condition, indices: Mapping[str, int]) -> bool:
    match condition:
        case tree.Truth(value):
            return value
        case tree.Logic("and", parts):
            return all(_holds(part, indices) for part in parts)
        case tree.Logic("or", parts):
            return any(_holds(part, indices) for part in parts)
        case tree.Logic(_, parts):
            return not _holds(parts[0], indices)
        case tree.Comparison(operator, left, right):
            return _compare(operator, _number(left, indices), _number(right, indices))


def _compare(operator: str, left: float, right: float) -> bool:
    is_equal = abs(left - right) < _CLOSE
    match operator:
        case "==":
            return is_equal
        case "!=":
            return not is_equal
        case "<":
            return not is_equal and left < right
        case ">":
            return not is_equal and left > right
        case "<=":
            return is_equal or left <= right
        case _:
            return is_equal or left >= right


def _number(expression: tree.IndexExpression, indices: Mapping[str, int]) -> float:
    match expression:
        case tree.Literal(value):
            return float(value)
        case Name():
            return float(_index(expression.text, expression.span, indices))
        case tree.Arithmetic(operator, left, right, span):
            value = _calculate(operator, _number(left, indices), _number(right, indices), span)
            if math.isnan(value):
                raise _WrongIndexError(
                    "InvalidArithmeticValueError", "this is not a number (NaN)", span
                )
            return value


def _calculate(operator: str, left: float, right: float, span: Span) -> float:
    if operator in "/%" and right == 0:
        raise _WrongIndexError("DivideByZeroError", "division by zero", span)
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "%":
                return math.fmod(left, right)
            case _:
                return math.pow(left, right)
    except ValueError:
        return math.inf if operator == "^" and left == 0 else math.nan
    except OverflowError:
        return math.inf


def _index(text: str, span: Span, indices: Mapping[str, int]) -> int | float:
    if text in indices:
        return indices[text]
    if text.isdigit():
        return int(text)
    raise _WrongIndexError(
        "InvalidSetIndexingError", f"{text} is not an index here", span, text, tuple(indices)
    )


def _name(name: Name, indices: Mapping[str, int]) -> Name:
    """`v_i` becomes `v_0`: what stands after the last underscore is an index or a number."""
    stem, underscore, index = name.text.rpartition("_")
    if not underscore:
        return name
    return Name(f"{stem}_{_index(index, name.span, indices)}", name.span)


def _argument(argument: _Argument, indices: Mapping[str, int]) -> _Argument | tree.Literal | Name:
    if not isinstance(argument, Name):
        return argument
    if argument.text in indices:
        return tree.Literal(float(indices[argument.text]), argument.span)
    return _name(argument, indices)


def _expression(
    value: tree.SubstanceExpression, indices: Mapping[str, int]
) -> tree.SubstanceExpression:
    if isinstance(value, tree.Call):
        arguments = tuple(_argument(argument, indices) for argument in value.arguments)
        return tree.Call(value.name, arguments)
    return _argument(value, indices)


def _substitute(statement: Plain, indices: Mapping[str, int]) -> Plain:
    match statement:
        case tree.Declaration(kind, names) | tree.Declaration(kind, names):
            return tree.Declaration(kind, tuple(_name(name, indices) for name in names))
        case tree.Bind(variable, value):
            return tree.Bind(_name(variable, indices), _expression(value, indices))
        case tree.DeclareBind(kind, variable, value):
            return tree.DeclareBind(kind, _name(variable, indices), _expression(value, indices))
        case tree.Predicate(name, arguments):
            return tree.Predicate(name, tuple(_argument(a, indices) for a in arguments))
        case tree.AutoLabel(names):
            if names is None:
                return statement
            return tree.AutoLabel(tuple(_name(name, indices) for name in names))
        case tree.NoLabel(names):
            return tree.NoLabel(tuple(_name(name, indices) for name in names))
        case tree.Label():
            return tree.Label(_name(statement.variable, indices), statement.text, statement.is_math)
