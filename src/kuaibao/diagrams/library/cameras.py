"""Functions that look at space: camera, projection and the picture on the canvas.

The conventions are OpenGL's (gluLookAt, gluPerspective, glOrtho, gluProject), with y turned in
`perspective` as Penrose does.
"""

from __future__ import annotations

import math

from kuaibao.diagrams.graph import Scalar
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.matrix_functions import Rows, product, translation
from kuaibao.diagrams.library.rows import BodyProblem, function
from kuaibao.diagrams.library.vectors import Vec, cross3, dot, minus, unit
from kuaibao.diagrams.scalars import divide, tan

__all__: list[str] = []

_GROUP = "Cameras"


@function(
    _GROUP,
    "eye: RealN; center: RealN; up: RealN",
    "RealNM",
    "The 4x4 matrix of a camera at eye that looks at center, with up upwards.",
    name="lookAt",
)
def _look_at(_: Context, eye: Vec, center: Vec, up: Vec) -> list[list[Scalar]]:
    if not len(eye) == len(center) == len(up) == 3:
        raise BodyProblem("eye, center and up must have three numbers each")
    forward = unit(minus(center, eye))
    side = unit(cross3(forward, up))
    rows = [
        [*side, 0.0],
        [*cross3(side, forward), 0.0],
        [*(-x for x in forward), 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    return product(rows, translation([-x for x in eye]))


@function(
    _GROUP,
    "fovy: Real; aspect: Real; zNear: Real = 0.1; zFar: Real = 100",
    "RealNM",
    "The perspective projection with the field of view fovy (degrees) and width/height aspect.",
)
def perspective(
    _: Context, fovy: Scalar, aspect: Scalar, near: Scalar, far: Scalar
) -> list[list[Scalar]]:
    cotangent = divide(1.0, tan((math.pi / 360.0) * fovy))
    depth = far - near
    return [
        [divide(cotangent, aspect), 0.0, 0.0, 0.0],
        [0.0, -cotangent, 0.0, 0.0],
        [0.0, 0.0, divide(-(far + near), depth), divide(2.0 * near * far, depth)],
        [0.0, 0.0, -1.0, 0.0],
    ]


@function(
    _GROUP,
    "Left: Real; Right: Real; Bottom: Real; Top: Real; zNear: Real = 0.1; zFar: Real = 100",
    "RealNM",
    "The parallel projection of a box.",
)
def ortho(
    _: Context,
    left: Scalar,
    right: Scalar,
    bottom: Scalar,
    top: Scalar,
    near: Scalar,
    far: Scalar,
) -> list[list[Scalar]]:
    return [
        [divide(2.0, right - left), 0.0, 0.0, divide(right + left, left - right)],
        [0.0, divide(2.0, top - bottom), 0.0, divide(top + bottom, bottom - top)],
        [0.0, 0.0, divide(-2.0, far - near), divide(far + near, near - far)],
        [0.0, 0.0, 0.0, 1.0],
    ]


def _project(p: Vec, model: Rows, proj: Rows, view: Vec) -> list[Scalar]:
    if len(p) != 3 or len(view) != 4 or not len(model) == len(proj) == 4:
        raise BodyProblem("p needs three numbers, view four, model and proj four rows")
    seen = [dot(row, [*p, 1.0]) for row in model]
    clip = [dot(row, seen) for row in proj]
    x, y, z = (0.5 * divide(c, clip[3]) + 0.5 for c in clip[:3])
    return [x * view[2] + view[0], y * view[3] + view[1], z]


_PARAMS = "model: RealNM; proj: RealNM; view: RealN -- x, y, width, height of the picture"


@function(_GROUP, f"p: RealN; {_PARAMS}", "RealN", "Where a point of space is seen.")
def project(_: Context, p: Vec, model: Rows, proj: Rows, view: Vec) -> list[Scalar]:
    return _project(p, model, proj, view)[:2]


@function(
    _GROUP, f"p: RealN; {_PARAMS}", "RealN", "Where a point of space is seen, and its depth.",
    name="projectDepth",
)  # fmt: skip
def _project_depth(_: Context, p: Vec, model: Rows, proj: Rows, view: Vec) -> list[Scalar]:
    return _project(p, model, proj, view)


@function(
    _GROUP, f"p: RealNM; {_PARAMS}", "Real2N", "Where points of space are seen.",
    name="projectList",
)  # fmt: skip
def _project_list(_: Context, p: Rows, model: Rows, proj: Rows, view: Vec) -> list[list[Scalar]]:
    return [_project(one, model, proj, view)[:2] for one in p]
