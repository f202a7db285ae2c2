"""From the graph to a tape: only what is needed, in rows, as flat typed columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from kuaibao.diagrams.graph import Graph, Node, Scalar
from kuaibao.diagrams.layout.machine import load_kernel
from kuaibao.diagrams.layout.slots import (
    COUNT_FP,
    COUNT_IP,
    FIRST_MOVING,
    N_BODY,
    WIDTH,
)
from kuaibao.diagrams.opcodes import CONST, INPUT

__all__ = ["Evaluator", "Tape", "Vector", "make_tape"]

Vector: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Column: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class Tape:
    """Instructions over rows: constants, fixed inputs, prologue, moving inputs, body.

    An instruction's row is its place; a node that no moving input reaches stands in the
    prologue, which runs once a candidate instead of once an evaluation.
    """

    constants: Vector
    fixed: list[int]
    """Numbers of the inputs that keep their value."""
    moving: list[int]
    """Numbers of the inputs that the stage moves."""
    n_prologue: int
    n_body: int
    ops: Column
    left: Column
    right: Column
    third: Column
    row_of: dict[int, int]
    """Row by graph index, for all nodes on the tape."""

    @property
    def first_moving(self) -> int:
        """The row of the first moving input."""
        return len(self.constants) + len(self.fixed) + self.n_prologue

    @property
    def n_rows(self) -> int:
        """The height of the value table."""
        return self.first_moving + len(self.moving) + self.n_body


def _reachable(graph: Graph, outputs: Iterable[int]) -> list[int]:
    """The graph indices that the outputs need, ascending, hence operands first."""
    ops, columns = graph.ops, (graph.left, graph.right, graph.third)
    seen = set(outputs)
    stack = list(seen)
    while stack:
        index = stack.pop()
        if ops[index] <= INPUT:
            continue
        for column in columns:
            k = column[index]
            if k >= 0 and k not in seen:
                seen.add(k)
                stack.append(k)
    return sorted(seen)


def make_tape(graph: Graph, outputs: Iterable[int], moving: frozenset[int] | None) -> Tape:
    """A tape that computes the outputs (graph indices); `moving` are numbers of inputs.

    With `moving` None every input moves and everything stands in the body.
    """
    live = _reachable(graph, outputs)
    ops, left, right, third = graph.ops, graph.left, graph.right, graph.third
    constants: list[int] = []
    fixed: list[int] = []
    moved: list[int] = []
    prologue: list[int] = []
    body: list[int] = []
    reached: set[int] = set()
    for index in live:
        op = ops[index]
        if op == CONST:
            constants.append(index)
        elif op == INPUT:
            if moving is None or left[index] in moving:
                moved.append(index)
                reached.add(index)
            else:
                fixed.append(index)
        elif (
            moving is None
            or left[index] in reached
            or right[index] in reached
            or third[index] in reached
        ):
            body.append(index)
            reached.add(index)
        else:
            prologue.append(index)
    rows = [*constants, *fixed, *prologue, *moved, *body]
    row_of = dict(zip(rows, range(len(rows)), strict=True))
    row_of[-1] = 0
    instructions = prologue + body

    def column(source: Any) -> Column:
        return np.array([row_of[source[i]] for i in instructions] or [0], dtype=np.int32)

    return Tape(
        constants=np.array([graph.constants[left[i]] for i in constants], dtype=np.float64),
        fixed=[left[i] for i in fixed],
        moving=[left[i] for i in moved],
        n_prologue=len(prologue),
        n_body=len(body),
        ops=np.array([ops[i] for i in instructions] or [0], dtype=np.int32),
        left=column(left),
        right=column(right),
        third=column(third),
        row_of=row_of,
    )


class Evaluator:
    """The values of some expressions for given inputs, all candidates at once."""

    def __init__(self, graph: Graph, outputs: Sequence[Scalar]) -> None:
        self.graph = graph
        indices = {o.index for o in outputs if isinstance(o, Node)}
        self.tape = make_tape(graph, indices, None)
        self._rows = np.array(
            [self.tape.row_of[o.index] if isinstance(o, Node) else -1 for o in outputs],
            dtype=np.int64,
        )
        self._numbers = np.array(
            [np.nan if isinstance(o, Node) else float(o) for o in outputs], dtype=np.float64
        )

    def run(self, inputs: Vector) -> Vector:
        """The outputs (candidate, output) for inputs (candidate, input)."""
        n = len(inputs)
        result = np.empty((n, len(self._rows)))
        for first in range(0, n, 16):
            result[first : first + 16] = self._run(inputs[first : first + 16])
        return result

    def _run(self, inputs: Vector) -> Vector:
        n, tape = len(inputs), self.tape
        v = np.empty((tape.n_rows + 1, n))
        v[: len(tape.constants)] = tape.constants[:, None]
        first = tape.first_moving
        v[first : first + len(tape.moving)] = inputs[:, tape.moving].T
        ip = np.zeros(COUNT_IP, dtype=np.int64)
        ip[N_BODY], ip[WIDTH] = tape.n_body, n
        ip[FIRST_MOVING] = first + len(tape.moving)
        none = np.zeros(COUNT_FP)
        load_kernel()(
            ip, none, tape.ops, tape.left, tape.right, tape.third, tape.ops, tape.ops, v, none,
            none, ip, none, none, none, ip,
        )  # fmt: skip
        picked = v[self._rows].T
        return np.where(self._rows >= 0, picked, self._numbers)
