"""What watching costs: the same script alone and under `kuaibao doctor run --no-ablate`, in turn.

    python benchmarks/doctor/overhead.py [--small] [--rounds R] [--only WORD]

The scripts are healthy patients with a fixed number of steps. CPU seconds of the loop's process per
step are compared (wall time says little on a shared machine), from the second epoch on, so that
imports and the doctor's own judging are left out. `--small`: one script, one round.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "tests" / "doctor" / "patients"
NAMES = ("healthy_mlp", "healthy_convnet_pictures", "decode_full_size", "healthy_accumulation")

# Wraps the loop's iterator by nothing at all: only the epochs' ends are timed, from outside.
HEAD = """
import atexit, sys, time
_marks = []
import torch.utils.data as _data
_iter = _data.DataLoader.__iter__
def _timed(self):
    _marks.append((time.process_time(), time.perf_counter()))
    return _iter(self)
_data.DataLoader.__iter__ = _timed
def _tell():
    spans = [b[0] - a[0] for a, b in zip(_marks[1:], _marks[2:])]
    sys.stderr.write("EPOCHS " + " ".join(f"{s:.6f}" for s in spans) + "\\n")
atexit.register(_tell)
"""


def prepare(name: str, folder: Path) -> Path:
    text = (PATIENTS / f"{name}.py").read_text()
    text = re.sub(r"for (epoch|_) in range\(\d+\)", r"for \1 in range(5)", text)
    target = folder / f"{name}.py"
    target.write_text(HEAD + text)
    return target


def cpu_an_epoch(script: Path, data: Path, *, watched: bool) -> float:
    command = [sys.executable, str(script), str(data)]
    if watched:
        doctor = [sys.executable, "-m", "kuaibao", "doctor", "run", "--no-ablate"]
        command = [*doctor, "--seconds", "600", "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stderr.splitlines() if line.startswith("EPOCHS"))
    return median(float(part) for part in line.split()[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    names = [n for n in NAMES if chosen.only in n]
    if chosen.small:
        names, chosen.rounds = names[:1], 1
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    print(f"{'script':28} {'alone, CPU s/epoch':>19} {'watched':>9} {'overhead':>9}  by round")
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder) / "data", n_image=48)
        for name in names:
            script = prepare(name, Path(folder))
            pairs = []
            for turn in range(chosen.rounds):
                order = (False, True) if turn % 2 == 0 else (True, False)
                seconds = {w: cpu_an_epoch(script, data, watched=w) for w in order}
                pairs.append((seconds[False], seconds[True]))
            over = [b / a - 1 for a, b in pairs]
            print(
                f"{name:28} {median(a for a, _ in pairs):19.3f} {median(b for _, b in pairs):9.3f} "
                f"{median(over):9.1%}  {' '.join(f'{o:+.1%}' for o in over)}"
            )


if __name__ == "__main__":
    main()
