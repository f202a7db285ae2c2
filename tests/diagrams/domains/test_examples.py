"""Every program in examples/diagrams is drawn, in one batch, without violated constraints."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kuaibao.cli.main import main
from kuaibao.diagrams.domains import DOMAINS, shipped_domain, shipped_path
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.program import compile_files
from kuaibao.diagrams.trio import read_trio

EXAMPLES = Path(__file__).parents[3] / "examples" / "diagrams"
TRIOS = sorted(EXAMPLES.glob("*/*.trio.json"))


def test_there_are_sixty_programs_and_two_styles_for_every_domain():
    assert len(TRIOS) >= 60
    used = {
        (path.parent.name, Path(name).stem) for path in TRIOS for name, _ in read_trio(path).style
    }
    for name, domain in DOMAINS.items():
        assert len(domain.styles) >= 2
        assert {(name, style) for style in domain.styles} <= used


def test_all_are_drawn_without_violated_constraints(tmp_path, capsys):
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{path}\n" for path in TRIOS))
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "draw",
                "--batch",
                str(listing),
                "--out-dir",
                str(tmp_path),
                "--candidates",
                "4",
                "--json",
            ]
        )
    printed = capsys.readouterr()
    reports = json.loads(printed.out)
    assert not stop.value.code, [one["errors"] for one in reports if not one["ok"]]
    assert max(one["violation"] for one in reports) < 0.1, printed.err
    assert "warning" not in printed.err
    pictures = list(tmp_path.glob("*.svg"))
    assert len(pictures) == len(reports) == len(TRIOS)
    for picture in pictures:
        root = ElementTree.parse(picture).getroot()
        assert root.find("{http://www.w3.org/2000/svg}desc").text


def test_penrose_counts_the_same_inputs_constraints_and_objectives():
    """`peer.json` is what `@penrose/core` 4.0.0-alpha.5 said of the programs without notation.

    One program is not in it: its names are Chinese, which Penrose does not read.
    """
    said = json.loads((Path(__file__).parent / "peer.json").read_text())
    assert len(said) == len(TRIOS) - 1
    ours = {}
    for path in TRIOS:
        name = f"{path.parent.name}-{path.name.removesuffix('.trio.json')}"
        problem = compile_files(read_trio(path)).problem
        ours[name] = [problem.n_input, len(problem.constraints), len(problem.objectives)]
    assert {name: ours[name] for name in said} == said


def test_a_shipped_file_is_named_by_domain_and_style():
    assert shipped_path("kuaibao:sets/tree.style") == shipped_domain("sets").style_path("tree")
    assert shipped_path("sets/tree.style") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kuaibao:set/euler.style", "Did you mean 'sets'"),
        ("kuaibao:sets/eler.style", "Did you mean 'euler.style'"),
        ("kuaibao:sets/../../errors.py", "Known"),
    ],
)
def test_a_misspelt_shipped_file_is_told_with_a_suggestion(name, hint):
    with pytest.raises(DiagramError) as caught:
        shipped_path(name)
    assert hint in caught.value.hint


def test_shipped_files_can_be_named_on_the_command_line(tmp_path, capsys):
    (tmp_path / "a.substance").write_text("Set A, B\nA ⊂ B\n")
    with pytest.raises(SystemExit) as stop:
        main([
            "draw", "--substance", str(tmp_path / "a.substance"), "--json",
            "--domain", "kuaibao:sets/sets.domain", "--style", "kuaibao:sets/tree.style",
        ])  # fmt: skip
    assert not stop.value.code
    assert json.loads(capsys.readouterr().out)["ok"]
