"""Operations of the graph by number: the tape of `layout` knows them, so append, never renumber."""

from __future__ import annotations

CONST, INPUT = 0, 1
ADD, SUB, MUL, DIV, MAX, MIN, ATAN2, POW = range(2, 10)
LT, LE, EQ, AND, OR, XOR = range(10, 16)
SELECT = 16
NOT, NEG, SQR, SQRT, ABS, SIGN, FLOOR, CEIL, ROUND, TRUNC = range(17, 27)
SIN, COS, TAN, ASIN, ACOS, ATAN = range(27, 33)
SINH, COSH, TANH, ASINH, ACOSH, ATANH = range(33, 39)
EXP, EXPM1, LOG, LOG2, LOG10, LOG1P, CBRT = range(39, 46)

COMMUTATIVE = frozenset({ADD, MUL, EQ, AND, OR, XOR})

UNARY_BY_NAME = {
    "sqrt": SQRT, "abs": ABS, "sign": SIGN, "floor": FLOOR, "ceil": CEIL, "round": ROUND,
    "trunc": TRUNC, "sin": SIN, "cos": COS, "tan": TAN, "asin": ASIN, "acos": ACOS, "atan": ATAN,
    "sinh": SINH, "cosh": COSH, "tanh": TANH, "asinh": ASINH, "acosh": ACOSH, "atanh": ATANH,
    "exp": EXP, "expm1": EXPM1, "log": LOG, "log2": LOG2, "log10": LOG10, "log1p": LOG1P,
    "cbrt": CBRT, "sqr": SQR,
}  # fmt: skip
