"""Operators of Style on values: which types go together, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.scalars import divide, power, total
from kuaibao.diagrams.values import FloatV, MatrixV, StrV, Value, VectorV

__all__ = ["MAX_STRING", "OperandError", "binary", "negative", "transpose"]

MAX_STRING = 100_000
"""Longest string that can be put together, in characters."""

Row = Sequence[Scalar]
Rows = Sequence[Sequence[Scalar]]


class OperandError(Exception):
    """The operator does not take these types or sizes."""


def binary(operator: str, left: Value, right: Value) -> Value:
    """`left operator right`.

    Raises:
        OperandError: The types don't go together, or the sizes differ.
    """
    match left, right:
        case FloatV(a), FloatV(b):
            return FloatV(_scalars(operator, a, b))
        case VectorV(a), VectorV(b):
            return VectorV(_elementwise(operator, a, b, _VECTORS))
        case FloatV(a), VectorV(b) if operator == "*":
            return VectorV([a * x for x in b])
        case VectorV(a), FloatV(b) if operator in "*/":
            return VectorV([_scalars(operator, x, b) for x in a])
        case FloatV(a), MatrixV(b) if operator == "*":
            return MatrixV([[a * x for x in row] for row in b])
        case MatrixV(a), FloatV(b) if operator in "*/":
            return MatrixV([[_scalars(operator, x, b) for x in row] for row in a])
        case MatrixV(a), VectorV(b) if operator == "*":
            return VectorV([_dot(row, b) for row in a])
        case VectorV(a), MatrixV(b) if operator == "*":
            return VectorV([_dot(a, column) for column in _columns(b)])
        case MatrixV(a), MatrixV(b):
            return MatrixV(_matrices(operator, a, b))
        case StrV(a), StrV(b) if operator == "+":
            if len(a) + len(b) > MAX_STRING:
                raise OperandError(f"the string would be longer than {MAX_STRING} characters")
            return StrV(a + b)
        case _:
            names = f"{type(left).__name__} and {type(right).__name__}"
            raise OperandError(f"'{operator}' does not take {names}")


def _scalars(operator: str, a: Scalar, b: Scalar) -> Scalar:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return divide(a, b)
        case "^":
            return power(a, b)
        case _:
            raise OperandError(f"'{operator}' is for vectors and matrices, not for numbers")


_VECTORS = {"+": "+", "-": "-", ".*": "*", "./": "/"}


def _elementwise(operator: str, a: Row, b: Row, allowed: dict[str, str]) -> list[Scalar]:
    plain = allowed.get(operator)
    if plain is None:
        hint = f"; for products element by element write '.{operator}'" if operator in "*/" else ""
        raise OperandError(f"'{operator}' does not take VectorV and VectorV{hint}")
    if len(a) != len(b):
        raise OperandError(f"the lengths differ: {len(a)} and {len(b)}")
    return [_scalars(plain, x, y) for x, y in zip(a, b, strict=True)]


def _matrices(operator: str, a: Rows, b: Rows) -> list[list[Scalar]]:
    if operator == "*":
        columns = _columns(b)
        return [[_dot(row, column) for column in columns] for row in a]
    if operator not in _VECTORS:
        raise OperandError(f"'{operator}' does not take MatrixV and MatrixV")
    if len(a) != len(b):
        raise OperandError(f"the numbers of rows differ: {len(a)} and {len(b)}")
    return [_elementwise(operator, x, y, _VECTORS) for x, y in zip(a, b, strict=True)]


def _dot(a: Row, b: Row) -> Scalar:
    if len(a) != len(b):
        raise OperandError(f"the sizes differ: {len(a)} and {len(b)}")
    return total(x * y for x, y in zip(a, b, strict=True))


def _columns(rows: Rows) -> list[list[Scalar]]:
    if len({len(row) for row in rows}) > 1:
        raise OperandError("the rows of the matrix differ in length")
    return [list(column) for column in zip(*rows, strict=True)]


def negative(value: Value) -> Value:
    """`-value`, of a number or a vector (ours: also of a matrix).

    Raises:
        OperandError: Of anything else.
    """
    match value:
        case FloatV(x):
            return FloatV(-x)
        case VectorV(row):
            return VectorV([-x for x in row])
        case MatrixV(rows):
            return MatrixV([[-x for x in row] for row in rows])
        case _:
            raise OperandError(f"'-' does not take {type(value).__name__}")


def transpose(value: Value) -> Value:
    """`value'`, of a matrix.

    Raises:
        OperandError: Of anything else.
    """
    if not isinstance(value, MatrixV):
        raise OperandError(f"only a matrix can be transposed, not {type(value).__name__}")
    return MatrixV(_columns(value.contents))
