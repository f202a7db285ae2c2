"""Galleries, pins and baked layouts."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kuaibao import diagrams
from kuaibao.cli.main import main
from kuaibao.diagrams.baking import (
    Baked,
    baked_path,
    lay_out_again,
    lay_out_baked,
    program_digest,
    read_baked,
    write_baked,
)
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.handles import find_handles, pins_of
from kuaibao.diagrams.trio import read_trio

PROGRAM = """Set A, B, C
A ⊂ B
B ∩ C = ∅
AutoLabel All
"""


@pytest.fixture
def trio(tmp_path):
    (tmp_path / "a.substance").write_text(PROGRAM)
    trio = {"substance": "a.substance", "style": ["kuaibao:sets/euler.style"],
            "domain": "kuaibao:sets/sets.domain", "variation": "v"}  # fmt: skip
    path = tmp_path / "a.trio.json"
    path.write_text(json.dumps(trio))
    return path


def compiled(trio):
    return diagrams.compile_files(read_trio(trio))


def run(*arguments):
    try:
        main([*map(str, arguments)])
    except SystemExit as stop:
        return stop.code or 0
    return 0


def test_a_gallery_is_ranked_and_what_looks_the_same_falls_out(trio):
    made = diagrams.gallery(compiled(trio), 12)
    ranks = [layout.result.rank for layout in made.layouts]
    assert ranks == sorted(ranks)
    assert 1 < len(made.layouts) <= 12
    one = diagrams.draw("Set A\n", domain="sets").program
    assert len(diagrams.gallery(one, 8).layouts) == 1  # it can lie in one place only


def test_a_gallery_keeps_at_most_what_was_asked_for(trio):
    assert len(diagrams.gallery(compiled(trio), 8, most=2).layouts) == 2


def test_the_sheet_is_one_svg_with_every_layout_and_no_id_twice(trio):
    made = diagrams.gallery(compiled(trio), 6)
    sheet = made.svg()
    root = ElementTree.fromstring(sheet)
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == len(made.layouts)
    for text in (sheet, made.html()):
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))


def test_the_command_writes_page_sheet_and_layouts(trio, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("gallery", trio, "-o", out, "--candidates", 5, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["tried"] == 5
    assert (out / "index.html").read_text().count("<label") == len(report["layouts"])
    for one in report["layouts"]:
        assert one["violation"] < 0.1
        ElementTree.parse(out / one["file"])
    ElementTree.parse(out / "sheet.svg")


def test_the_command_says_where_a_gallery_can_go(trio, capsys):
    assert run("gallery", trio) == 2
    assert "--serve" in capsys.readouterr().err


def test_a_pinned_shape_stays_where_it_was_put(trio):
    program = compiled(trio)
    first = program.layouts(1)[0]
    handles = find_handles(program.problem)
    handle = next(one for one in handles if one.shape == "`C`.icon")
    again = lay_out_again(program, first.result.inputs, pins_of(handles, {handle.name: (150, 40)}))
    circle = next(shape for shape in again.shapes if shape.name == "`C`.icon")
    assert circle["center"] == pytest.approx([150, 40])
    assert again.violation < 0.1


def test_names_of_handles_that_are_gone_hold_nothing(trio):
    assert pins_of(find_handles(compiled(trio).problem), {"`Z`.icon center": (1, 2)}) == {}


def baked_from(trio, pins):
    files = read_trio(trio)
    program = compiled(trio)
    held = pins_of(find_handles(program.problem), pins)
    layout = program.layouts(1, seed="another", pins=held)[0]
    write_baked(baked_path(trio), Baked(program_digest(files), tuple(layout.result.inputs), pins))
    return layout


def test_a_baked_layout_is_drawn_ever_after(trio, tmp_path, capsys):
    layout = baked_from(trio, {"`C`.icon center": (140.0, -30.0)})
    out = tmp_path / "a.svg"
    assert run("draw", trio, "-o", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["steps"] == 0
    assert report["violation"] == pytest.approx(layout.violation)
    drawn = re.findall(r"<circle[^>]*>", out.read_text())
    assert drawn == re.findall(r"<circle[^>]*>", layout.svg())
    assert run("draw", trio, "-o", tmp_path / "b.svg", "--fresh") == 0
    assert drawn != re.findall(r"<circle[^>]*>", (tmp_path / "b.svg").read_text())


def test_pins_hold_when_the_program_has_changed_and_it_is_said(trio, capsys):
    baked_from(trio, {"`C`.icon center": (140.0, -30.0)})
    (trio.parent / "a.substance").write_text(PROGRAM.replace("AutoLabel", "Set D\nAutoLabel"))
    program, files = compiled(trio), read_trio(trio)
    layout, is_same = lay_out_baked(program, program_digest(files), read_baked(baked_path(trio)))
    assert not is_same
    circle = next(shape for shape in layout.shapes if shape.name == "`C`.icon")
    assert circle["center"] == pytest.approx([140, -30])
    assert run("draw", trio, "-o", trio.parent / "a.svg", "--json") == 0
    assert "only its pins hold" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"format": 9}', '{"format": 1, "inputs": [1e999], "pins": {}}',
     '{"format": 1, "inputs": ["a"], "pins": {}}', '{"format": 1, "inputs": {}, "pins": []}'],
)  # fmt: skip
def test_a_file_that_is_no_baked_layout_is_refused(tmp_path, text):
    path = tmp_path / "a.baked.json"
    path.write_text(text)
    with pytest.raises(DiagramError) as caught:
        read_baked(path)
    assert caught.value.tag == "BakedError"


def test_no_baked_layout_is_none(tmp_path):
    assert read_baked(Path(tmp_path, "a.baked.json")) is None


def test_a_centre_computed_in_a_line_from_an_unknown_can_be_dragged_too():
    style = (
        "canvas {\n width = 400\n height = 400\n}\nforall A a {\n"
        " a.dot = Circle {\n  r: 5\n  center: (?, ?)\n }\n x = a.dot.center[0]\n"
        " y = a.dot.center[1]\n"
        " a.note = Circle {\n  r: 3\n  center: (10 - x / 2, y + 20)\n }\n"
        " a.far = Circle {\n  r: 3\n  center: (x * y / 400, 0)\n }\n}\n"
    )
    program = diagrams.compile("A a\n", style, "type A\n")
    handles = find_handles(program.problem)
    assert {one.name for one in handles} == {"`a`.dot center", "`a`.note center"}
    held = pins_of(handles, {"`a`.note center": (30.0, 50.0)})
    layout = program.layouts(1, pins=held)[0]
    note = next(one for one in layout.shapes if one.name == "`a`.note")
    assert [float(x) for x in note["center"]] == pytest.approx([30.0, 50.0])
