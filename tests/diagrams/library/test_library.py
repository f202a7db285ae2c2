"""The library's rows: against Penrose's answers, against formulas, against finite differences."""

import json
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.layout.machine import load_kernel
from kuaibao.diagrams.layout.slots import (
    COUNT_FP,
    COUNT_IP,
    FIRST_MOVING,
    I_STRIDE,
    MAX_EVALS,
    MAX_STEPS,
    N_BODY,
    N_CANDIDATES,
    N_MOVING,
    N_ROWS,
    N_TERMS,
    W_CAP,
    W_START,
    WIDTH,
    lane_stride,
)  # fmt: skip
from kuaibao.diagrams.layout.tape import Evaluator, make_tape
from kuaibao.diagrams.library import (
    LIBRARY,
    SHAPE_KINDS,
    ArgumentProblem,
    BodyProblem,
    Context,
    evaluate,
    library_json,
    library_page,
    property_names,
)
from kuaibao.diagrams.values import (
    FloatV,
    ListV,
    MatrixV,
    PtListV,
    Shape,
    ShapeListV,
    StrV,
    VectorV,
)

sys.path.insert(0, str(Path(__file__).parent))

import questions as asked

ANSWERS = [json.loads(line) for line in asked.ANSWERS.read_text("utf-8").splitlines()]
QUESTIONS = asked.questions()
REFUSED = {
    "overlappingEllipses", "overlappingCircleEllipse", "round", "signedDistance",
    "signedDistanceGroup",
}  # fmt: skip
"""What Penrose throws at (of the distances: those to an ellipse)."""
MENDED = {"floor", "mod", "closestSilhouettePointEllipse"}
"""Where Penrose's answer is a plain bug: it compiles floor as ceil, and takes the nearest point of
an ellipse for its silhouette."""
TIED = {"closestSilhouettePointCircle", "closestSilhouettePointGroup"}
"""Both tangent points of a circle are equally near: either is an answer."""
STEPPED = {"ceil", "floor", "round", "sign", "trunc", "mod", "selectColor", "randomIndex"}


def _id(question):
    return f"{question.row.kind}-{question.row.name}"


def _values(question):
    context = Context()
    context.rng = type("Fixed", (random.Random,), {"uniform": lambda *_: 0.3})()
    result = evaluate(question.row, context, question.arguments)
    return [context.start_value(x) for x in asked.flat(result)]


@pytest.mark.parametrize(
    ("question", "answer"), zip(QUESTIONS, ANSWERS, strict=True), ids=map(_id, QUESTIONS)
)
def test_an_entry_answers_as_penrose_does(question, answer):
    ours = _values(question)
    if question.row.name in MENDED | TIED:
        return
    if "error" in answer:
        assert question.row.name in REFUSED, answer["error"]
        return
    assert ours == pytest.approx([float(x) for x in answer["value"]], rel=1e-6, abs=1e-6)


def test_every_entry_that_gives_numbers_is_asked():
    names = {row.name for kind in ("constraint", "objective", "function")
             for row in LIBRARY.of_kind(kind).values()}  # fmt: skip
    assert {q.row.name for q in QUESTIONS} | asked.WITHOUT_NUMBERS == names
    sizes = [len(LIBRARY.of_kind(kind)) for kind in ("constraint", "objective", "function")]
    assert sizes == [34, 24, 228]


# Gradients.


def _unknowns(context, value):
    """The same value with an unknown in the place of every number that may be one."""
    if isinstance(value, Shape):
        kept = ("ensureOnCanvas", "clipPath", "strokeWidth", "scale")
        properties = {
            name: one if name in kept else _unknowns(context, one)
            for name, one in value.properties.items()
        }
        return Shape(value.kind, value.name, properties)

    def node(x):
        return context.graph.input(float(x), name="x")

    match value:
        case FloatV(x):
            return FloatV(node(x))
        case VectorV(xs):
            return VectorV([node(x) for x in xs])
        case PtListV(rows) | MatrixV(rows):
            return type(value)([[node(x) for x in row] for row in rows])
        case ShapeListV(shapes):
            return ShapeListV([_unknowns(context, one) for one in shapes])
        case _:
            return value


def _with_unknowns(question):
    """The entry over unknowns; numbers that must be known stay so.

    Corners of rectangles stay too: they share coordinates, and a box has no derivative there.
    """
    context = Context()
    known = ("PosInt", "Nat")
    frozen = ("minVal", "maxVal", "minIndex", "maxIndex", "k", "pathType", "largeArc", "arcSweep")
    arguments = [
        one
        if param.type in known or param.name in frozen or param.name.startswith("rect")
        else _unknowns(context, one)
        for one, param in zip(question.arguments, question.row.params, strict=True)
    ]
    result = evaluate(question.row, context, arguments)
    finite = [x for x in asked.flat(result) if math.isfinite(context.start_value(x))]
    return context.graph, [x for x in finite if isinstance(x, Node)]


