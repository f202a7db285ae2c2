"""From untouched to cured on a set of JPEGs: the doctor's own cure, written into the script.

    python benchmarks/doctor/jpeg_set.py [--small] [--images N] [--rounds R] [--data FOLDER]

The set is that of the notes (2,000 pictures of 512 x 512, quality 90, 75 KB each); the script reads
them as most people do: Pillow, a resize to 224, float32 made and normalised per picture, batches of
32. `kuaibao doctor run --write --yes` examines it and writes its cure into a copy. Both scripts then
run in turn; each tells the CPU and wall seconds of its later epochs (the first fills the cache, and
is told too). CPU time of all processes is the measure: the machine is shared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, resource, sys, time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


class Pictures(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.jpg"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = Image.open(self.paths[i]).convert("RGB").resize((224, 224))
        pixels = (np.asarray(image, dtype=np.float32) / 255 - MEAN) / STD
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous(), int(self.paths[i].name[0])


def cpu_s():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def main():
    loader = DataLoader(Pictures(sys.argv[1]), batch_size=32, shuffle=True)
    head = nn.Linear(3 * 7 * 7, 2)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01)
    for epoch in range(int(sys.argv[2])):
        cpu, wall = cpu_s(), time.perf_counter()
        for x, y in loader:
            loss = nn.functional.cross_entropy(head(x[:, :, ::32, ::32].flatten(1)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(json.dumps([cpu_s() - cpu, time.perf_counter() - wall]), flush=True)


if __name__ == "__main__":
    main()
"""


def epochs(script: Path, data: Path, n: int) -> list[list[float]]:
    done = subprocess.run(
        [sys.executable, str(script), str(data), str(n)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default="", help="keep the pictures here, and take them again")
    chosen = parser.parse_args()
    if chosen.small:
        chosen.images, chosen.rounds = 96, 1
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make_data(Path(chosen.data or folder / "data"), n_image=chosen.images) / "jpegs"
        files = list(data.glob("*.jpg"))
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files)} JPEGs, {size / len(files) / 1e3:.1f} KB each, {size / 1e6:.0f} MB")
        untouched, cured = folder / "untouched.py", folder / "cured.py"
        untouched.write_text(SCRIPT)
        shutil.copy(untouched, cured)
        report = folder / "report.json"
        subprocess.run(
            [sys.executable, "-m", "kuaibao", "doctor", "run", "--seconds", "20", "--write",
             "--yes", "--json", str(report), "--", "python", str(cured), str(data), "99"],
            check=True, capture_output=True,
        )  # fmt: skip
        found = json.loads(report.read_text())
        if not found["advice"]:
            raise SystemExit(f"no cure found: {found['verdict']}, {found['evidence']}")
        best = found["advice"][0]
        print(f"verdict {found['verdict']}; first cure {best['cure']}, predicted "
              f"{best['predicted_speedup']['mid']:.1f}x; written:\n{best['patch']}")  # fmt: skip
        compare(untouched, cured, data, len(files), chosen.rounds)


def compare(untouched: Path, cured: Path, data: Path, n: int, rounds: int) -> None:
    pairs: list[tuple[float, float]] = []
    walls: tuple[list[float], list[float]] = ([], [])
    fills: list[float] = []
    for turn in range(rounds):
        # The untouched script's epochs are alike, so one is enough.
        runs = {}
        for script in (untouched, cured) if turn % 2 == 0 else (cured, untouched):
            runs[script] = epochs(script, data, 1 if script == untouched else 4)
        plain, (filling, *later) = runs[untouched][0], runs[cured]
        pairs.append((plain[0], median(cpu for cpu, _ in later)))
        walls[0].append(plain[1])
        walls[1].append(min(wall for _, wall in later))
        fills.append(filling[0])
    print(f"{'':22} {'CPU ms/image':>13} {'best images/s':>14}")
    print(f"{'untouched':22} {min(a for a, _ in pairs) / n * 1e3:13.3f} {n / min(walls[0]):14.0f}")
    print(f"{'cured, first epoch':22} {min(fills) / n * 1e3:13.3f}")
    print(
        f"{'cured, later epochs':22} {min(b for _, b in pairs) / n * 1e3:13.3f} {n / min(walls[1]):14.0f}"
    )
    ratios = [a / b for a, b in pairs]
    print(f"speed-up by CPU time: {median(ratios):.1f}x ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
