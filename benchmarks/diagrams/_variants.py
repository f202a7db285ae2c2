"""The same energy and gradient by other means: the tape run by plain numpy, and by torch.

Not a script of its own: `layout.py --variants` prints what one evaluation of 16 candidates costs.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from kuaibao.diagrams import opcodes as g
from kuaibao.diagrams.layout import draw_inputs
from kuaibao.diagrams.layout.optimizer import _Stage
from kuaibao.diagrams.layout.settings import Settings

WEIGHT = 1e3


class TapeRun:
    """One stage's tape and terms over a backend that looks like numpy."""

    def __init__(self, program: Any, n: int) -> None:
        self.stage = _Stage(program.problem, program.problem.stages[0], frozenset())
        tape = self.stage.tape
        inputs = draw_inputs(program.problem.graph, n, "s")
        self.x = np.ascontiguousarray(inputs[:, tape.moving].T)
        self.head: list[Any] = [np.full(n, c) for c in tape.constants]
        self.head += [np.ascontiguousarray(inputs[:, k]) for k in tape.fixed]

    def forward(self, backend: Any, x: Any, head: list[Any]) -> list[Any]:
        """All rows."""
        tape = self.stage.tape
        rows = list(head)
        for i in range(tape.n_prologue):
            rows.append(_step(backend, tape, i, rows))
        rows.extend(x)
        for i in range(tape.n_prologue, tape.n_prologue + tape.n_body):
            rows.append(_step(backend, tape, i, rows))
        return rows

    def energy(self, backend: Any, rows: list[Any]) -> Any:
        """Objectives and weighted squared violations, summed over candidates."""
        total: Any = 0.0
        for row, objective in zip(self.stage.terms, self.stage.is_objective, strict=True):
            value = rows[row]
            total = total + (
                value if objective else WEIGHT * backend.maximum(value, 0 * value) ** 2
            )
        return total.sum()


def _step(backend: Any, tape: Any, i: int, rows: list[Any]) -> Any:
    op = int(tape.ops[i])
    a, b = rows[tape.left[i]], rows[tape.right[i]]
    if op == g.SELECT:
        return backend.where(a != 0, b, rows[tape.third[i]])
    if op in _BINARY:
        return _BINARY[op](backend, a, b)
    return _UNARY[op](backend, a)


_BINARY = {
    g.ADD: lambda _, a, b: a + b,
    g.SUB: lambda _, a, b: a - b,
    g.MUL: lambda _, a, b: a * b,
    g.DIV: lambda _, a, b: a / b,
    g.MAX: lambda m, a, b: m.maximum(a, b),
    g.MIN: lambda m, a, b: m.minimum(a, b),
    g.ATAN2: lambda m, a, b: m.arctan2(a, b),
    g.POW: lambda _, a, b: a**b,
    g.LT: lambda _, a, b: (a < b) * 1.0,
    g.LE: lambda _, a, b: (a <= b) * 1.0,
    g.EQ: lambda _, a, b: (a == b) * 1.0,
    g.AND: lambda _, a, b: ((a != 0) & (b != 0)) * 1.0,
    g.OR: lambda _, a, b: ((a != 0) | (b != 0)) * 1.0,
    g.XOR: lambda _, a, b: ((a != 0) ^ (b != 0)) * 1.0,
}
_UNARY = {
    g.NOT: lambda _, a: (a == 0) * 1.0,
    g.NEG: lambda _, a: -a,
    g.SQR: lambda _, a: a * a,
    g.SQRT: lambda m, a: m.sqrt(a),
    g.ABS: lambda m, a: m.abs(a),
    g.SIGN: lambda m, a: m.sign(a),
    g.FLOOR: lambda m, a: m.floor(a),
    g.SIN: lambda m, a: m.sin(a),
    g.COS: lambda m, a: m.cos(a),
    g.ACOS: lambda m, a: m.arccos(a),
    g.LOG: lambda m, a: m.log(a),
    g.EXP: lambda m, a: m.exp(a),
}


def report(program: Any, at_least_s: float, n: int = 16) -> None:
    """What one evaluation of energy and gradient for `n` candidates costs."""
    run = TapeRun(program, n)
    ours = _ours_ms(program, n)
    line = f"    one evaluation of {n}: tape {ours:.3f} ms"

    def numpy_forward() -> Any:
        return run.energy(np, run.forward(np, list(run.x), run.head))

    with np.errstate(all="ignore"):
        spent = _ms(numpy_forward, at_least_s)
    line += f"; numpy, forward alone {spent:.2f} ms ({spent / ours:.0f}x)"
    try:
        import torch
    except ImportError:
        print(line)
        return
    torch.set_num_threads(1)
    head = [torch.from_numpy(one) for one in run.head]

    def torch_both() -> Any:
        x = torch.from_numpy(run.x).requires_grad_()
        energy = run.energy(torch, run.forward(torch, list(x), head))
        energy.backward()
        return x.grad

    spent = _ms(torch_both, at_least_s)
    print(f"{line}; torch with its gradient {spent:.2f} ms ({spent / ours:.0f}x)")


def _ours_ms(program: Any, n: int) -> float:
    stage = _Stage(program.problem, program.problem.stages[0], frozenset())
    inputs = draw_inputs(program.problem.graph, n, "s")
    start = time.process_time()
    _, counts = stage.run(inputs, Settings(), time.monotonic() + 60)
    # lanes run side by side: the longest candidate is about the number of batch evaluations
    return 1e3 * (time.process_time() - start) / max(int(counts[:, 3].max()), 1)


def _ms(work: Any, at_least_s: float) -> float:
    work()
    count, start = 0, time.process_time()
    while not count or time.process_time() - start < at_least_s:
        work()
        count += 1
    return 1e3 * (time.process_time() - start) / count
