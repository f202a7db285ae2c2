"""Programs become the problem that Penrose makes of them, and wrong ones are named by tag."""

import pytest

from kuaibao import diagrams
from kuaibao.diagrams.problem import walk_shapes

DOMAIN = "type Set\npredicate In(Set a, Set b)\npredicate At(Set s, Number n)\n"
CANVAS = "canvas {\n width = 100\n height = 80\n}\n"


def program(style, substance="Set A, B\nIn(A, B)\nAt(A, 3)\nAutoLabel All", canvas=CANVAS):
    return diagrams.compile(substance, canvas + style, DOMAIN)


def shapes(compiled):
    return {shape.name: shape for shape in walk_shapes(compiled.problem.shapes)}


# (name, inputs, constraints, objectives): what @penrose/core 4.0.0-alpha.5 says of the same files.
PARITY = [("euler", 48, 18, 4), ("words", 295, 123, 22)]


@pytest.mark.parametrize(("name", "inputs", "constraints", "objectives"), PARITY)
def test_a_program_has_the_numbers_that_penrose_counts(
    name, inputs, constraints, objectives, request
):
    folder = request.path.parents[1] / "programs"
    problem = diagrams.compile_files(diagrams.read_trio(folder / f"{name}.trio.json")).problem
    found = (problem.n_input, len(problem.constraints), len(problem.objectives))
    assert found == (inputs, constraints, objectives)


@pytest.mark.parametrize(
    ("style", "tag"),
    [
        ("forall Set x {\n x.a = Circl {\n }\n}", "InvalidGPITypeError"),
        ("forall Set x {\n x.a = f(1)\n}", "InvalidFunctionNameError"),
        ("forall Set x {\n ensure f(1)\n}", "InvalidConstraintNameError"),
        ("forall Set x {\n encourage f(1)\n}", "InvalidObjectiveNameError"),
        ("forall Set x {\n ensure lessThan(1)\n}", "MissingArgumentError"),
        ("forall Set x {\n ensure lessThan(1, 2, 3, 4)\n}", "TooManyArgumentsError"),
        ('forall Set x {\n ensure lessThan(1, "a")\n}', "BadArgumentTypeError"),
        ("forall Set x {\n x.a = x.b\n}", "MissingPathError"),
        ("forall Set x {\n x.a = x.b\n x.b = x.a\n}", "CyclicAssignmentError"),
        ("forall Set x {\n x.a.r = 3\n}", "MissingShapeError"),
        ("forall Set x {\n x.a = 3\n x.a.r = 3\n}", "NotShapeError"),
        ("forall Set x {\n x.a = Circle {\n  r: Circle {\n }\n }\n}", "NestedShapeError"),
        ("forall Set x {\n x.a = Circle {\n  r: \"a\"\n }\n}", "BadShapeParamTypeError"),
        ("forall Set x {\n x.a = Circle {\n  zz: true\n }\n}", "BadShapeParamTypeError"),
        ("forall Set x {\n x = 3\n}", "AssignSubstanceError"),
        ("forall Set x {\n delete x\n}", "DeleteSubstanceError"),
        ("forall Set x {\n canvas = 3\n}", "AssignGlobalError"),
        ("forall Set x {\n delete canvas\n}", "DeleteGlobalError"),
        ("forall Set x {\n x.a[0] = 3\n}", "AssignAccessError"),
        ("forall Set x {\n a = `A`.b\n}", "UndeclaredSubVarError"),
        ("forall Set x {\n a = x\n}", "PathToSubstanceError"),
        ("forall Set x {\n a = canvas\n}", "PathToNamespaceError"),
        ("forall Set x {\n a = x.b.c.d\n}", "NonWellFormedPathError"),
        ("collect Set x into xs {\n a = xs\n}", "PathToCollectionError"),
        ("collect Set x into xs {\n a = xs.b\n}", "CollectionMemberAccessError"),
        ("forall Set x {\n a = numberof x\n}", "NotSubstanceCollectionError"),
        ("collect Set x into xs {\n a = nameof xs\n}", "NotStyleVariableError"),
        ("forall Set x {\n a = (1, 2)[5]\n}", "ParseError"),
        ("forall Set x {\n b = (1, 2)\n a = b[5]\n}", "OutOfBoundsError"),
        ("forall Set x {\n b = (1, 2)\n a = b[?]\n}", "BadIndexError"),
        ("forall Set x {\n b = 3\n a = b[0]\n}", "UnindexableItemError"),
        ("forall Set x {\n a = (1, 2) * (3, 4)\n}", "BinOpTypeError"),
        ("forall Set x {\n a = -true\n}", "UOpTypeError"),
        ("forall Set x {\n a = [1, true]\n}", "BadElementError"),
        ("forall Set x {\n a = #abcde\n}", "InvalidColorLiteral"),
        ("forall Set x {\n x.a = 3\n x.a above x.a\n}", "LayerOnNonShapesError"),
        ("forall Set x {\n a = ensure 1 < 2\n b = a + 1\n}", "MissingPathError"),
        ("canvas {\n}", "RedeclareNamespaceError"),
        ("layout = a\nlayout = b", "MultipleLayoutError"),
        ("forall Set x {\n a = Equation {\n string: \"\"\n }\n}", "Fatal"),
    ],
)  # fmt: skip
def test_wrong_styles_are_refused_by_tag(style, tag):
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program(style)
    assert caught.value.tag == tag
    assert caught.value.place is not None


