"""Functions of numbers and of lists of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import BodyProblem, function, whole
from kuaibao.diagrams.library.vectors import largest, smallest
from kuaibao.diagrams.opcodes import UNARY_BY_NAME
from kuaibao.diagrams.scalars import (
    absolute,
    atan2,
    divide,
    floor,
    maximum,
    minimum,
    power,
    total,
    unary,
)

__all__: list[str] = []

_SCALAR = "Numbers"
_LIST = "Lists of numbers"
_UNARY_DOCS = {
    "acos": "The angle in [0, pi] whose cosine is x.",
    "acosh": "The inverse of cosh.",
    "asin": "The angle in [-pi/2, pi/2] whose sine is x.",
    "asinh": "The inverse of sinh.",
    "atan": "The angle in (-pi/2, pi/2) whose tangent is x.",
    "atanh": "The inverse of tanh.",
    "cbrt": "The cube root.",
    "ceil": "The least whole number that is not below x.",
    "cos": "The cosine of an angle in radians.",
    "cosh": "The hyperbolic cosine.",
    "exp": "e to the power x.",
    "expm1": "e to the power x, minus 1, exact near 0.",
    "floor": "The largest whole number that is not above x.",
    "log": "The natural logarithm.",
    "log10": "The logarithm to base 10.",
    "log1p": "The natural logarithm of 1 + x, exact near 0.",
    "log2": "The logarithm to base 2.",
    "round": "The nearest whole number; halves go up.",
    "sign": "-1, 0 or 1.",
    "sin": "The sine of an angle in radians.",
    "sinh": "The hyperbolic sine.",
    "sqr": "The square.",
    "sqrt": "The square root; its derivative stays bounded at 0.",
    "tan": "The tangent of an angle in radians.",
    "tanh": "The hyperbolic tangent.",
    "trunc": "The whole part, towards 0.",
}


def _apply(op: int, _: Context, x: Scalar) -> Scalar:
    return x * x if op == UNARY_BY_NAME["sqr"] else unary(op, x)


for _name, _doc in _UNARY_DOCS.items():
    _body: Callable[..., Scalar] = partial(_apply, UNARY_BY_NAME[_name])
    function(_SCALAR, "x: Real", "Real", _doc, name=_name)(_body)


@function(_SCALAR, "x: Real", "Real", "The absolute value.", name="abs")
def _abs(_: Context, x: Scalar) -> Scalar:
    return absolute(x)


@function(
    _SCALAR, "x: Real; y: Real", "Real", "The angle of the point (x, y); x stands first.",
    name="atan2",
)  # fmt: skip
def _atan2(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return atan2(y, x)


@function(_SCALAR, "x: Real; y: Real", "Real", "x to the power y.", name="pow")
def _pow(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return power(x, y)


@function(_SCALAR, "a: Real; n: Real", "Real", "What is left of a after whole multiples of n.")
def mod(_: Context, a: Scalar, n: Scalar) -> Scalar:
    return a - n * floor(divide(a, n))


@function(_SCALAR, "x: Real; y: Real", "Real", "The larger of two numbers.", name="max")
def _max(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return maximum(x, y)


@function(_SCALAR, "x: Real; y: Real", "Real", "The smaller of two numbers.", name="min")
def _min(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return minimum(x, y)


@function(_SCALAR, "theta: Real", "Real", "Degrees to radians.", name="toRadians")
def _to_radians(_: Context, theta: Scalar) -> Scalar:
    return (math.pi / 180.0) * theta


@function(_SCALAR, "theta: Real", "Real", "Radians to degrees.", name="toDegrees")
def _to_degrees(_: Context, theta: Scalar) -> Scalar:
    return (180.0 / math.pi) * theta


@function(_SCALAR, "", "Real", "The number e.", name="MathE")
def _math_e(_: Context) -> Scalar:
    return math.e


@function(_SCALAR, "", "Real", "The number pi.", name="MathPI")
def _math_pi(_: Context) -> Scalar:
    return math.pi


@function(_SCALAR, "x: Real; y: Real", "Real", "The mean of two numbers.", name="average2")
def _average2(_: Context, x: Scalar, y: Scalar) -> Scalar:
    return 0.5 * (x + y)


@function(_LIST, "n: Nat; k: Real", "RealN", "n times the number k.")
def repeat(_: Context, n: Scalar, k: Scalar) -> list[Scalar]:
    count = whole(n, "n")
    if not 0 <= count <= 100_000:
        raise BodyProblem(f"n must be between 0 and 100,000, got {count}")
    return [k] * count


@function(_LIST, "xs: RealN", "Real", "The sum.", name="sum")
def _sum(_: Context, xs: Sequence[Scalar]) -> Scalar:
    return total(xs)


@function(_LIST, "vecs: RealNM", "RealN", "The sum of vectors of one length.", name="sumVectors")
def _sum_vectors(_: Context, vecs: Sequence[Sequence[Scalar]]) -> list[Scalar]:
    if not vecs:
        raise BodyProblem("the sum of no vectors has no length")
    return [total(column) for column in zip(*vecs, strict=True)]


@function(_LIST, "xs: RealN", "Real", "The largest.", name="maxList")
def _max_list(_: Context, xs: Sequence[Scalar]) -> Scalar:
    return largest(xs) if xs else -math.inf


@function(_LIST, "xs: RealN", "Real", "The smallest.", name="minList")
def _min_list(_: Context, xs: Sequence[Scalar]) -> Scalar:
    return smallest(xs) if xs else math.inf


@function(_LIST, "xs: RealN", "Real", "How many there are.")
def count(_: Context, xs: Sequence[Scalar]) -> Scalar:
    return float(len(xs))


@function(_LIST, "xs: RealN", "Real", "The mean; 0 of nothing.")
def average(_: Context, xs: Sequence[Scalar]) -> Scalar:
    return divide(total(xs), float(max(1, len(xs))))


@function(_LIST, "xs: RealN; i: Nat", "Real", "Element i, counted from 0.")
def get(_: Context, xs: Sequence[Scalar], i: Scalar) -> Scalar:
    index = whole(i, "i")
    if not 0 <= index < len(xs):
        raise BodyProblem(f"index {index} is out of bounds: there are {len(xs)}")
    return xs[index]
