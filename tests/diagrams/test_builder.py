"""Diagrams without a language, in notebooks and in fenced blocks."""

from xml.etree import ElementTree

import pytest

from kuaibao import diagrams
from kuaibao.bulletin.writing import draw_figures
from kuaibao.diagrams.errors import DiagramError, ProgramErrors
from kuaibao.diagrams.illustrator import DiagramIllustrator

BLOCK = "domain: sets\nstyle: tree\nSet A, B\nA ⊃ B\nAutoLabel All\n"


def test_calls_become_substance():
    build = diagrams.Builder("sets")
    a, b = build.Set("A", "B")
    x = build.Element("x", label=r"\xi")
    union = build.Union(a, b, name="U", label=r"A \cup B")
    build.In(x, union)
    build.auto_label()
    assert build.substance == (
        "Set A, B\nElement x\nLabel x $\\xi$\nSet U := Union(A, B)\nLabel U $A \\cup B$\n"
        "In(x, U)\nAutoLabel All\n"
    )
    assert build.draw().violation < 0.1


def test_literals_and_lines_in_notation_can_be_said():
    build = diagrams.Builder("plots", style="soft")
    build.NumberLine("l")
    build.On(build.Mark("p"), 1.5)
    build.say("Interval i")
    build.say("i = [-2, 1]")
    assert "On(p, 1.5)" in build.substance
    assert build.gallery(4).layouts


@pytest.mark.parametrize(
    ("wrong", "tag"),
    [
        (lambda b: b.Sett("A"), "TypeNotFound"),
        (lambda b: b.Subset(b.Set("A")), "ArgLengthMismatch"),
        (lambda b: b.Subset(b.Set("A"), b.Element("x")), "TypeMismatch"),
        (lambda b: b.Set("A", "A"), "DuplicateName"),
        (lambda b: b.Set("a b"), "ParseError"),
        (lambda b: b.label(b.Set("A"), "$"), "ParseError"),
        (lambda b: b.objects("Sett", "A"), "TypeNotFound"),
    ],
)
def test_what_is_wrong_is_told_at_once(wrong, tag):
    with pytest.raises(DiagramError) as caught:
        wrong(diagrams.Builder("sets"))
    assert caught.value.tag == tag


def test_everything_of_the_domain_is_offered_for_completion():
    assert {"Set", "Subset", "Union"} <= set(dir(diagrams.Builder("sets")))


def test_one_call_draws_in_a_shipped_or_an_own_domain():
    layout = diagrams.draw("Set A, B\nA ⊂ B\n", domain="sets", style="tree")
    assert layout.violation < 0.1
    own = diagrams.draw(
        "Dot d\n",
        domain="type Dot\n",
        style="canvas {\n width = 50\n height = 50\n}\nforall Dot d {\n Circle {\n r: 5\n }\n}\n",
    )
    assert "<circle" in own.svg()


@pytest.mark.parametrize("shown", ["builder", "layout", "gallery"])
def test_a_notebook_shows_them_by_themselves(shown):
    build = diagrams.Builder("sets")
    build.Set("A")
    if shown == "gallery":
        assert "<svg" in build.gallery(2)._repr_html_()
        return
    thing = build if shown == "builder" else build.draw()
    ElementTree.fromstring(thing._repr_svg_())


def test_a_picture_can_be_cut_to_what_is_drawn():
    layout = diagrams.draw("Set A\n", domain="sets")
    whole, cut = (ElementTree.fromstring(layout.svg(crop=crop)) for crop in (False, True))
    areas = [
        float(w) * float(h) for _, _, w, h in (root.get("viewBox").split() for root in (whole, cut))
    ]
    assert areas[1] < areas[0]


def test_a_fenced_block_of_an_item_draws_itself():
    drawn = draw_figures(f"Text.\n\n```diagram B lies in A.\n{BLOCK}```\n\nMore.\n")
    (figure,) = drawn.figures
    assert figure.caption == "B lies in A."
    assert "Subset(B, A)" in ElementTree.fromstring(figure.svg).find("{*}desc").text
    assert drawn.notices == ()


def test_a_wrong_block_stays_as_it_is_and_says_why():
    drawn = draw_figures("```diagram\ndomain: sets\nSet A\nA ⊂ B\n```\n")
    assert drawn.figures == ()
    assert "B has not been declared" in drawn.notices[0]


def test_two_blocks_on_a_page_share_no_id():
    import re

    draw = DiagramIllustrator().illustrate
    one, two = draw(BLOCK), draw(BLOCK.replace("B", "C"))
    ids = [set(re.findall(r'\sid="([^"]+)"', svg)) for svg in (one, two)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    ("block", "tag"),
    [("Set A\n", "FileError"), ("domain: set\nSet A\n", "FileError"), ("x" * 20_001, "TooLong")],
)
def test_a_block_without_a_domain_is_refused(block, tag):
    with pytest.raises(DiagramError) as caught:
        DiagramIllustrator().illustrate(block)
    assert caught.value.tag == tag


def test_errors_of_a_block_have_places():
    with pytest.raises(ProgramErrors) as caught:
        DiagramIllustrator().illustrate("domain: sets\nSet A\nA ⊂ ⊂ A\n")
    assert caught.value.place.line == 2