def test_a_style_without_a_canvas_is_refused():
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program("", canvas="")
    assert [error.tag for error in caught.value.errors] == ["CanvasNonexistentDimsError"] * 2


def test_one_mistake_in_a_block_with_many_matches_is_named_once():
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program("forall Set x {\n a = nope(1)\n b = a\n}", "Set v_i for i in [0, 50]")
    assert len(caught.value.errors) == 1


@pytest.mark.parametrize(
    ("style", "tags"),
    [
        ("forall Set x {\n x.a = 1\n x.a = 2\n}", ["ImplicitOverrideWarning"]),
        ("forall Set x {\n delete x.a\n}", ["NoopDeleteWarning"]),
        (
            "forall Set `A` {\n a = Circle {\n }\n b = Circle {\n }\n a above b\n b above a\n}",
            ["LayerCycleWarning"],
        ),
        (
            "forall Set `A` {\n a = Circle {\n }\n b = Group {\n shapes: [a]\n }\n"
            " c = Group {\n shapes: [a]\n }\n}",
            ["ShapeBelongsToMultipleGroups"],
        ),
        ("forall Set x {\n ensure 1 < 2 in nowhere\n}", ["UnknownStageWarning"]),
    ],
)
def test_warnings_have_tags(style, tags):
    assert [warning.tag for warning in program(style).warnings] == tags


def test_overrides_of_later_blocks_reach_earlier_expressions():
    made = program(
        "forall Set x {\n x.icon = Circle {\n r: x.size\n }\n x.size = 1\n}\n"
        "forall Set `A` {\n override `A`.size = 7\n delete `A`.icon.zz\n}"
    )
    found = shapes(made)
    assert found["`A`.icon"]["r"] == 7
    assert found["`B`.icon"]["r"] == 1


def test_a_deleted_property_gets_its_default_back():
    made = program("forall Set `A` {\n a = Circle {\n strokeWidth: 9\n }\n delete a.strokeWidth\n}")
    assert next(iter(shapes(made).values()))["strokeWidth"] == 0


def test_matches_know_their_number():
    made = program("forall Set x {\n x.c = Circle {\n r: match_id * 10 + match_total\n }\n}")
    assert [shape["r"] for shape in shapes(made).values()] == [12, 22]


