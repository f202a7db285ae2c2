"""Notation: what a Domain declares is read, shown as plain Substance, and never guessed."""

import contextlib
import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao import diagrams
from kuaibao.cli.main import main
from kuaibao.diagrams.checking.domain import check_domain
from kuaibao.diagrams.errors import ProgramErrors
from kuaibao.diagrams.language.parser import parse_domain, parse_substance
from kuaibao.diagrams.language.source import join_sources
from kuaibao.diagrams.notation import desugar, print_substance

DOMAIN = r"""
type Set
type Point
type Map
type Vector
predicate Subset(Set a, Set b)
predicate In(Point p, Set s)
predicate Disjoint(Set a, Set b)
predicate From(Map f, Set a, Set b)
predicate Unit(Vector u)
predicate At(Point p, Number x)
symmetric predicate Orthogonal(Vector, Vector)
function Union(Set a, Set b) -> Set
function Intersection(Set a, Set b) -> Set
function Add(Vector a, Vector b) -> Vector
function AddSet(Set a, Set b) -> Set
notation "a ⊂ b", "a \subset b" ~ "Subset(a, b)" chain
notation "x ∈ b", "x in b" ~ "In(x, b)" chain
notation "a ∪ b" ~ "Union(a, b)" precedence 10
notation "a ∩ b" ~ "Intersection(a, b)" precedence 20 left
notation "a ∩ b = ∅" ~ "Disjoint(a, b)"
notation "f : a → b", "f:a->b" ~ "Map f; From(f, a, b)"
notation "u ⟂ v" ~ "Orthogonal(u, v)"
notation "‖u‖ = 1" ~ "Unit(u)"
notation "p @ x" ~ "At(p, x)"
notation "u + v" ~ "Add(u, v)" precedence 30 left
notation "a + b" ~ "AddSet(a, b)" precedence 30 left
"""
DECLARED = "Set A, B, C\nPoint x, y\nVector u, v, w\n"


def read(text, domain=DOMAIN):
    tree = parse_domain(join_sources("Domain", [("d.domain", domain)]))
    return desugar(join_sources("Substance", [("s.substance", text)]), tree, check_domain(tree))


def plain(line):
    text = read(DECLARED + line + "\n").text
    assert text.startswith(DECLARED)
    return text.removeprefix(DECLARED).strip().split("\n")


def errors(text, domain=DOMAIN):
    with pytest.raises(ProgramErrors) as caught:
        read(text, domain)
    return caught.value.errors


@pytest.mark.parametrize(
    ("line", "statements"),
    [
        ("A ⊂ B", ["Subset(A, B)"]),
        (r"A \subset B", ["Subset(A, B)"]),
        ("A⊂B", ["Subset(A, B)"]),
        ("A ⊂ B ⊂ C", ["Subset(A, B)", "Subset(B, C)"]),
        ("x ∈ A ⊂ B", ["In(x, A)", "Subset(A, B)"]),
        ("x, y in A", ["In(x, A)", "In(y, A)"]),
        ("f : A → B", ["Map f", "From(f, A, B)"]),
        ("f:A->B", ["Map f", "From(f, A, B)"]),
        ("‖u‖ = 1", ["Unit(u)"]),
        ("‖u‖=1", ["Unit(u)"]),
        ("u ⟂ v", ["Orthogonal(u, v)"]),
        ("A ∩ B = ∅", ["Disjoint(A, B)"]),
        ("x @ -2.5", ["At(x, -2.5)"]),
        ("Set D := A ∪ B", ["Set D := Union(A, B)"]),
        ("w := u + v", ["w := Add(u, v)"]),
        ("Let D := A ∪ B", ["Set D := Union(A, B)"]),
        ("A ∪ B ⊂ C", ["Set e1 := Union(A, B)", "Subset(e1, C)"]),
        ("Subset(Union(A, B), C)", ["Set e1 := Union(A, B)", "Subset(e1, C)"]),
        (
            "Set D := A ∪ B ∩ C",
            ["Set e1 := Intersection(B, C)", "Set D := Union(A, e1)"],
        ),
        ("Set D := (A ∪ B) ∩ C", ["Set e1 := Union(A, B)", "Set D := Intersection(e1, C)"]),
        ("Vector t := u + v + w", ["Vector e1 := Add(u, v)", "Vector t := Add(e1, w)"]),
        ("Set D := A + B", ["Set D := AddSet(A, B)"]),
        (
            "x_i ∈ A for i in [1, 3] where i != 2",
            ["In(x_i, A) for i in [1, 3] where i != 2"],
        ),
    ],
)
def test_a_line_in_notation_is_plain_substance(line, statements):
    assert plain(line) == statements


def test_plain_programs_and_comments_stay_as_they_are():
    text = DECLARED + "-- a note\nSubset(A, B) -- another\n\nAutoLabel All\n"
    assert read(text).text == text


def test_what_is_written_twice_is_one_object_labelled_as_written():
    text = read(DECLARED + "A ∪ B ⊂ C\nx ∈ A ∪ B\nAutoLabel All\n").text
    assert text.count("Union") == 1
    assert r"Label e1 $A \cup B$" in text


