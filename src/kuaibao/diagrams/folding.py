"""Operations on plain numbers, as IEEE arithmetic and the tape do them: never an exception.

A division by zero gives an infinity or NaN, a root of a negative number NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from kuaibao.diagrams import opcodes

__all__ = ["BINARY", "divided", "fold"]


def divided(a: float, b: float) -> float:
    """`a / b`; an infinity or NaN where Python would raise."""
    if b != 0:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    try:
        result = math.pow(a, b)
    except ValueError:
        return math.inf if a == 0 else math.nan
    except OverflowError:
        return math.inf
    return result


BINARY: dict[int, Callable[[float, float], float]] = {
    opcodes.ADD: lambda a, b: a + b,
    opcodes.SUB: lambda a, b: a - b,
    opcodes.MUL: lambda a, b: a * b,
    opcodes.DIV: divided,
    opcodes.MAX: lambda a, b: a if a > b else b,
    opcodes.MIN: lambda a, b: a if a < b else b,
    opcodes.ATAN2: math.atan2,
    opcodes.POW: _power,
    opcodes.LT: lambda a, b: float(a < b),
    opcodes.LE: lambda a, b: float(a <= b),
    opcodes.EQ: lambda a, b: float(a == b),
    opcodes.AND: lambda a, b: float(bool(a) and bool(b)),
    opcodes.OR: lambda a, b: float(bool(a) or bool(b)),
    opcodes.XOR: lambda a, b: float(bool(a) != bool(b)),
}

_UNARY: dict[int, Callable[[float], float]] = {
    opcodes.NOT: lambda a: float(not a),
    opcodes.NEG: lambda a: -a,
    opcodes.SQR: lambda a: a * a,
    opcodes.SQRT: math.sqrt,
    opcodes.ABS: abs,
    opcodes.SIGN: lambda a: float((a > 0) - (a < 0)),
    opcodes.FLOOR: lambda a: float(math.floor(a)),
    opcodes.CEIL: lambda a: float(math.ceil(a)),
    opcodes.ROUND: lambda a: float(math.floor(a + 0.5)),  # halves up, as JavaScript's Math.round
    opcodes.TRUNC: lambda a: float(math.trunc(a)),
    opcodes.SIN: math.sin,
    opcodes.COS: math.cos,
    opcodes.TAN: math.tan,
    opcodes.ASIN: math.asin,
    opcodes.ACOS: math.acos,
    opcodes.ATAN: math.atan,
    opcodes.SINH: math.sinh,
    opcodes.COSH: math.cosh,
    opcodes.TANH: math.tanh,
    opcodes.ASINH: math.asinh,
    opcodes.ACOSH: math.acosh,
    opcodes.ATANH: math.atanh,
    opcodes.EXP: math.exp,
    opcodes.EXPM1: math.expm1,
    opcodes.LOG: lambda a: -math.inf if a == 0 else math.log(a),
    opcodes.LOG2: lambda a: -math.inf if a == 0 else math.log2(a),
    opcodes.LOG10: lambda a: -math.inf if a == 0 else math.log10(a),
    opcodes.LOG1P: lambda a: -math.inf if a == -1 else math.log1p(a),
    opcodes.CBRT: lambda a: math.copysign(math.cbrt(abs(a)), a),
}


def fold(op: int, value: float) -> float:
    """A unary operation on a number; outside its domain NaN, beyond the range an infinity."""
    try:
        return _UNARY[op](value)
    except ValueError:
        return math.nan
    except OverflowError:
        sign = value if op == opcodes.SINH else 1.0
        return value if math.isinf(value) else math.copysign(math.inf, sign)
