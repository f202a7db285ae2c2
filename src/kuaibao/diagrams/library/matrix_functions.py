"""Functions of matrices: algebra, and transformations in plain and homogeneous coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import BodyProblem, function, whole
from kuaibao.diagrams.library.vectors import Vec, dot
from kuaibao.diagrams.scalars import cos, divide, sin, tan, total

__all__ = ["Rows", "product", "translation", "with_corner"]

Rows: TypeAlias = Sequence[Sequence[Scalar]]

_ALGEBRA = "Matrices"
_TRANSFORM = "Transformations"
_MAX_SIDE = 100


def _identity(n: int) -> list[list[Scalar]]:
    return [[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)]


def _diagonal(v: Vec) -> list[list[Scalar]]:
    return [[x if i == j else 0.0 for j in range(len(v))] for i, x in enumerate(v)]


def _sum(a: Rows, b: Rows) -> list[list[Scalar]]:
    return [[x + y for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def _scaled(s: Scalar, a: Rows) -> list[list[Scalar]]:
    return [[s * x for x in row] for row in a]


def product(a: Rows, b: Rows) -> list[list[Scalar]]:
    """The matrix product."""
    columns = list(zip(*b, strict=True))
    return [[dot(row, column) for column in columns] for row in a]


def with_corner(a: Rows) -> list[list[Scalar]]:
    """A linear map in homogeneous coordinates: a row and a column more, 1 in the corner."""
    n = len(a)
    return [*([*row, 0.0] for row in a), [*[0.0] * n, 1.0]]


def translation(v: Vec) -> list[list[Scalar]]:
    """The homogeneous matrix that moves by v."""
    return [
        *([*row, x] for row, x in zip(_identity(len(v)), v, strict=True)),
        [*[0.0] * len(v), 1.0],
    ]


def _square(a: Rows) -> int:
    n = len(a)
    if any(len(row) != n for row in a):
        raise BodyProblem("the matrix must be square")
    return n


def _minor(a: Rows, i: int, j: int) -> list[list[Scalar]]:
    return [[x for m, x in enumerate(row) if m != j] for k, row in enumerate(a) if k != i]


def _determinant(a: Rows) -> Scalar:
    """By the first row (Laplace)."""
    if len(a) == 1:
        return a[0][0]
    if len(a) == 2:
        return a[0][0] * a[1][1] - a[0][1] * a[1][0]
    signs = (1.0, -1.0)
    return total(signs[j % 2] * x * _determinant(_minor(a, 0, j)) for j, x in enumerate(a[0]))


def _small(a: Rows) -> int:
    n = _square(a)
    if n not in (2, 3, 4):
        raise BodyProblem(f"the matrix must be 2x2, 3x3 or 4x4, got {n}x{n}")
    return n


@function(_ALGEBRA, "n: PosInt", "RealNM", "The identity matrix of n rows.")
def identity(_: Context, n: Scalar) -> list[list[Scalar]]:
    side = whole(n, "n")
    if not 1 <= side <= _MAX_SIDE:
        raise BodyProblem(f"n must be between 1 and {_MAX_SIDE}, got {side}")
    return _identity(side)


@function(_ALGEBRA, "v: RealN", "RealNM", "The matrix with v on its diagonal, else 0.")
def diagonal(_: Context, v: Vec) -> list[list[Scalar]]:
    if len(v) > _MAX_SIDE:
        raise BodyProblem(f"v must have at most {_MAX_SIDE} numbers")
    return _diagonal(v)


@function(_ALGEBRA, "A: RealNM", "Real", "The sum of the diagonal.")
def trace(_: Context, a: Rows) -> Scalar:
    return total(a[i][i] for i in range(_square(a)))


@function(_ALGEBRA, "A: RealNM", "Real", "The determinant of a 2x2, 3x3 or 4x4 matrix.")
def determinant(_: Context, a: Rows) -> Scalar:
    _small(a)
    return _determinant(a)


@function(_ALGEBRA, "A: RealNM", "RealNM", "The inverse of a 2x2, 3x3 or 4x4 matrix.")
def inverse(_: Context, a: Rows) -> list[list[Scalar]]:
    n = _small(a)
    cofactors = [
        [(-1.0) ** (i + j) * _determinant(_minor(a, i, j)) for j in range(n)] for i in range(n)
    ]
    whole_determinant = dot(a[0], cofactors[0])
    return [[divide(cofactors[j][i], whole_determinant) for j in range(n)] for i in range(n)]


@function(
    _ALGEBRA, "v: RealN; w: RealN", "RealNM", "The matrix of the products v_i w_j.",
    name="outerProduct",
)  # fmt: skip
def _outer_product(_: Context, v: Vec, w: Vec) -> list[list[Scalar]]:
    if len(v) != len(w):
        raise BodyProblem(f"the vectors must have one length, got {len(v)} and {len(w)}")
    return [[x * y for y in w] for x in v]


@function(
    _ALGEBRA, "v: RealN", "RealNM", "The matrix that multiplies to v x u for every u.",
    name="crossProductMatrix",
)  # fmt: skip
def _cross_product_matrix(_: Context, v: Vec) -> list[list[Scalar]]:
    if len(v) != 3:
        raise BodyProblem(f"v must have three numbers, got {len(v)}")
    x, y, z = v
    return [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]


@function(_ALGEBRA, "m: RealNM; v: RealN", "RealN", "The product of a matrix and a vector.")
def mul(_: Context, m: Rows, v: Vec) -> list[Scalar]:
    if not m or not v:
        raise BodyProblem("neither the matrix nor the vector may be empty")
    return [dot(row, v) for row in m]


@function(
    _ALGEBRA, "A: RealNM; V: RealNM", "RealNM", "The products of a matrix and each vector of V.",
    name="matrixMultiplyList",
)  # fmt: skip
def _matrix_multiply_list(_: Context, a: Rows, v: Rows) -> list[list[Scalar]]:
    return [[dot(row, one) for row in a] for one in v]


@function(
    _TRANSFORM,
    "a: Real; b: Real; c: Real; d: Real; e: Real; f: Real",
    "RealNM",
    "The homogeneous matrix with the columns (a, b), (c, d), (e, f), as matrix() of SVG.",
)
def matrix(_: Context, *n: Scalar) -> list[list[Scalar]]:
    a, b, c, d, e, f = n
    return [[a, c, e], [b, d, f], [0.0, 0.0, 1.0]]


@function(
    _TRANSFORM,
    "; ".join(f"{letter}{row}: Real" for row in range(1, 5) for letter in "abcd"),
    "RealNM",
    "The 4x4 matrix with these rows.",
)
def matrix3d(_: Context, *n: Scalar) -> list[list[Scalar]]:
    return [list(n[k : k + 4]) for k in (0, 4, 8, 12)]


def _rotation(theta: Scalar) -> list[list[Scalar]]:
    return [[cos(theta), -sin(theta)], [sin(theta), cos(theta)]]


@function(
    _TRANSFORM,
    "theta: Real; x: Real = 0; y: Real = 0",
    "RealNM",
    "The homogeneous turn by theta radians counterclockwise about (x, y).",
)
def rotate(_: Context, theta: Scalar, x: Scalar, y: Scalar) -> list[list[Scalar]]:
    turn = product(with_corner(_rotation(theta)), translation([-x, -y]))
    return product(translation([x, y]), turn)


@function(_TRANSFORM, "theta: Real", "RealNM", "The turn by theta radians counterclockwise.")
def rotate2d(_: Context, theta: Scalar) -> list[list[Scalar]]:
    return _rotation(theta)


@function(
    _TRANSFORM, "theta: Real; v: RealN", "RealNM", "The turn by theta radians about the axis v."
)
def rotate3d(_: Context, theta: Scalar, v: Vec) -> list[list[Scalar]]:
    hat = _cross_product_matrix(_, v)  # Rodrigues' formula
    turned = _sum(_identity(3), _scaled(sin(theta), hat))
    return _sum(turned, _scaled(1.0 - cos(theta), product(hat, hat)))


@function(_TRANSFORM, "theta: Real; v: RealN", "RealNM", "The same, homogeneous.")
def rotate3dh(_: Context, theta: Scalar, v: Vec) -> list[list[Scalar]]:
    return with_corner(rotate3d(_, theta, v))


@function(_TRANSFORM, "sx: Real; sy: Real", "RealNM", "The homogeneous stretch along the axes.")
def scale(_: Context, sx: Scalar, sy: Scalar) -> list[list[Scalar]]:
    return with_corner(_diagonal([sx, sy]))


@function(_TRANSFORM, "sx: Real; sy: Real", "RealNM", "The stretch along the axes.")
def scale2d(_: Context, sx: Scalar, sy: Scalar) -> list[list[Scalar]]:
    return _diagonal([sx, sy])


@function(_TRANSFORM, "sx: Real; sy: Real; sz: Real", "RealNM", "The stretch in space.")
def scale3d(_: Context, sx: Scalar, sy: Scalar, sz: Scalar) -> list[list[Scalar]]:
    return _diagonal([sx, sy, sz])


@function(
    _TRANSFORM, "sx: Real; sy: Real; sz: Real", "RealNM", "The stretch in space, homogeneous."
)
def scale3dh(_: Context, sx: Scalar, sy: Scalar, sz: Scalar) -> list[list[Scalar]]:
    return with_corner(_diagonal([sx, sy, sz]))


def _skew(ax: Scalar, ay: Scalar) -> list[list[Scalar]]:
    return [[1.0, tan(ax)], [tan(ay), 1.0]]


@function(
    _TRANSFORM, "ax: Real; ay: Real = 0", "RealNM", "The homogeneous slant by angles in radians."
)
def skew(_: Context, ax: Scalar, ay: Scalar) -> list[list[Scalar]]:
    return with_corner(_skew(ax, ay))


@function(_TRANSFORM, "ax: Real; ay: Real = 0", "RealNM", "The slant by angles in radians.")
def skew2d(_: Context, ax: Scalar, ay: Scalar) -> list[list[Scalar]]:
    return _skew(ax, ay)


def _shear(u: Vec, v: Vec, n: int | None = None) -> list[list[Scalar]]:
    if len(u) != len(v) or (n is not None and len(u) != n):
        raise BodyProblem(f"the vectors have {len(u)} and {len(v)} numbers")
    return _sum(_identity(len(v)), [[x * y for y in v] for x in u])


@function(
    _TRANSFORM, "u: RealN; v: RealN", "RealNM", "The homogeneous shear: x becomes x + (v.x) u."
)
def shear(_: Context, u: Vec, v: Vec) -> list[list[Scalar]]:
    return with_corner(_shear(u, v))


@function(_TRANSFORM, "u: RealN; v: RealN", "RealNM", "The shear of the plane.")
def shear2d(_: Context, u: Vec, v: Vec) -> list[list[Scalar]]:
    return _shear(u, v, 2)


@function(_TRANSFORM, "u: RealN; v: RealN", "RealNM", "The shear of space.")
def shear3d(_: Context, u: Vec, v: Vec) -> list[list[Scalar]]:
    return _shear(u, v, 3)


@function(_TRANSFORM, "x: Real; y: Real = 0", "RealNM", "The homogeneous shift by (x, y).")
def translate(_: Context, x: Scalar, y: Scalar) -> list[list[Scalar]]:
    return translation([x, y])


@function(_TRANSFORM, "x: Real; y: Real; z: Real", "RealNM", "The homogeneous shift by (x, y, z).")
def translate3dh(_: Context, x: Scalar, y: Scalar, z: Scalar) -> list[list[Scalar]]:
    return translation([x, y, z])


def _to_plain(q: Vec) -> list[Scalar]:
    if len(q) < 2:
        raise BodyProblem("homogeneous coordinates have two numbers or more")
    return [divide(x, q[-1]) for x in q[:-1]]


@function(
    _TRANSFORM, "q: RealN", "RealN", "The point of homogeneous coordinates.",
    name="fromHomogeneous",
)  # fmt: skip
def _from_homogeneous(_: Context, q: Vec) -> list[Scalar]:
    return _to_plain(q)


@function(
    _TRANSFORM, "Q: RealNM", "RealNM", "The points of homogeneous coordinates.",
    name="fromHomogeneousList",
)  # fmt: skip
def _from_homogeneous_list(_: Context, q: Rows) -> list[list[Scalar]]:
    return [_to_plain(one) for one in q]


@function(
    _TRANSFORM, "p: RealN", "RealN", "The homogeneous coordinates of a point: 1 is appended.",
    name="toHomogeneous",
)  # fmt: skip
def _to_homogeneous(_: Context, p: Vec) -> list[Scalar]:
    return [*p, 1.0]


@function(
    _TRANSFORM, "P: RealNM", "RealNM", "The homogeneous coordinates of points.",
    name="toHomogeneousList",
)  # fmt: skip
def _to_homogeneous_list(_: Context, p: Rows) -> list[list[Scalar]]:
    return [[*one, 1.0] for one in p]


@function(
    _TRANSFORM, "A: RealNM", "RealNM", "A linear map in homogeneous coordinates.",
    name="toHomogeneousMatrix",
)  # fmt: skip
def _to_homogeneous_matrix(_: Context, a: Rows) -> list[list[Scalar]]:
    _square(a)
    return with_corner(a)
