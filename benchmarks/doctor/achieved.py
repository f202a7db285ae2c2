"""Predicted against achieved: every automatic cure of some patients, applied and measured.

    python benchmarks/doctor/achieved.py [--small] [--samples N] [--only WORDS]

The error is (predicted - achieved) / achieved. `--small`: one patient.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "tests" / "doctor" / "patients"
NAMES = (
    "decode_full_size", "transform_pixel_loop", "disk_slow_share", "disk_whole_file_for_one_row",
    "transform_tokenizer_lightning", "backward_anomaly", "optimizer_tensor_by_tensor",
    "memory_over_mmap_threshold",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--samples", type=int, default=640)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    words = chosen.only.split(",")
    names = [n for n in NAMES if any(word in n for word in words)]
    if chosen.small:
        names, chosen.samples = names[:1], 320
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    errors = []
    print(f"{'patient':30} {'cure':18} {'predicted':>22} {'achieved':>22} {'error':>8}  checks")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make_data(folder / "data", n_image=48)
        for patient in names:
            target = folder / "report.json"
            subprocess.run(
                [sys.executable, "-m", "kuaibao", "doctor", "run", "--apply", "--samples",
                 str(chosen.samples), "--json", str(target), "--", "python",
                 str(PATIENTS / f"{patient}.py"), str(data)],
                check=True, capture_output=True, cwd=folder,
            )  # fmt: skip
            for one in json.loads(target.read_text())["advice"]:
                got, said = one["achieved_speedup"], one["predicted_speedup"]
                if not got:
                    continue
                error = said["mid"] / got["mid"] - 1
                errors.append(abs(error))
                print(
                    f"{patient:30} {one['cure']:18} {shown(said):>22} {shown(got):>22} "
                    f"{error:+8.1%}  {one['checks']}",
                    flush=True,
                )
    if errors:
        print(f"median error over {len(errors)} cures: {median(errors):.1%}")


def shown(value: dict[str, float]) -> str:
    return f"{value['mid']:.2f} ({value['low']:.2f}-{value['high']:.2f})"


if __name__ == "__main__":
    main()
