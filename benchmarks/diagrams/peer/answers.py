"""Writes what `@penrose/core` gives for the programs of the tests: `peer.json` beside them.

    python benchmarks/diagrams/peer/answers.py FOLDER

FOLDER is where `npm install` put it (see run.mjs). Energies and violations are medians of 32 seeds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[2] / "tests" / "diagrams" / "programs"


def main(folder: str) -> None:
    """Ask and write."""
    trios = sorted(PROGRAMS.glob("*.trio.json"))
    command = ["node", str(HERE / "run.mjs"), folder, "--layouts", "32", *map(str, trios)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    answers: dict[str, Any] = {}
    for trio, line in zip(trios, run.stdout.splitlines(), strict=True):
        one = json.loads(line)
        name = trio.name.removesuffix(".trio.json")
        answers[name] = {key: one[key] for key in ("inputs", "constraints", "objectives")}
        for key, many in (("energy", "energies"), ("violation", "violations")):
            answers[name][key] = statistics.median(one[many]) if one.get(many) else None
    text = json.dumps(answers, indent=1) + "\n"
    (PROGRAMS / "peer.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