def _gradient(graph, output, start):
    """By the tape's reverse pass: one evaluation of the optimiser at the start."""
    tape = make_tape(graph, [output.index], frozenset(range(len(graph.inputs))))
    n = len(tape.moving)
    ip = np.zeros(COUNT_IP, dtype=np.int64)
    ip[N_MOVING], ip[N_BODY], ip[N_TERMS] = n, tape.n_body, 1
    ip[FIRST_MOVING], ip[N_ROWS], ip[WIDTH] = tape.first_moving, tape.n_rows, 1
    ip[N_CANDIDATES], ip[MAX_EVALS], ip[MAX_STEPS] = 1, 1, 1
    fp = np.zeros(COUNT_FP)
    fp[W_START], fp[W_CAP] = 1.0, 1.0
    v = np.zeros((tape.n_rows, 1))
    v[: len(tape.constants), 0] = tape.constants
    lanes = np.zeros(lane_stride(n))
    starts = np.array([[start[k] for k in tape.moving]])
    term, objective = (np.array([x], dtype=np.int32) for x in (tape.row_of[output.index], 1))
    load_kernel()(
        ip, fp, tape.ops, tape.left, tape.right, tape.third, term, objective, v, np.zeros_like(v),
        lanes, np.zeros(I_STRIDE, dtype=np.int64), starts, np.zeros((1, 1)), starts.copy(),
        np.zeros((1, 4), dtype=np.int64),
    )  # fmt: skip
    gradient = np.zeros(len(start))
    gradient[tape.moving] = lanes[n : 2 * n]
    return gradient


@pytest.mark.parametrize("question", QUESTIONS, ids=_id)
def test_a_gradient_is_that_of_finite_differences(question):
    graph, outputs = _with_unknowns(question)
    if not outputs or not graph.inputs:
        return
    start = np.array([one.start for one in graph.inputs])
    weights = np.linspace(1.0, 2.0, len(outputs))
    total = sum((w * x for w, x in zip(weights, outputs, strict=True)), 0.0)
    if not isinstance(total, Node):
        return
    step = 1e-6 * np.maximum(1.0, np.abs(start))
    points = np.vstack([start + np.diag(step), start - np.diag(step)])
    values = Evaluator(graph, [total]).run(points)[:, 0]
    n = len(start)
    expected = (values[:n] - values[n:]) / (2 * step)
    scale = max(1.0, float(np.abs(values[np.isfinite(values)]).max(initial=0.0)))
    found = _gradient(graph, total, start)
    if question.row.name in STEPPED | TIED:
        assert np.isfinite(found).all()
        return
    assert found == pytest.approx(expected, rel=2e-4, abs=2e-8 * scale + 1e-6)


# Formulas where there is no answer to compare with.


def _number(name, *arguments, kind="function"):
    row = LIBRARY.of_kind(kind)[name]
    context = Context()
    values = [FloatV(a) if isinstance(a, float | int) else VectorV(list(a)) for a in arguments]
    return context.start_value(asked.flat(evaluate(row, context, values))[0])


@pytest.mark.parametrize("x", [-2.5, -0.2, 0.0, 1.5, 3.7])
def test_rounding_is_that_of_mathematics(x):
    assert _number("floor", x) == math.floor(x)
    assert _number("ceil", x) == math.ceil(x)
    assert _number("trunc", x) == math.trunc(x)
    assert _number("round", x) == math.floor(x + 0.5)
    assert _number("mod", x, 2.0) == pytest.approx(x % 2.0)


@pytest.mark.parametrize("seed", range(12))
def test_ellipses_overlap_where_they_share_a_point(seed):
    rng = random.Random(seed)
    c1, c2 = ([rng.uniform(-40, 40), rng.uniform(-40, 40)] for _ in range(2))
    rx1, ry1, rx2, ry2 = (rng.uniform(5, 40) for _ in range(4))
    value = _number("overlappingEllipses", c1, rx1, ry1, c2, rx2, ry2, kind="constraint")
    x, y = np.meshgrid(np.linspace(-90, 90, 721), np.linspace(-90, 90, 721))
    inside1 = ((x - c1[0]) / rx1) ** 2 + ((y - c1[1]) / ry1) ** 2 <= 1
    inside2 = ((x - c2[0]) / rx2) ** 2 + ((y - c2[1]) / ry2) ** 2 <= 1
    share = np.count_nonzero(inside1 & inside2)
    assert (value < 0) == (share > 0) or share < 12


