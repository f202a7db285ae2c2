"""Live parity with `@penrose/core`, where npm can install it; the kept answers need no npm."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kuaibao.diagrams import compile_files, read_trio

ROOT = Path(__file__).parents[2]
RUN = ROOT / "benchmarks" / "diagrams" / "peer" / "run.mjs"
PROGRAMS = ROOT / "tests" / "diagrams" / "programs"


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, so @penrose/core cannot be")
    folder = tmp_path_factory.mktemp("penrose")
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent",
               "@penrose/core@4.0.0-alpha.5", "jsdom"]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install @penrose/core within two minutes")
    if done.returncode:
        pytest.skip(f"npm could not install @penrose/core: {done.stderr.decode()[-200:]}")
    return folder


def test_penrose_counts_what_we_count(peer):
    trios = [PROGRAMS / f"{name}.trio.json" for name in ("words", "geometry")]
    command = ["node", str(RUN), str(peer), "--layouts", "0", *map(str, trios)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    for trio, line in zip(trios, lines, strict=True):
        theirs = json.loads(line)
        problem = compile_files(read_trio(trio)).problem
        ours = (problem.n_input, len(problem.constraints), len(problem.objectives))
        assert ours == (theirs["inputs"], theirs["constraints"], theirs["objectives"]), trio.name
