"""Functions of scalars: nodes of a graph, or plain numbers that are folded at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kuaibao.diagrams import opcodes
from kuaibao.diagrams.folding import BINARY, divided, fold
from kuaibao.diagrams.graph import Node, Scalar

__all__ = [
    "absolute",
    "acos",
    "atan2",
    "both",
    "cos",
    "divide",
    "either",
    "equal",
    "exp",
    "floor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "maximum",
    "minimum",
    "negated",
    "power",
    "select",
    "sign",
    "sin",
    "sqrt",
    "square",
    "square_root",
    "tan",
    "total",
    "unary",
]


def unary(op: int, x: Scalar) -> Scalar:
    """Any unary operation by its opcode, folded for a number."""
    return x.graph.unary(op, x) if isinstance(x, Node) else fold(op, x)


def _binary(op: int, a: Scalar, b: Scalar) -> Scalar:
    if isinstance(a, Node):
        return a.graph.binary(op, a, b)
    if isinstance(b, Node):
        return b.graph.binary(op, a, b)
    return BINARY[op](a, b)


def divide(a: Scalar, b: Scalar) -> Scalar:
    """`a / b` that gives an infinity or NaN where Python would raise on two floats."""
    if isinstance(a, Node) or isinstance(b, Node):
        return a / b
    return divided(a, b)


def maximum(a: Scalar, b: Scalar) -> Scalar:
    """The larger; its derivative follows `a` only where `a > b`."""
    return a if a is b else _binary(opcodes.MAX, a, b)


def minimum(a: Scalar, b: Scalar) -> Scalar:
    """The smaller; its derivative follows `a` only where `a < b`."""
    return a if a is b else _binary(opcodes.MIN, a, b)


def atan2(y: Scalar, x: Scalar) -> Scalar:
    """The angle of the point (x, y), in radians."""
    return _binary(opcodes.ATAN2, y, x)


def power(a: Scalar, b: Scalar) -> Scalar:
    """`a` raised to `b`; squares and the like become products."""
    return a**b if isinstance(a, Node) else _binary(opcodes.POW, a, b)


def less(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a < b`, else 0."""
    return _binary(opcodes.LT, a, b)


def less_equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a <= b`, else 0."""
    return _binary(opcodes.LE, a, b)


def greater(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a > b`, else 0."""
    return _binary(opcodes.LT, b, a)


def greater_equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a >= b`, else 0."""
    return _binary(opcodes.LE, b, a)


def equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where both are the same number, else 0."""
    return _binary(opcodes.EQ, a, b)


def both(a: Scalar, b: Scalar) -> Scalar:
    """Logical and."""
    return _binary(opcodes.AND, a, b)


def either(a: Scalar, b: Scalar) -> Scalar:
    """Logical or."""
    return _binary(opcodes.OR, a, b)


def negated(a: Scalar) -> Scalar:
    """Logical not."""
    return unary(opcodes.NOT, a)


def select(condition: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """`a` where the condition holds (is not 0), else `b`; both are always computed."""
    if not isinstance(condition, Node):
        return a if condition else b
    return a if a is b else condition.graph.select(condition, a, b)


def square(x: Scalar) -> Scalar:
    """`x * x`."""
    return x * x


def square_root(x: Scalar) -> Scalar:
    """The root; its derivative is bounded near 0 (the divisor is at least 1e-5)."""
    return unary(opcodes.SQRT, x)


def absolute(x: Scalar) -> Scalar:
    """The absolute value."""
    return unary(opcodes.ABS, x)


def total(terms: Sequence[Scalar] | Iterable[Scalar]) -> Scalar:
    """The sum; 0.0 of nothing."""
    result: Scalar = 0.0
    for term in terms:
        result = result + term
    return result


def sin(x: Scalar) -> Scalar:
    """The sine of an angle in radians."""
    return unary(opcodes.SIN, x)


def cos(x: Scalar) -> Scalar:
    """The cosine of an angle in radians."""
    return unary(opcodes.COS, x)


def tan(x: Scalar) -> Scalar:
    """The tangent of an angle in radians."""
    return unary(opcodes.TAN, x)


def exp(x: Scalar) -> Scalar:
    """The exponential."""
    return unary(opcodes.EXP, x)


def log(x: Scalar) -> Scalar:
    """The natural logarithm."""
    return unary(opcodes.LOG, x)


def floor(x: Scalar) -> Scalar:
    """The largest whole number not above x; its derivative is 0."""
    return unary(opcodes.FLOOR, x)


def sign(x: Scalar) -> Scalar:
    """-1, 0 or 1; its derivative is 0."""
    return unary(opcodes.SIGN, x)


def acos(x: Scalar) -> Scalar:
    """The angle in [0, pi] whose cosine is x."""
    return unary(opcodes.ACOS, x)


def sqrt(x: Scalar) -> Scalar:
    """The same as `square_root`, by its short name."""
    return unary(opcodes.SQRT, x)
