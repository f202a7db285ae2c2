"""The ward: every patient is examined; tables *true disease x verdict* and *predicted x achieved*.

    python benchmarks/doctor/ward.py [--small] [--apply] [--only WORDS] [--seconds S | --samples N]
                                     [--out FOLDER] [--minutes M]

The patients lie in `tests/doctor/patients/`; the first line of each names its disease, which the
doctor can't see. With `--apply` each automatic cure is tried and the second table printed; its error
is (predicted - achieved) / achieved. With `--out` reports are kept and patients that have one are
not examined again, so that a long run may be made in pieces (`--minutes`); the tables are always of
all reports there are. `--small` examines four patients.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "tests" / "doctor" / "patients"
SMALL = ("decode_full_size", "loss_dice_loop", "optimizer_by_hand", "healthy_mlp")


def true_disease(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("disease:", 1)[1].split()[0]


def examine(path: Path, data: Path, options: list[str], target: Path) -> None:
    command = [
        *(sys.executable, "-m", "kuaibao", "doctor", "run", *options),
        *("--json", str(target), "--", "python", str(path), str(data)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=target.parent)
    if not target.exists():
        failed = {"verdict": f"failed ({done.returncode})", "log": done.stderr[-2000:]}
        target.write_text(json.dumps({"advice": [], **failed}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--apply", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--samples", type=int, default=0, help="instead of --seconds")
    parser.add_argument("--out", default="")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no patient after these")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    words = chosen.only.split(",")
    paths = [p for p in sorted(PATIENTS.glob("*.py")) if any(word in p.stem for word in words)]
    if chosen.small:
        paths = [path for path in paths if path.stem in SMALL]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    options = ["--seconds", str(chosen.seconds)]
    if chosen.samples:
        options = ["--samples", str(chosen.samples)]
    options += ["--apply"] * chosen.apply
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(chosen.out or folder).resolve()
        data = make_data(out / "data")
        for path in paths:
            target = out / f"{path.stem}.json"
            if not target.exists() and time.monotonic() - start < 60 * chosen.minutes:
                examine(path, data, options, target)
        reports = {
            path: json.loads((out / f"{path.stem}.json").read_text())
            for path in paths
            if (out / f"{path.stem}.json").exists()
        }
        print_verdicts(reports)
        print_cures(reports)


def print_verdicts(reports: dict[Path, dict]) -> None:
    right = {"sick": [0, 0], "healthy": [0, 0]}
    print(f"{'patient':34} {'true':16} {'verdict':16} {'cures':34} first by share")
    for path, report in reports.items():
        disease, verdict = true_disease(path), report["verdict"]
        kind = "healthy" if disease == "healthy" else "sick"
        is_right = verdict == disease and (kind == "sick" or not report["advice"])
        right[kind][0] += is_right
        right[kind][1] += 1
        cures = ",".join(one["cure"] for one in report["advice"]) or "-"
        stalls = sorted(report.get("stalls", {}).items(), key=lambda s: -s[1]["mid"])[:3]
        shares = " ".join(f"{name} {share['mid']:.0%}" for name, share in stalls)
        mark = " " if is_right else "✗"
        print(f"{mark}{path.stem:33} {disease:16} {verdict:16} {cures[:34]:34} {shares}")
        if "log" in report:
            print(report["log"])
    for kind, (n_right, n) in right.items():
        print(f"{kind}: {n_right} of {n} right")


def print_cures(reports: dict[Path, dict]) -> None:
    errors = []
    for path, report in reports.items():
        for one in report["advice"]:
            said, got = one["predicted_speedup"], one["achieved_speedup"]
            if not got or not said:
                continue
            if not errors:
                print(
                    f"\n{'patient':32} {'cure':18} {'predicted':>22} {'achieved':>22} {'error':>8}"
                )
            errors.append(said["mid"] / got["mid"] - 1)
            print(
                f"{path.stem:32} {one['cure']:18} {shown(said):>22} {shown(got):>22} "
                f"{errors[-1]:+8.1%}  {one['checks']}"
            )
    if errors:
        print(f"median error over {len(errors)} cures: {median(abs(e) for e in errors):.1%}")


def shown(value: dict[str, float]) -> str:
    return f"{value['mid']:.2f} ({value['low']:.2f}-{value['high']:.2f})"


if __name__ == "__main__":
    main()
