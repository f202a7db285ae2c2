"""Domain and Substance errors by their tags; matches by the rules of the notes."""

import pytest

from kuaibao.diagrams.checking.domain import check_domain
from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.checking.matching import TooManyMatchesError, match_header
from kuaibao.diagrams.checking.selectors import check_header
from kuaibao.diagrams.checking.substance import check_substance
from kuaibao.diagrams.errors import ProgramErrors
from kuaibao.diagrams.language.parser import parse_domain, parse_style, parse_substance
from kuaibao.diagrams.language.source import join_sources

DOMAIN = """type Set
type Sub <: Set
type Value
predicate In(Set a, Set b)
symmetric predicate Dis(Set, Set)
predicate At(Set s, Number x, String t)
function f(Set a) -> Value
constructor C(Set a, Number n) -> Sub
"""


def domain(text=DOMAIN):
    return check_domain(parse_domain(join_sources("Domain", [("d", text)])))


def substance(text):
    return check_substance(parse_substance(join_sources("Substance", [("s", text)])), domain())


def tags(call, text):
    with pytest.raises(ProgramErrors) as caught:
        call(text)
    assert all(error.place is not None for error in caught.value.errors)
    return [error.tag for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type A\ntype A", ["TypeDeclared"]),
        ("type Number", ["TypeDeclared"]),
        ("type A <: B", ["TypeNotFound"]),
        ("type A <: String", ["SubOrSuperLiteralTypeError"]),
        ("type A\ntype B <: A\nA <: B", ["CyclicSubtypes", "CyclicSubtypes"]),
        ("type A\npredicate P(A)\npredicate P(A)", ["DuplicateName"]),
        ("type A\nfunction f(A a) -> Number", ["OutputLiteralTypeError"]),
        ("type A\ntype B\nsymmetric predicate P(A, B)", ["SymmetricTypeMismatch"]),
        ("type A\nsymmetric predicate P(A)", ["SymmetricArgLengthMismatch"]),
        ("predicate P(X)\npredicate Q(Y)", ["TypeNotFound", "TypeNotFound"]),
    ],
)
def test_wrong_domains_are_refused_by_tag(text, expected):
    assert tags(domain, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sett A", ["TypeNotFound"]),
        ("Number n", ["DeclLiteralError"]),
        ("Set A\nSet A", ["DuplicateName"]),
        ("In(A, B)", ["VarNotFound", "VarNotFound"]),
        ("Set A\nIn(A)", ["ArgLengthMismatch"]),
        ("Set A\nInn(A, A)", ["TypeNotFound"]),
        ("Set A\nIn(A, 3)", ["TypeMismatch"]),
        ("Set A\nA := f(A)", ["TypeMismatch"]),
        ("Set A\nValue v := g(A)", ["TypeNotFound"]),
        ("Set A_i for i in [0, 1], i in [0, 1]", ["DuplicateIndexError"]),
        ("Set A_i for i in [0, 1.5]", ["BadSetIndexRangeError"]),
        ("Set A_k for i in [0, 1]", ["InvalidSetIndexingError"]),
        ("Set A_i for i in [0, 1] where 1 / 0 == i", ["DivideByZeroError"]),
        ("Set A_i for i in [-1, 0] where (0 - 1) ^ 0.5 == i", ["InvalidArithmeticValueError"]),
        ("Set A_i for i in [0, 99999999]", ["TooManyIndices"]),
        ("Sett A\nNumber n\nSet B, B", ["TypeNotFound", "DeclLiteralError", "DuplicateName"]),
    ],
)
def test_wrong_substances_are_refused_by_tag(text, expected):
    assert tags(substance, text) == expected


def test_a_misspelt_type_gets_a_suggestion():
    with pytest.raises(ProgramErrors) as caught:
        substance("Sett A")
    assert "Did you mean 'Set'" in caught.value.hint


def test_indexed_statements_vary_their_first_index_slowest():
    checked = substance(
        "Set a_0, a_1\nSet w_i for i in [1, 0]\nSet x_i for i in [0, 3] where i % 2 == 0\n"
        "In(a_i, a_j) for i in [0, 1], j in [0, 1]"
    )
    assert list(checked.objects) == ["a_0", "a_1", "x_0", "x_2"]
    pairs = [tuple(name[2:] for name in fact.arguments) for fact in checked.facts]
    assert pairs == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]


