"""Writes what `@penrose/core` gives for the programs of the tests, as JSON beside them.

    python benchmarks/diagrams/peer/answers.py FOLDER

FOLDER is where `npm install` put it (see run.mjs). `peer.json` holds counts, energies and violations
(medians of 32 seeds) of the trio files; `corners.json` and `statements.json` the counts and warnings
of the small programs in the tables of those names.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[2] / "tests" / "diagrams" / "programs"
CANVAS = "canvas {\n  width = 400\n  height = 300\n}\n"
COUNTS = ("shapes", "inputs", "constraints", "objectives", "warnings")


def ask(folder: str, trios: list[Path], n_layout: int) -> list[dict[str, Any]]:
    """What the peer says of each program."""
    command = ["node", str(HERE / "run.mjs"), folder, "--layouts", str(n_layout)]
    run = subprocess.run([*command, *map(str, trios)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def write_trios(folder: str) -> None:
    """The answers of the trio files."""
    trios = sorted(PROGRAMS.glob("*.trio.json"))
    answers: dict[str, Any] = {}
    for trio, one in zip(trios, ask(folder, trios, 32), strict=True):
        name = trio.name.removesuffix(".trio.json")
        answers[name] = {key: one[key] for key in ("inputs", "constraints", "objectives")}
        for key, many in (("energy", "energies"), ("violation", "violations")):
            answers[name][key] = statistics.median(one[many]) if one.get(many) else None
    text = json.dumps(answers, indent=1) + "\n"
    (PROGRAMS / "peer.json").write_text(text, encoding="utf-8")


def write_table(folder: str, table: str) -> None:
    """The answers of one table of small programs; what the peer refuses is left out."""
    shared = tomllib.loads((PROGRAMS / f"{table}.toml").read_text(encoding="utf-8"))
    trios: list[Path] = []
    with tempfile.TemporaryDirectory() as made:
        for name, own in shared["programs"].items():
            trio = Path(made) / f"{name}.trio.json"
            style = own["style"] if own["style"].startswith("canvas") else CANVAS + own["style"]
            texts = {"style": style, "domain": own.get("domain", shared["domain"]),
                     "substance": own.get("substance", shared["substance"])}  # fmt: skip
            for language, text in texts.items():
                Path(made, f"{name}.{language}").write_text(text, encoding="utf-8", newline="")
            files = {language: f"{name}.{language}" for language in texts}
            trio.write_text(json.dumps(files | {"style": [files["style"]]}), encoding="utf-8")
            trios.append(trio)
        answers = ask(folder, trios, 0)
    lines = [
        f' "{name}": {json.dumps({key: one[key] for key in COUNTS})}'
        for name, one in zip(shared["programs"], answers, strict=True)
        if one.get("inputs") is not None
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (PROGRAMS / f"{table}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_trios(sys.argv[1])
    for table in ("corners", "statements"):
        write_table(sys.argv[1], table)
