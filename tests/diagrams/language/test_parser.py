"""Each grammar rule, the quirks on tokens, and errors that teach."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.diagrams.errors import DiagramError, ProgramErrors
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.domain_tree import Subtyping
from kuaibao.diagrams.language.lines import MAX_DEPTH
from kuaibao.diagrams.language.parser import parse_domain, parse_style, parse_substance
from kuaibao.diagrams.language.source import join_sources


def domain(text):
    return parse_domain(join_sources("Domain", [("a.domain", text)])).statements


def substance(text):
    return parse_substance(join_sources("Substance", [("a.substance", text)])).statements


def style(text):
    return parse_style(join_sources("Style", [("a.style", text)]))


def body(text):
    return style("forall T x {\n" + text + "\n}").blocks[0].statements


def value(text):
    return body(f"x.a = {text}")[0].value


def test_every_domain_statement_has_a_tree():
    kinds = [
        type(one).__name__
        for one in domain(
            "type A -- one\ntype B <: A, C,\n/* over\nlines */ A <: B\npredicate P()\n"
            "symmetric predicate Q(A, B b)\nfunction f(A a) -> B out\nconstructor C(A a)"
        )
    ]
    assert kinds == ["TypeDeclaration", "TypeDeclaration", "Subtyping", "PredicateDeclaration",
                     "PredicateDeclaration", "FunctionDeclaration", "ConstructorDeclaration"]  # fmt: skip


def test_a_subtype_statement_keeps_both_names():
    (one,) = domain("A <: B")
    assert isinstance(one, Subtyping)
    assert (one.subtype.text, one.supertype.text) == ("A", "B")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Set A", "Declaration"),
        ("Set A, B,", "Declaration"),
        ("a := f(x, 3)", "Bind"),
        ("Set a := C()", "DeclareBind"),
        ("Let a := C(b)", "DeclareBind"),
        ('P(a, "s", -3.5)', "Predicate"),
        ("AutoLabel All", "AutoLabel"),
        ("AutoLabel a, b", "AutoLabel"),
        ("Label a $x -- y_{\\alpha}$", "Label"),
        ('Label a "b -- c"', "Label"),
        ("NoLabel a", "NoLabel"),
        (
            "Set a_i for i in [0, 3], j in [-1, 2] where i-1 < j mod 2 || !(true && i == 2)",
            "Indexed",
        ),
    ],
)
def test_every_substance_statement_has_a_tree(text, kind):
    (one,) = substance(text)
    assert type(one).__name__ == kind


def test_tex_and_strings_keep_backslashes_and_dashes():
    label, text = substance('Label a $\\frac{a}{b} -- c$\nLabel b "x -- \\y"')
    assert label.text == "\\frac{a}{b} -- c"
    assert label.is_math
    assert text.text == "x -- \\y"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2+1", "+(2, 1)"),
        ("a.b -1", "-(ab, 1)"),
        ("1 - 2 - 3", "-(-(1, 2), 3)"),
        ("2 ^ 3 ^ 4", "^(2, ^(3, 4))"),
        ("-x.y'", "'(-(xy))"),
        ("2 * 3 + 4", "+(*(2, 3), 4)"),
        ("x.a then x.b", "*(xb, xa)"),
        ("(1 + 2) * 3", "*(+(1, 2), 3)"),
        ("x.a .* x.b ./ x.c", "./(.*(xa, xb), xc)"),
        ("-3 ^ 2", "^(-3, 2)"),
    ],
)
def test_operators_bind_as_the_notes_say(text, shown):
    assert show(value(text)) == shown


def show(node):
    match node:
        case tree.Number(x):
            return f"{x:g}"
        case tree.Path():
            return node.root.text + "".join(m.text for m in node.members)
        case tree.Binary(operator, left, right):
            return f"{operator}({show(left)}, {show(right)})"
        case tree.Negative(x):
            return f"-({show(x)})"
        case tree.Transpose(x):
            return f"'({show(x)})"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("true", "Boolean"), ("#abc", "Color"), ('"s"', "Text"), ("?", "Unknown"),
        ("?[3.14] in [a, b]", "Unknown"), ("? except s", "Unknown"), ("[]", "ListLiteral"),
        ("[1, 2,]", "ListLiteral"), ("(1, 2, 3)", "VectorLiteral"), ("{1, 2}", "TupleLiteral"),
        ("f()", "Call"), ("f(1,\n   2\n)", "Call"), ("x.a[0][1]", "Path"), ("`A`.b.c", "Path"),
        ("listof r from xs", "ListOf"), ("numberof xs", "NumberOf"), ("nameof x", "NameOf"),
        ("Circle {\n r: 3\n\n -- c\n center: (0,\n 0)\n}", "ShapeLiteral"), ("Circle\n{}", "ShapeLiteral"),
        ("ensure f(x.a) in s", "Term"), ("encourage x.a == 3 except [s, t]", "Term"),
        ("x.a above x.b, x.c", "Layering"), ("3 +\n 4", "Binary"),
    ],
)  # fmt: skip
def test_every_expression_has_a_tree(text, kind):
    assert type(value(text)).__name__ == kind


def test_block_statements_have_trees():
    kinds = [
        type(one).__name__
        for one in body(
            "scalar x.a = 1\ncolor[] b = []\noverride x.a = 2\ndelete x.a\nlayer x.a above x.b\n"
            "x.a below x.b\nensure f(x)\nencourage 1 < 2\nCircle {\n}"
        )
    ]
    assert kinds == ["Assign", "Assign", "Assign", "Delete", *["Anonymous"] * 5]


def test_headers_have_trees():
    program = style(
        "layout = [a, b]\nns {\n}\n"
        "forall repeatable T a; U b, c\nwhere P(a, `B`) as r; v := f(a, 3); a has math label\n"
        "with T d\n{\n}\n"
        "collect T a into as\nforeach U u where P(a, u) with T t {\n}"
    )
    assert [name.text for name in program.layouts[0].stages] == ["a", "b"]
    namespace, selector, collector = (block.header for block in program.blocks)
    assert namespace.name.text == "ns"
    assert selector.is_repeatable
    assert [d.binding.text for d in selector.head] == ["a", "b", "c"]
    assert [type(r).__name__ for r in selector.where] == [
        "PredicateRelation",
        "BindRelation",
        "FieldRelation",
    ]
    assert collector.into.text == "as"
    assert [d.binding.text for d in collector.foreach] == ["u"]


def test_several_syntax_errors_are_named_in_one_run():
    with pytest.raises(ProgramErrors) as caught:
        style("forall T x {\n x.a = 3 4\n x.b = 1\n ensuree f(x)\n}\nforal T x {\n}\n")
    assert [error.place.line for error in caught.value.errors] == [2, 4, 6]
    assert all(error.tag == "ParseError" for error in caught.value.errors)


def test_an_error_shows_its_line_with_a_caret_and_a_guess():
    with pytest.raises(ProgramErrors) as caught:
        substance("Set A\nP(A) fr i in [1, 2]")
    text = str(caught.value)
    assert "a.substance:2:6" in text
    assert "  P(A) fr i in [1, 2]\n       ^^" in text
    assert "Did you mean 'for'?" in text


def test_places_in_joined_files_name_the_right_file():
    source = join_sources("Style", [("a.style", "a {\n}"), ("b.style", "\nb {\n x = = 1\n}\n")])
    with pytest.raises(ProgramErrors) as caught:
        parse_style(source)
    assert str(caught.value.place) == "b.style:3:6"


@pytest.mark.parametrize("text", ["(" * (MAX_DEPTH + 1), "[" * 100_000, "({[" * 50_000])
def test_deep_nesting_stops_within_the_bound(text):
    with pytest.raises(ProgramErrors) as caught:
        style("a {\n x = " + text)
    assert caught.value.tag == "TooDeep"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=" \n\t(){}[]<>=:;,.+-*/^'\"$#?`|&!aforllin_Set03é数x", max_size=60))
def test_no_text_makes_a_parser_raise_anything_but_our_errors(text):
    for parse in (domain, substance, style, body):
        with contextlib.suppress(DiagramError):
            parse(text)
