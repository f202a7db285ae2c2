"""Two hundred small programs give the shapes, inputs, terms and warnings that Penrose gives."""

import json
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from kuaibao import diagrams

PROGRAMS = Path(__file__).parents[1] / "programs"
CANVAS = "canvas {\n  width = 400\n  height = 300\n}\n"
TABLES = {
    name: (tomllib.loads((PROGRAMS / f"{name}.toml").read_text(encoding="utf-8")),
           json.loads((PROGRAMS / f"{name}.json").read_text(encoding="utf-8")))
    for name in ("corners", "statements")
}  # fmt: skip
CASES = [(table, name) for table, (_, answers) in TABLES.items() for name in answers]


def _compiled(table, name):
    shared = TABLES[table][0]
    own = shared["programs"][name]
    style = own["style"] if own["style"].startswith("canvas") else CANVAS + own["style"]
    domain = own.get("domain", shared["domain"])
    return diagrams.compile(own.get("substance", shared["substance"]), style, domain)


@pytest.mark.parametrize(("table", "name"), CASES, ids=[f"{t}-{n}" for t, n in CASES])
def test_counts_are_those_of_penrose(table, name):
    program = _compiled(table, name)
    problem = program.problem
    ours = {
        "shapes": len(list(problem.shapes)),
        "inputs": problem.n_input,
        "constraints": len(problem.constraints),
        "objectives": len(problem.objectives),
        "warnings": sorted({one.tag for one in program.warnings if one.tag != "ImageWarning"}),
    }
    assert ours == TABLES[table][1][name]


@pytest.mark.parametrize("table", TABLES)
def test_what_penrose_draws_is_drawn(table):
    # every fourth in full: the rest differ in what is compiled, not in how it is drawn
    for name in list(TABLES[table][1])[::4]:
        layout = _compiled(table, name).layouts(1, seed="s")[0]
        layout.check()
        assert ElementTree.fromstring(layout.svg()).tag.endswith("svg"), name
        assert layout.tikz().endswith("\\end{tikzpicture}\n"), name
