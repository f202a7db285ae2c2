"""CPU time of layouts: ours in batches of 1, 16 and 64, and `@penrose/core` one after the other.

    python benchmarks/diagrams/layout.py [--small] [--variants] [TRIO ...]

Same programs, both warm, CPU time of the whole process (theirs runs in Node; `npm` installs it into
the user's cache folder on first use). Energies and violations are medians over the layouts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from kuaibao import diagrams
from kuaibao.diagrams.caching import cache_folder

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[1] / "tests" / "diagrams" / "programs"
PEER = "@penrose/core@4.0.0-alpha.5"


def peer_folder() -> Path | None:
    """Where the peer is installed, now if need be; None without npm."""
    folder = cache_folder("peers") / "penrose"
    if not (folder / "node_modules" / "@penrose" / "core").exists():
        if shutil.which("npm") is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", PEER, "jsdom"]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            return None
    return folder


def ask_peer(trios: list[Path], n: int) -> list[dict[str, Any]]:
    """What the peer says of each program, `n` layouts each."""
    folder = peer_folder()
    if folder is None:
        return [{} for _ in trios]
    command = ["node", str(HERE / "peer" / "run.mjs"), str(folder), "--layouts", str(n)]
    run = subprocess.run([*command, *map(str, trios)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def cpu_ms(work: Callable[[], Any], *, at_least_s: float) -> tuple[float, Any]:
    """The median CPU time of a call, repeated for a while."""
    times: list[float] = []
    result = work()
    stop = time.process_time() + at_least_s
    while not times or time.process_time() < stop:
        start = time.process_time()
        result = work()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times), result


def measure(trio: Path, at_least_s: float) -> dict[str, Any]:
    """Our figures for one program."""
    files = diagrams.read_trio(trio)
    compile_ms, program = cpu_ms(lambda: diagrams.compile_files(files), at_least_s=at_least_s)
    figures: dict[str, Any] = {"compile": compile_ms, "program": program}
    for n in (1, 16, 64):
        seeds = iter(range(10**9))
        figures[f"ms_{n}"], layouts = cpu_ms(
            lambda n=n, seeds=seeds: program.layouts(n, seed=str(next(seeds))),
            at_least_s=at_least_s,
        )
    figures["energy"] = statistics.median(one.energy for one in layouts)
    figures["violation"] = statistics.median(one.violation for one in layouts)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trios", nargs="*", type=Path)
    parser.add_argument("--small", action="store_true", help="one program, a few seconds")
    parser.add_argument("--variants", action="store_true", help="plain numpy and torch as well")
    given = parser.parse_args()
    trios = given.trios or sorted(PROGRAMS.glob("*.trio.json"))
    if given.small:
        trios = trios[:2]
    n_peer, at_least_s = (2, 0.05) if given.small else (16, 0.5)
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, Python {platform.python_version()},"
          f" peer {PEER} in Node, {n_peer} layouts of each program there")  # fmt: skip
    print("CPU ms; ratios: theirs over ours for one layout, and 16 of theirs over our batch of 16")
    heads = ("program", "compile", "(peer)", "1", "16", "64", "(peer: 1)", "x 1", "x 16",
             "violation", "(peer)", "energy", "(peer)")  # fmt: skip
    print(" | ".join(heads))
    print("|".join("---" for _ in heads))
    for trio, peer in zip(trios, ask_peer(trios, n_peer), strict=True):
        ours = measure(trio, at_least_s)
        print(" | ".join(_row(trio, ours, peer)), flush=True)
        if given.variants:
            import _variants

            _variants.report(ours["program"], at_least_s)


def _row(trio: Path, ours: dict[str, Any], peer: dict[str, Any]) -> list[str]:
    theirs = peer.get("layout_ms") if peer.get("ok") else None
    medians = [statistics.median(peer[k]) if peer.get(k) else None
               for k in ("violations", "energies")]  # fmt: skip
    return [
        trio.name.removesuffix(".trio.json"),
        f"{ours['compile']:.0f}",
        _number(peer.get("compile_ms"), 0),
        *(f"{ours[f'ms_{n}']:.2f}" for n in (1, 16, 64)),
        _number(theirs, 1),
        _number(theirs / ours["ms_1"] if theirs else None, 1),
        _number(16 * theirs / ours["ms_16"] if theirs else None, 1),
        f"{ours['violation']:.1g}",
        _number(medians[0], -1),
        f"{ours['energy']:.5g}",
        _number(medians[1], -5),
    ]


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if digits >= 0 else f"{value:.{-digits}g}"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
