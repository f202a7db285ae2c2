"""Dragging: how long a diagram of about 30 shapes takes to be laid out again around a pin.

    python benchmarks/diagrams/drag.py [--small]

A handle moves along a line in steps of 2 pixels; each step starts from the layout before, as the
browser does, and draws the SVG. Told are the first step, which builds the tapes for what is pinned,
and the median and the slowest of the others, in CPU and wall milliseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from kuaibao.diagrams import compile_files, read_trio
from kuaibao.diagrams.baking import lay_out_again
from kuaibao.diagrams.handles import find_handles, pins_of
from kuaibao.diagrams.problem import walk_shapes

EXAMPLES = Path(__file__).parents[2] / "examples" / "diagrams"
PROGRAMS = ("graphs/cube", "neural/encoder-decoder", "probability/hidden-markov", "sets/species")
LIMIT_MS = 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="fewer steps")
    n_step = 4 if parser.parse_args().small else 40
    print(
        "program, shapes, first step cpu/wall ms, then median and slowest cpu (wall) ms, worst violation"
    )
    for name in PROGRAMS:
        program = compile_files(read_trio(EXAMPLES / f"{name}.trio.json"))
        layout = program.layouts(8)[0]
        layout.svg()
        handles = find_handles(program.problem)
        handle = max(handles, key=lambda one: None not in one.inputs)
        x, y = (layout.result.inputs[k] if k is not None else 0.0 for k in handle.inputs)
        cpu, wall, violations = [], [], []
        for step in range(n_step):
            pin = {handle.name: (float(x) - 2.0 * step, float(y) + 1.0 * step)}
            start = time.process_time(), time.perf_counter()
            layout = lay_out_again(program, layout.result.inputs, pins_of(handles, pin))
            layout.svg()
            cpu.append(1e3 * (time.process_time() - start[0]))
            wall.append(1e3 * (time.perf_counter() - start[1]))
            violations.append(layout.violation)
        n_shape = sum(1 for _ in walk_shapes(program.problem.shapes))
        later, later_wall = cpu[1:], wall[1:]
        print(
            f"{name}, {n_shape}, {cpu[0]:.0f}/{wall[0]:.0f}, "
            f"{statistics.median(later):.0f} ({statistics.median(later_wall):.0f}), "
            f"{max(later):.0f} ({max(later_wall):.0f}), {max(violations):.2g}"
        )
        if statistics.median(later) > LIMIT_MS:
            print(f"  slower than {LIMIT_MS:.0f} ms")


if __name__ == "__main__":
    main()
