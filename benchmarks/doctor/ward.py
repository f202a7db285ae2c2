"""The ward: every patient is examined, and the table *true disease x verdict* printed.

    python benchmarks/doctor/ward.py [--small] [--only WORD] [--seconds S | --samples N] [--out FOLDER] [--jobs N]

`--small` examines four patients. The patients lie in `tests/doctor/patients/`; the first line of
each names its disease, which the doctor can't see.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "tests" / "doctor" / "patients"
SMALL = ("decode_full_size", "loss_dice_loop", "optimizer_by_hand", "healthy_mlp")


def true_disease(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("disease:", 1)[1].split()[0]


def examine(path: Path, data: Path, limit: list[str], out: Path) -> dict:
    target = out / f"{path.stem}.json"
    command = [
        *(sys.executable, "-m", "kuaibao", "doctor", "run", *limit),
        *("--json", str(target), "--", "python", str(path), str(data)),
    ]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=out)
    if not target.exists():
        return {"verdict": f"failed ({done.returncode})", "log": done.stderr[-2000:], "advice": []}
    report = json.loads(target.read_text())
    report["wall"] = time.perf_counter() - start
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--samples", type=int, default=0, help="instead of --seconds")
    parser.add_argument("--out", default="")
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    paths = sorted(PATIENTS.glob("*.py"))
    if chosen.small:
        paths = [path for path in paths if path.stem in SMALL]
    words = chosen.only.split(",")
    paths = [path for path in paths if any(word in path.stem for word in words)]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(chosen.out or folder).resolve()
        out.mkdir(parents=True, exist_ok=True)
        data = make_data(out / "data")
        limit = ["--seconds", str(chosen.seconds)]
        if chosen.samples:
            limit = ["--samples", str(chosen.samples)]
        with ThreadPoolExecutor(chosen.jobs) as pool:
            reports = list(pool.map(lambda p: examine(p, data, limit, out), paths))
    print_table(paths, reports)


def print_table(paths: list[Path], reports: list[dict]) -> None:
    right = {"sick": [0, 0], "healthy": [0, 0]}
    print(f"{'patient':34} {'true':16} {'verdict':16} {'cures':28} first by share")
    for path, report in zip(paths, reports, strict=True):
        disease, verdict = true_disease(path), report["verdict"]
        kind = "healthy" if disease == "healthy" else "sick"
        is_right = verdict == disease and (kind == "sick" or not report["advice"])
        right[kind][0] += is_right
        right[kind][1] += 1
        cures = ",".join(one["cure"] for one in report["advice"]) or "-"
        stalls = sorted(report.get("stalls", {}).items(), key=lambda s: -s[1]["mid"])[:3]
        shares = " ".join(f"{name} {share['mid']:.0%}" for name, share in stalls)
        mark = " " if is_right else "✗"
        print(f"{mark}{path.stem:33} {disease:16} {verdict:16} {cures[:28]:28} {shares}")
        if "log" in report:
            print(report["log"])
    for kind, (n_right, n) in right.items():
        print(f"{kind}: {n_right} of {n} right")


if __name__ == "__main__":
    main()
