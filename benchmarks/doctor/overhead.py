"""What watching costs: blocks of steps with the doctor's watch in turn with blocks without it.

    python benchmarks/doctor/overhead.py [--small] [--blocks N] [--only WORDS]

Each script is a patient of the ward, run unmodified in a process of its own. At the border of a
block the watch (as `kuaibao doctor run --no-ablate` has it) is installed or taken out altogether;
CPU seconds of the loop's thread a step are compared pair by pair, so that neither the machine's
speed nor its load counts; what the sampling thread takes of a core is told beside it (it is paid by
the second, not by the step). The first blocks, with the dozen steps that are looked at closely, are left
out: they are as many in a run of hours. `--small`: one script, few blocks.
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

    def border(self) -> None:
        """Called before each batch."""
        now = time.thread_time()
        self.steps += 1
        if not self.began:
            self.began, self.steps = now, 0
        elif now - self.began >= BLOCK_S and self.steps >= 4:
            self.rows.append((self.watched, (now - self.began) / self.steps))
            if len(self.rows) >= self.n_blocks:
                raise SystemExit(0)
            self.turn()
            self.began, self.steps = 0.0, 0  # the first step after a turn is left out

    def turn(self) -> None:
        """Install the watch, or take it out; one session sees all blocks."""
        from kuaibao.doctor.hot_lines import LineSampler
        from kuaibao.doctor.session import Session
        from kuaibao.doctor.settings import Settings

        if self.is_on:
            self.session.end_step()
            self.session.sampler.stop()
            self.session.uninstall()
        elif self.session is None:
            self.session = Session(Settings(ablate=False, seconds=1e9), self.spool)
            self.session.install()
        else:
            self.session.install()
            self.session.sampler = LineSampler(self.session._region)
            self.session.sampler.start(threading.get_ident())
        self.is_on = not self.is_on

    @property
    def watched(self) -> bool:
        """Whether the watch is installed."""
        return self.is_on


def child(script: Path, data: Path, n_blocks: int, out: Path) -> None:
    """Run the script to its end, or until all blocks are measured."""
    import torch.utils.data as data_module

    with tempfile.TemporaryDirectory() as folder:
        turns = Alternation(n_blocks, Path(folder))
        original = data_module.DataLoader.__iter__

        def iterate(loader):
            iterator = opened(loader) if turns.watched else original(loader)
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
        before = time.process_time(), time.thread_time(), time.perf_counter()
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit:
            pass
        finally:
            others = time.process_time() - before[0] - (time.thread_time() - before[1])
            sampling = others / max(1e-9, time.perf_counter() - before[2])
            out.write_text(json.dumps({"rows": turns.rows, "sampling": sampling}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--blocks", type=int, default=48)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        script, data, n_blocks, out = chosen.child
        return child(Path(script), Path(data), int(n_blocks), Path(out))
    names = [n for n in NAMES if any(word in n for word in chosen.only.split(","))]
    if chosen.small:
        names, chosen.blocks = names[:1], 6
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests" / "doctor"))
    from ward_data import make_data

    print(f"{'script':28} {'CPU ms a step':>14} {'overhead':>9}  90 % range, pairs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make_data(folder / "data", n_image=48)
        for patient in names:
            out = folder / f"{patient}.json"
            subprocess.run(
                [sys.executable, __file__, "--child", str(PATIENTS / f"{patient}.py"), str(data),
                 str(chosen.blocks), str(out)], check=True, capture_output=True, cwd=folder,
            )  # fmt: skip
            show(patient, json.loads(out.read_text()))


def show(patient: str, found: dict) -> None:
    from kuaibao.doctor.statistics import log_ratio_interval

    rows = found["rows"][6:]
    alone = [seconds for watched, seconds in rows if not watched]
    watched = [seconds for watched, seconds in rows if watched]
    if not alone or not watched:
        print(f"{patient:28} too few steps")
        return
    over = log_ratio_interval(watched, alone)
    print(
        f"{patient:28} {1e3 * sorted(alone)[len(alone) // 2]:14.2f} {over.mid - 1:+9.1%}  "
        f"{over.low - 1:+.1%} to {over.high - 1:+.1%}, {min(len(alone), len(watched))}; sampling "
        f"{2 * found['sampling']:.2%} of a core",
        flush=True,
    )


if __name__ == "__main__":
    main()
