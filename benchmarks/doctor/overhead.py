"""What watching costs: blocks of steps with the doctor's watch in turn with blocks without it.

    python benchmarks/doctor/overhead.py [--small] [--blocks N] [--only WORDS]

Each script is a patient of the ward, run unmodified in a process of its own, again and again until
all blocks are measured. At the border of a block the watch (as `kuaibao doctor run --no-ablate` has
it) is installed or taken out altogether. CPU seconds of the whole process a step are compared pair
by pair (A B, B A, …), so that what the machine's speed and load do to both goes out; the doctor's
sampling thread is in it. The first blocks, with the dozen steps that are looked at closely and those
by which the watch learns how many it may watch, are left out: they are as many in a run of hours.
`--small`: one script, few blocks.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "tests" / "doctor" / "patients"
NAMES = (
    "healthy_mlp", "healthy_convnet_pictures", "healthy_accumulation", "healthy_lightning",
    "healthy_hf_trainer", "healthy_tiny_model", "decode_full_size", "transform_pixel_loop",
)  # fmt: skip
BLOCK_S = 0.25
"""CPU seconds of a block."""
N_LEFT_OUT = 10


class Alternation:
    """Stands around a script's loaders and turns the watch on and off."""

    def __init__(self, n_blocks: int, spool: Path) -> None:
        self.n_blocks = n_blocks
        self.spool = spool
        self.session = None
        self.is_on = False
        self.rows: list[tuple[bool, float]] = []
        self.steps = 0
        self.began = 0.0

    @property
    def is_done(self) -> bool:
        """Whether all blocks are measured."""
        return len(self.rows) >= self.n_blocks

    def border(self) -> None:
        """Called before each batch."""
        now = time.process_time()
        self.steps += 1
        if not self.began:
            self.began, self.steps = now, 0
        elif now - self.began >= BLOCK_S and self.steps >= 4:
            self.rows.append((self.is_on, (now - self.began) / self.steps))
            if self.is_done:
                raise SystemExit(0)
            self.turn()
            self.began, self.steps = 0.0, 0  # the first step after a turn is left out

    def turn(self) -> None:
        """Install the watch, or take it out, so that blocks go A B B A A B B A."""
        wanted = len(self.rows) % 4 in (1, 2)
        if wanted and not self.is_on:
            self.install()
        elif self.is_on and not wanted:
            self.session.end_step()
            self.session.sampler.stop()
            self.session.uninstall()
        self.is_on = wanted

    def install(self) -> None:
        """Install the watch; one session sees all blocks."""
        from kuaibao.doctor.hot_lines import LineSampler
        from kuaibao.doctor.session import Session
        from kuaibao.doctor.settings import Settings

        if self.session is None:
            self.session = Session(Settings(ablate=False, seconds=1e9), self.spool)
            self.session.install()
        else:
            self.session.install()
            self.session.sampler = LineSampler(self.session._region)
            self.session.sampler.start(threading.get_ident())

    def again(self) -> None:
        """The script begins anew: what was begun is no block."""
        if self.is_on:
            self.session.end_step(disturbed=True)
        self.began, self.steps = 0.0, 0


def child(script: Path, data: Path, n_blocks: int, out: Path) -> None:
    """Run the script until all blocks are measured."""
    import torch.utils.data as data_module

    with tempfile.TemporaryDirectory() as folder:
        turns = Alternation(n_blocks, Path(folder))
        original = data_module.DataLoader.__iter__

        def iterate(loader):
            iterator = opened(loader) if turns.is_on else original(loader)
            while True:
                turns.border()
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
                yield batch

        def opened(loader):
            iterator = original(loader)
            turns.session.log.opened(loader, iterator, 0.0)
            return iterator

        data_module.DataLoader.__iter__ = iterate
        sys.argv = [str(script), str(data)]
        try:
            while not turns.is_done:
                runpy.run_path(str(script), run_name="__main__")
                turns.again()
        except SystemExit:
            pass
    every = turns.session._thrift.every
    out.write_text(json.dumps({"rows": turns.rows, "every": every}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--blocks", type=int, default=70)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        script, data, n_blocks, out = chosen.child
        return child(Path(script), Path(data), int(n_blocks), Path(out))
    names = [n for n in NAMES if any(word in n for word in chosen.only.split(","))]
    if chosen.small:
        names, chosen.blocks = names[:1], N_LEFT_OUT + 4
    os.environ["OMP_NUM_THREADS"] = "1"
    # Memory stays with the process: how often glibc gives it back is a lottery of several per cent.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(1 << 30)
    os.environ["MALLOC_TRIM_THRESHOLD_"] = str((1 << 31) - 1)
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    print(f"{'script':28} {'CPU ms a step':>14} {'overhead':>9}  90 % range, pairs; watched")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make_data(folder / "data", n_image=48)
        for patient in names:
            out = folder / f"{patient}.json"
            done = subprocess.run(
                [sys.executable, __file__, "--child", str(PATIENTS / f"{patient}.py"), str(data),
                 str(chosen.blocks), str(out)], check=False, capture_output=True, cwd=folder,
                text=True,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(f"{patient} failed:\n{done.stderr[-2000:]}")
            show(patient, json.loads(out.read_text()))


def show(patient: str, found: dict) -> None:
    from kuaibao.doctor.statistics import log_ratio_interval

    rows = found["rows"][N_LEFT_OUT:]
    alone = [seconds for watched, seconds in rows if not watched]
    watched = [seconds for watched, seconds in rows if watched]
    over = log_ratio_interval(watched, alone)
    print(
        f"{patient:28} {1e3 * sorted(alone)[len(alone) // 2]:14.2f} {over.mid - 1:+9.1%}  "
        f"{over.low - 1:+.1%} to {over.high - 1:+.1%}, {min(len(alone), len(watched))}; "
        f"one step of {found['every']}",
        flush=True,
    )


if __name__ == "__main__":
    main()