def test_labels_act_in_order():
    checked = substance('Set A, B, C\nLabel A $a$\nAutoLabel All\nLabel B "b"\nNoLabel C')
    found = {name: (label.text, label.kind) for name, label in checked.labels.items()}
    assert found == {"A": ("A", "math"), "B": ("b", "text"), "C": ("", "")}


def test_literals_are_kept_once_each():
    checked = substance('Set A\nAt(A, 3, "x")\nAt(A, 3.0, "y")\nAt(A, 3, "x")')
    assert list(checked.literals) == ["{n3}", "{sx}", "{sy}"]


PROGRAM = """Set A, B, C
In(A, B)
In(A, B)
Dis(B, C)
Sub s := C(A, 3)
At(A, 1, "l")
At(B, 2, "r")
AutoLabel All
NoLabel B
"""


def matches(header, text=PROGRAM):
    program = parse_style(join_sources("Style", [("a.style", header + " {\n}\n")]))
    findings = Findings(program.source)
    head = program.blocks[0].header
    types = check_header(head, domain(), findings)
    findings.raise_if_any()
    return match_header(head, types, domain(), substance(text))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("forall Set x", ["x=A", "x=B", "x=C", "x=s"]),
        ("forall Sub x", ["x=s"]),
        ("forall Set x; Set y where In(x, y)", ["x=A y=B", "x=A y=B"]),
        ("forall Set x; Set y where In(x, y) as r", ["r=In_A_B x=A y=B"] * 2),
        ("forall Set x; Set y where Dis(x, y)", ["x=B y=C"]),
        ("forall Set x where Dis(x, `B`) with Set `B`", ["`B`=B x=C"]),
        ("forall Sub v; Set a where v := C(a, n)", ["a=A n={n3} v=s"]),
        ("forall Sub v; Set a where v := C(a, 4)", []),
        ("forall Set x where x has label", ["x=A", "x=C", "x=s"]),
        ("forall Set x where x has text label", []),
        ('forall Set x where At(x, n, "r")', ["n={n2} x=B"]),
        ("forall Number n", ["n={n3}", "n={n1}", "n={n2}"]),
        ("forall Set `Z`", []),
        ("forall Sub x; Sub y", []),
        ("forall repeatable Sub x; Sub y", ["x=s y=s"]),
        (
            "forall Set x; Set y",
            ["x=A y=B", "x=A y=C", "x=A y=s", "x=B y=C", "x=B y=s", "x=C y=s"],
        ),
        ("forall Set x; Sub y", ["x=A y=s", "x=B y=s", "x=C y=s"]),
    ],
)
def test_headers_match_in_order(header, expected):
    found = [
        " ".join(f"{key}={name}" for key, name in sorted(match.objects.items()))
        for match in matches(header)
    ]
    assert found == expected


def test_a_collector_groups_by_its_foreach_objects():
    (match,) = matches("collect Set x into xs where In(x, y) foreach Set y")
    assert match.objects == {"y": "B"}
    assert match.collection.objects == ("A", "A")


def test_pairs_by_brute_force_agree_with_the_joins():
    text = "Set v_i for i in [0, 5]\nIn(v_i, v_j) for i in [0, 5], j in [0, 5] where i < j\n"
    found = matches("forall Set a; Set b; Set c where In(a, b); In(b, c)", text)
    expected = [(i, j, k) for i in range(6) for j in range(6) for k in range(6) if i < j < k]
    assert [tuple(int(m.objects[k][2:]) for k in "abc") for m in found] == expected


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("forall Sett x", "TypeNotFound"),
        ("forall Set x; Set x", "SelectorVarMultipleDecl"),
        ("forall Set x where In(x, y)", "VarNotFound"),
        ("forall Set x where In(x)", "ArgLengthMismatch"),
        ("forall Set x where Inn(x, x)", "TypeNotFound"),
        ("forall Value v where In(v, v)", "TypeMismatch"),
        ("forall Set x; Set y where In(x, y) as Set", "SelectorAliasNamingError"),
        ("forall Set x where x has colour", "SelectorFieldNotSupported"),
    ],
)
def test_wrong_headers_are_refused_by_tag(header, tag):
    with pytest.raises(ProgramErrors) as caught:
        matches(header)
    assert caught.value.tag == tag


def test_ten_million_matches_stop_at_the_bound():
    with pytest.raises(TooManyMatchesError):
        matches("forall Set a; Set b; Set c", "Set v_i for i in [0, 400]")