def test_a_literal_is_a_value_and_has_a_name():
    made = program('forall Set s where At(s, n) {\n t = Text {\n string: nameof n + "!"\n }\n}')
    (text,) = shapes(made).values()
    assert text["string"] == "3!"
    assert text["width"] > 0


def test_layers_decide_the_order_of_drawing():
    made = program(
        "forall Set `A` {\n a = Circle {\n }\n b = Circle {\n }\n c = Circle {\n }\n"
        " a above b, c\n b below c\n}"
    )
    assert [shape.name.rpartition(".")[2] for shape in made.problem.shapes] == ["b", "c", "a"]


def test_layering_is_lifted_through_groups():
    made = program(
        "forall Set `A` {\n a = Circle {\n }\n b = Circle {\n }\n"
        " g = Group {\n shapes: [a]\n }\n h = Group {\n shapes: [b]\n }\n a above b\n}"
    )
    assert [shape.name.rpartition(".")[2] for shape in made.problem.shapes] == ["h", "g"]


def test_stages_mask_inputs_and_terms():
    made = program(
        "layout = [s, t]\nforall Set `A` {\n x = ? in s\n y = ? except s\n"
        " ensure x < y in [s, t]\n encourage x < 1 except t\n}"
    )
    problem = made.problem
    assert [one.stages for one in problem.graph.inputs] == [frozenset("s"), frozenset("t")]
    assert problem.constraints[0].stages == frozenset("st")
    assert problem.objectives[0].stages == frozenset("s")


@pytest.mark.parametrize("text", [
    "a0 = \"xxxxxxxxxx\"\n" + "\n".join(f"a{k + 1} = a{k} + a{k}" for k in range(60)),
])  # fmt: skip
def test_a_string_that_doubles_itself_stops(text):
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program("forall Set `A` {\n" + text + "\n}")
    assert caught.value.tag == "BinOpTypeError"


def test_a_long_chain_of_fields_needs_no_deep_stack():
    chain = "\n".join(f" a{k + 1} = a{k} + 1" for k in reversed(range(3000)))
    made = program("forall Set `A` {\n" + chain + "\n a0 = 0\n c = Circle {\n r: a3000\n }\n}")
    (circle,) = shapes(made).values()
    assert circle["r"] == 3000


def test_a_sum_of_any_length_is_a_number():
    compiled = program("forall Set s {\n s.i = Circle {\n r: 1" + " + 1" * 3000 + "\n }\n}\n")
    assert shapes(compiled)["`A`.i"]["r"] == 3001


@pytest.mark.parametrize("expression", ["2" + " ^ 1" * 3000, "((1, 2), (3, 4))" + "'" * 3000])
def test_what_is_nested_too_deep_is_an_error_with_its_place(expression):
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program(f"forall Set s {{\n v = {expression}\n}}\n")
    assert caught.value.tag == "TooDeep"
    assert caught.value.place.line == 6


def test_a_condition_that_is_nested_too_deep_is_an_error():
    with pytest.raises(diagrams.ProgramErrors) as caught:
        program("", "Set A_i for i in [0, 2] where i < 2" + " && i < 2" * 3000)
    assert caught.value.tag == "TooDeep"


def test_an_unknown_function_is_answered_by_the_nearest_not_by_all():
    with pytest.raises(diagrams.ProgramErrors) as caught:
        diagrams.compile("A a\n", CANVAS + "forall A a {\n a.v = nrom((1, 2))\n}\n", "type A\n")
    (error,) = caught.value.errors
    assert "'norm'" in error.hint
    assert "kuaibao draw --library" in error.hint
    assert len(error.hint) < 150


def test_a_long_circle_of_fields_is_told_in_one_line():
    fields = "".join(f" a.v{k} = a.v{(k + 1) % 500}\n" for k in range(500))
    with pytest.raises(diagrams.ProgramErrors) as caught:
        diagrams.compile("A a\n", CANVAS + f"forall A a {{\n{fields}}}\n", "type A\n")
    assert "(493 more)" in caught.value.errors[0].message
