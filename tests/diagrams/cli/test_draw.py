"""`kuaibao draw` from files to pictures and reports."""

import json

import pytest

from kuaibao.cli.main import main

DOMAIN = "type Dot\n"
SUBSTANCE = "Dot a, b\nAutoLabel All\n"
STYLE = """canvas {
  width = 100
  height = 80
}
forall Dot d {
  d.icon = Circle {
    center: (?, ?)
    r: 4
  }
  d.text = Equation {
    string: d.label
    center: d.icon.center
  }
}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.domain").write_text(DOMAIN)
    (tmp_path / "a.substance").write_text(SUBSTANCE)
    (tmp_path / "a.style").write_text(STYLE)
    trio = {"substance": "a.substance", "style": ["a.style"], "domain": "a.domain"}
    (tmp_path / "a.trio.json").write_text(json.dumps(trio))
    return tmp_path


def run(capsys, *arguments):
    code = 0
    try:
        main(["draw", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code or 0
    return code, capsys.readouterr()


@pytest.mark.parametrize(
    ("ending", "head"), [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG"), ("tex", b"% ")]
)
def test_a_trio_is_drawn_in_every_format(folder, capsys, ending, head):
    out = folder / f"a.{ending}"
    code, printed = run(capsys, folder / "a.trio.json", "-o", out, "--json", "--candidates", 3)
    assert code == 0
    assert out.read_bytes().startswith(head)
    report = json.loads(printed.out)
    assert report["ok"]
    assert (report["inputs"], report["constraints"], report["objectives"]) == (28, 4, 0)
    assert report["violation"] < 0.01
    assert list(report) == [
        "ok", "errors", "inputs", "constraints", "objectives", "energy", "violation", "steps",
        "compile_ms", "layout_ms",
    ]  # fmt: skip


def test_the_three_files_can_be_named_one_by_one(folder, capsys):
    code, printed = run(
        capsys, "--substance", folder / "a.substance", "--style", folder / "a.style",
        "--domain", folder / "a.domain",
    )  # fmt: skip
    assert code == 0
    assert printed.out.startswith("<svg")


def test_a_batch_goes_on_after_a_program_that_is_wrong(folder, capsys):
    (folder / "b.trio.json").write_text("{}")
    (folder / "list.txt").write_text("b.trio.json\n# a comment\na.trio.json\na.trio.json\n")
    code, printed = run(
        capsys, "--batch", folder / "list.txt", "--out-dir", folder / "out", "--json"
    )
    reports = json.loads(printed.out)
    assert code == 2
    assert [report["ok"] for report in reports] == [False, True, True]
    assert len(list((folder / "out").glob("*.svg"))) == 2


def test_errors_have_places_and_no_traceback(folder, capsys):
    (folder / "a.style").write_text(STYLE + "forall Dott d {\n d.a = f(\n}\n")
    code, printed = run(capsys, folder / "a.trio.json", "--json")
    report = json.loads(printed.out)
    assert code == 2
    assert not report["ok"]
    assert report["errors"][0]["line"] == 17
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"style": 3}', '{"substance": "no", "style": [], "domain": "no"}', "\x00"],
)
def test_a_file_that_is_no_trio_is_a_sentence(folder, capsys, content):
    (folder / "b.trio.json").write_text(content)
    code, printed = run(capsys, folder / "b.trio.json", "--json")
    assert code == 2
    assert not json.loads(printed.out)["ok"]


def test_nothing_to_draw_is_a_sentence(capsys):
    code, printed = run(capsys)
    assert code == 2
    assert "Name a trio file" in printed.err


def test_the_library_is_listed(capsys):
    code, printed = run(capsys, "--library", "--json")
    assert code == 0
    listed = json.loads(printed.out)
    assert listed["shapes"]["Circle"]["r"] == "drawn"
    assert listed["constraints"]["disjoint"]["parameters"][2]["required"] is False