def test_a_comment_behind_a_repeated_line_stays():
    assert plain("x_i ∈ A for i in [1, 2] -- all of them") == [
        "In(x_i, A) for i in [1, 2] -- all of them"
    ]


def test_two_readings_are_shown_and_none_is_chosen():
    (error,) = errors(DECLARED + "A ∪ B ∪ C ⊂ A\n")
    assert error.tag == "AmbiguousNotation"
    assert error.message == "this can be read as (A ∪ B) ∪ C or as A ∪ (B ∪ C)"
    assert (error.place.line, error.place.column, error.place.length) == (4, 1, 9)


def test_a_long_ambiguous_line_is_told_at_once():
    (error,) = errors(DECLARED + "Set D := " + " ∪ ".join("A" for _ in range(80)) + "\n")
    assert error.tag == "AmbiguousNotation"


def test_every_wrong_line_is_named_with_its_place():
    found = errors(DECLARED + "A ⊂ ⊂ B\nSubset(A,,)\nA ⊂\nA & B\n")
    assert [(one.tag, one.place.line, one.place.column) for one in found] == [
        ("ParseError", 4, 5),
        ("ParseError", 5, 10),
        ("ParseError", 6, 4),
        ("ParseError", 7, 3),
    ]
    assert "_ ⊂ _" in found[0].hint


def test_types_choose_between_notations_that_look_alike():
    (error,) = errors(DECLARED + "A + x ⊂ B\n")
    assert error.tag == "TypeMismatch"
    assert "Add and AddSet" in error.message


@pytest.mark.parametrize(
    ("notation", "message"),
    [
        ('notation "a ⊂ b" ~ "Subset(a, c)"', "c stands on the right"),
        ('notation "a b" ~ "Subset(a, b)"', "no word or sign"),
        ('notation "a a ⊂ b" ~ "Subset(a, b)"', "stands twice"),
        ('notation "a b ⊂" ~ "Subset(a, b)"', "side by side"),
        ('notation "a ⊂ b" ~ "Subst(a, b)"', "declares no Subst"),
        ('notation "a ⊂ b" ~ "Subset(a"', "is not Substance"),
        ('notation "a ⊂ b" ~ "Label a"', "is not Substance"),
        ('notation "a ⊂ b" ~ "AutoLabel a, b"', "stands for declarations"),
        ('notation "a --> b" ~ "Subset(a, b)"', "begins a comment"),
        ('notation "a ⊂" ~ "Subset(a)"', "takes 2 arguments"),
        ('notation "has a" ~ "Subset(a, a)" chain', "only a statement between two names"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_told(notation, message):
    found = errors("Set A\n", f"type Set\npredicate Subset(Set a, Set b)\n{notation}\n")
    assert message in found[0].message
    assert found[0].place.line == 3


def test_errors_of_the_checker_point_at_the_line_as_written():
    with pytest.raises(ProgramErrors) as caught:
        diagrams.compile("Set A\nA ⊂ Bee\n", "canvas { width = 9  height = 9 }", DOMAIN)
    (error,) = caught.value.errors
    assert (error.tag, error.place.line, error.place.column) == ("VarNotFound", 2, 5)
    assert error.place.source_line == "A ⊂ Bee"


def test_the_command_shows_plain_substance(tmp_path, capsys):
    (tmp_path / "a.domain").write_text(DOMAIN)
    (tmp_path / "a.substance").write_text("Set A, B\nA ⊂ B\n")
    (tmp_path / "a.style").write_text("canvas {\n width = 9\n height = 9\n}\n")
    trio = {"substance": "a.substance", "style": ["a.style"], "domain": "a.domain"}
    (tmp_path / "a.trio.json").write_text(json.dumps(trio))
    main_quietly(["draw", str(tmp_path / "a.trio.json"), "--desugar"])
    assert capsys.readouterr().out == "Set A, B\nSubset(A, B)\n"
    main_quietly(["draw", str(tmp_path / "a.trio.json"), "--desugar", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["substance"] == "Set A, B\nSubset(A, B)\n"
    assert "notation" not in printed["domain"]
    assert printed["domain"].startswith("\ntype Set\n")


def main_quietly(arguments):
    with contextlib.suppress(SystemExit):
        main(arguments)


NAMES = st.sampled_from(["A", "B", "C"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.tuples(inner, st.sampled_from("∪∩"), inner).map(
        lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
    ),
    max_leaves=6,
)


@settings(max_examples=30, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_what_is_bracketed_has_one_reading_that_is_plain_again(left, right):
    text = read(f"{DECLARED}{left} ⊂ {right}\n")
    again = parse_substance(join_sources("Substance", [("", text.text)]))
    assert print_substance(again.statements) == print_substance(text.program.statements)
    calls = [line for line in text.text.split("\n") if "Union" in line or "Intersection" in line]
    assert len(calls) == len(set(calls))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=string.ascii_letters[:6] + '∪∩⊂∈= ,()1@"$\\\n:→-[]', max_size=40))
def test_any_text_is_read_or_refused_with_our_error(text):
    found = ()
    try:
        read(text)
    except ProgramErrors as error:
        found = error.errors
    assert all(one.place is not None for one in found)