def test_a_circle_overlaps_an_ellipse_as_an_ellipse_does():
    circle = _number("overlappingCircleEllipse", (1, 2), 9, (30, 5), 8, 12, kind="constraint")
    ellipse = _number("overlappingEllipses", (1, 2), 9, 9, (30, 5), 8, 12, kind="constraint")
    assert circle == ellipse


def test_the_silhouette_of_an_ellipse_is_where_a_tangent_touches_it():
    x, y = (_silhouette(k) for k in (0, 1))
    assert (x / 20) ** 2 + (y / 10) ** 2 == pytest.approx(1)
    normal = (x / 400, y / 100)
    assert normal[0] * (50 - x) + normal[1] * (30 - y) == pytest.approx(0, abs=1e-9)


def _silhouette(index):
    row = LIBRARY.functions["closestSilhouettePointEllipse"]
    given = [VectorV([0, 0]), FloatV(20), FloatV(10), VectorV([50, 30])]
    return asked.flat(evaluate(row, Context(), given))[index]


L_SHAPE = [[0, 0], [30, 0], [30, 10], [10, 10], [10, 30], [0, 30]]


@pytest.mark.parametrize(
    ("point", "is_inside"),
    [((5, 5), True), ((25, 5), True), ((5, 25), True), ((25, 25), False), ((-1, 5), False)],
)
def test_a_polygon_that_is_not_convex_holds_its_points(point, is_inside):
    row = LIBRARY.constraints["containsPolyPoint"]
    value = evaluate(row, Context(), [PtListV(L_SHAPE), VectorV(list(point))])
    assert (value <= 0) == is_inside


def test_polygons_that_are_not_convex_overlap_where_any_parts_do():
    row = LIBRARY.functions["shapeDistancePolys"]
    apart = [[x + 15, y + 15] for x, y in ((0, 0), (10, 0), (10, 10), (0, 10))]
    inside = [[x + 20, y + 2] for x, y in ((0, 0), (5, 0), (5, 5), (0, 5))]
    assert evaluate(row, Context(), [PtListV(L_SHAPE), PtListV(apart)]).contents == pytest.approx(5)
    assert evaluate(row, Context(), [PtListV(L_SHAPE), PtListV(inside)]).contents < 0


# Checking of arguments.


def test_lists_vectors_and_tuples_stand_for_each_other():
    row = LIBRARY.functions["norm"]
    for kind in (VectorV, ListV):
        assert evaluate(row, Context(), [kind([3.0, 4.0])]).contents == pytest.approx(5)


@pytest.mark.parametrize(
    ("name", "arguments", "tag"),
    [
        ("sqrt", [FloatV(1), FloatV(2)], "TooManyArguments"),
        ("sqrt", [], "MissingArgument"),
        ("sqrt", [StrV("x")], "BadArgumentType"),
        ("circumcenter", [VectorV([1, 2, 3])] * 3, "BadArgumentType"),
        ("pathFromPoints", [StrV("ajar"), PtListV([[0, 0]])], "BadArgumentType"),
    ],
)
def test_arguments_that_do_not_fit_are_named(name, arguments, tag):
    with pytest.raises(ArgumentProblem) as caught:
        evaluate(LIBRARY.functions[name], Context(), arguments)
    assert caught.value.tag == tag
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("inverse", [MatrixV([[1.0]])]),
        ("get", [VectorV([1.0]), FloatV(4)]),
        ("get", [VectorV([1.0]), FloatV(0.5)]),
        ("repeat", [FloatV(1e9), FloatV(0)]),
        ("dot", [VectorV([1.0]), VectorV([1.0, 2.0])]),
        ("ticksOnLine", [VectorV([0, 0]), VectorV([1, 0]), FloatV(1), FloatV(0), FloatV(1)]),
        ("curvatures", [MatrixV([[0, 0], [1, 0]]), asked.BoolV(False)]),
    ],
)
def test_arguments_that_an_entry_cannot_work_with_are_refused(name, arguments):
    with pytest.raises(BodyProblem):
        evaluate(LIBRARY.functions[name], Context(), arguments)


# The manual.


def test_shapes_have_as_many_properties_as_in_penrose():
    counts = {kind: len(property_names(kind)) for kind in SHAPE_KINDS}
    assert counts == {
        "Circle": 9, "Ellipse": 10, "Equation": 11, "Group": 4, "Image": 8, "Line": 15, "Path": 14,
        "Polygon": 9, "Polyline": 10, "Rectangle": 12, "Text": 26,
    }  # fmt: skip


def test_every_entry_stands_in_the_manual_with_a_sentence():
    page, data = library_page(), library_json()
    for kind in ("constraint", "objective", "function"):
        for row in LIBRARY.of_kind(kind).values():
            assert row.signature.replace("|", "\\|") in page
            assert re.fullmatch(r"\S.*\.", data[f"{kind}s"][row.name]["doc"]), row.name
