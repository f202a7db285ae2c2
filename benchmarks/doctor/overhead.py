"""What watching costs: cycles of steps with the doctor's watch in turn with as many steps without it.

    python benchmarks/doctor/overhead.py [--small] [--pairs N] [--only WORDS]

Each script is a patient of the ward, run unmodified in a process of its own, again and again until
all is measured. A run that is only watched (`kuaibao doctor run --no-ablate`) goes by cycles: some
steps are watched, then more are left alone. One such cycle, with putting the hooks in and taking them
out, is held against as many steps without any watch; the first steps after it was taken out altogether
are left out. CPU seconds of the whole process a step are compared pair by pair (A B, B A, …), so that
what the machine's speed and load do to both goes out; the doctor's sampling thread is in it. The first
steps, by which the watch learns how many it may watch, and of which it looks at a dozen closely, are
not: they are as many in a run of hours.
`--small`: one script, few pairs.
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
WATCHED = 8
"""Steps that a cycle watches."""
LEARNT = 48
"""Steps that are watched before the first cycle."""
N_LEFT_OUT = 3
"""Steps after the watch was taken out: Python learns anew what it may take for granted."""


class Alternation:
    """Stands around a script's loaders and turns the watch on and off."""

    def __init__(self, n_pairs: int, spool: Path) -> None:
        from kuaibao.doctor import hot_lines
        from kuaibao.doctor.session import Session
        from kuaibao.doctor.settings import Settings

        hot_lines._SOON_S = 0.0  # the sampling thread as it is after its first seconds
        self.n_blocks = 2 * n_pairs
        self.session = Session(Settings(ablate=False, seconds=1e9), spool)
        self.session.install()
        self.is_on = self.is_learning = True
        self.rows: list[tuple[bool, float]] = []
        self.steps = 0
        self.spent = self.began = 0.0

    @property
    def is_done(self) -> bool:
        """Whether all blocks are measured."""
        return len(self.rows) >= self.n_blocks

    @property
    def cycle(self) -> int:
        """Steps of a cycle of the watch."""
        return WATCHED * self.session._thrift.every

    def border(self) -> None:
        """Called before each batch."""
        now = time.process_time()
        self.began = self.began or now
        if self.is_learning:
            if self.session._thrift._n_watched >= LEARNT - 1:  # and one is open
                self.is_learning = False
                self.turn()
        elif self.steps == self.cycle + (0 if self.is_on else N_LEFT_OUT):
            self.rows.append((self.is_on, (self.spent + now - self.began) / self.cycle))
            if self.is_done:
                raise SystemExit(0)
            self.turn()
        elif not self.is_on and self.steps == N_LEFT_OUT:
            self.spent, self.began = 0.0, now
        self.steps += 1

    def turn(self) -> None:
        """Install the watch, or take it out, so that blocks go A B B A A B B A."""
        self.spent, self.began, self.steps = 0.0, time.process_time(), 0
        wanted = len(self.rows) % 4 in (1, 2)
        if self.is_on:
            self.take_out()
        if wanted:
            self.install()
        self.is_on = wanted

    def install(self) -> None:
        """Begin a cycle: the watch is awake."""
        from kuaibao.doctor.hot_lines import LineSampler

        self.session.install()
        self.session.sampler = LineSampler(self.session._region)
        self.session.sampler.start(threading.get_ident())

    def take_out(self) -> None:
        """Leave nothing of the watch, and let it not rest when it comes again."""
        self.session.end_step()
        self.session._n_to_rest = 0
        self.session.sampler.stop()
        self.session.uninstall()

    def know(self, loader: object) -> None:
        """A loader of the script begun anew is the old one: a dozen steps were looked at closely."""
        schedules = self.session._plan._schedules
        if schedules:
            schedules.setdefault(id(loader), next(iter(schedules.values())))

    def again(self) -> None:
        """The script begins anew; what it does before its first batch is no step's."""
        if self.is_on:
            self.session.end_step(disturbed=True)
        self.spent += time.process_time() - self.began
        self.began = 0.0


def child(script: Path, data: Path, n_pairs: int, out: Path) -> None:
    """Run the script until all blocks are measured."""
    import torch.utils.data as data_module

    with tempfile.TemporaryDirectory() as folder:
        original = data_module.DataLoader.__iter__
        turns = Alternation(n_pairs, Path(folder))

        def iterate(loader):
            iterator = original(loader)
            turns.session.log.opened(loader, iterator, 0.0)
            turns.know(loader)
            while True:
                turns.border()
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
                yield batch

        data_module.DataLoader.__iter__ = iterate
        sys.argv = [str(script), str(data)]
        try:
            while not turns.is_done:
                runpy.run_path(str(script), run_name="__main__")
                turns.again()
        except SystemExit:
            pass
    out.write_text(json.dumps({"rows": turns.rows, "every": turns.session._thrift.every}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        script, data, n_pairs, out = chosen.child
        return child(Path(script), Path(data), int(n_pairs), Path(out))
    names = [n for n in NAMES if any(word in n for word in chosen.only.split(","))]
    if chosen.small:
        names, chosen.pairs = names[:1], 4
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
                 str(chosen.pairs), str(out)], check=False, capture_output=True, cwd=folder,
                text=True,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(f"{patient} failed:\n{done.stderr[-2000:]}")
            show(patient, json.loads(out.read_text()))


def show(patient: str, found: dict) -> None:
    from kuaibao.doctor.statistics import log_ratio_interval

    rows = found["rows"]
    alone = [seconds for watched, seconds in rows if not watched]
    watched = [seconds for watched, seconds in rows if watched]
    over = log_ratio_interval(watched, alone)
    print(
        f"{patient:28} {1e3 * sorted(alone)[len(alone) // 2]:14.2f} {over.mid - 1:+9.1%}  "
        f"{over.low - 1:+.1%} to {over.high - 1:+.1%}, {min(len(alone), len(watched))}; "
        f"{WATCHED} of {WATCHED * found['every']} steps",
        flush=True,
    )


if __name__ == "__main__":
    main()
