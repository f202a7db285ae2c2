"""The scalar expression graph that Style compiles to: append-only, every expression stored once.

A `Node` is a number that is known only when a layout is; a plain `float` is known now. Operators
here and functions in `scalars` take either and fold at once what they can, so that a graph holds
only what depends on an unknown. Columns of integers (`ops`, `left`, `right`, `third`) are what
the layout engine reads: nodes stand after their operands, hence index order is evaluation order.

Truth values are 1.0 and 0.0.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from kuaibao.diagrams import opcodes
from kuaibao.diagrams.folding import BINARY, fold

__all__ = ["Graph", "Input", "Node", "Scalar"]


@dataclass(slots=True)
class Input:
    """One number that the layout chooses or receives: an unknown, a random draw, a text measure."""

    start: float
    """The value drawn (or given) when the program was compiled."""
    low: float
    high: float
    """Where other candidates draw theirs, uniformly; ignored when `sampled` is False."""
    stages: frozenset[str] | None
    """The stages that move it: None means all, the empty set none."""
    name: str
    sampled: bool
    """Whether another seed draws another start; False keeps `start` (`?[3.14]`, text sizes)."""
    distribution: str = "uniform"
    """`uniform`, `integer` (uniform, then floor) or `normal` (mean `low`, deviation `high`)."""


class Node:
    """One expression of a graph. Compare identity to know whether two are the same."""

    __slots__ = ("graph", "index")

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    def __repr__(self) -> str:
        return f"Node({self.index})"

    def __add__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 0:
            return self
        return self.graph.binary(opcodes.ADD, self, other)

    __radd__ = __add__

    def __sub__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node:
            return self if other == 0 else self.graph.binary(opcodes.ADD, self, -other)
        return 0.0 if other is self else self.graph.binary(opcodes.SUB, self, other)

    def __rsub__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 0:
            return self.graph.unary(opcodes.NEG, self)
        return self.graph.binary(opcodes.SUB, other, self)

    def __mul__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node:
            if other == 1:
                return self
            if other == 0:
                return 0.0
            if other == -1:
                return self.graph.unary(opcodes.NEG, self)
        elif other is self:
            return self.graph.unary(opcodes.SQR, self)
        return self.graph.binary(opcodes.MUL, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 1:
            return self
        return self.graph.binary(opcodes.DIV, self, other)

    def __rtruediv__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 0:
            return 0.0
        return self.graph.binary(opcodes.DIV, other, self)

    def __neg__(self) -> Scalar:
        return self.graph.unary(opcodes.NEG, self)

    def __pow__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node:
            if other == 1:
                return self
            if other == 0:
                return 1.0
            if other == 2:
                return self * self
        return self.graph.binary(opcodes.POW, self, other)


Scalar: TypeAlias = float | Node


class Graph:
    """All expressions of one compiled program."""

    def __init__(self) -> None:
        self.ops = array("i")
        self.left = array("i")
        self.right = array("i")
        self.third = array("i")
        self.constants: list[float] = []
        self.inputs: list[Input] = []
        self.input_nodes: list[Node] = []
        self.nodes: list[Node] = []
        self._known: dict[tuple[int, int, int, int], Node] = {}
        self._constant_nodes: dict[float, int] = {}
        self._values: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def _append(self, op: int, left: int, right: int, third: int) -> Node:
        node = Node(self, len(self.ops))
        self.ops.append(op)
        self.left.append(left)
        self.right.append(right)
        self.third.append(third)
        self.nodes.append(node)
        return node

    def input(
        self,
        start: float,
        low: float = 0.0,
        high: float = 0.0,
        stages: frozenset[str] | None = None,
        name: str = "",
        *,
        sampled: bool = False,
        distribution: str = "uniform",
    ) -> Node:
        """A new unknown; with an empty `stages` it is a constant of each candidate.

        Prefer `Context.unknown` and `Context.draw`, which also draw `start`.
        """
        node = self._append(opcodes.INPUT, len(self.inputs), -1, -1)
        self.inputs.append(Input(start, low, high, stages, name, sampled, distribution))
        self.input_nodes.append(node)
        return node

    def constant(self, value: float) -> int:
        """The index of the node that holds a number."""
        value = float(value)
        key = value if value or math.copysign(1.0, value) > 0 else -0.0
        index = self._constant_nodes.get(key)
        if index is None:
            index = self._append(opcodes.CONST, len(self.constants), -1, -1).index
            self.constants.append(value)
            if value == value:  # NaN is equal to nothing, so it can't be looked up
                self._constant_nodes[key] = index
        return index

    def unary(self, op: int, operand: Node) -> Node:
        """The node `op(operand)`, made on first use."""
        key = (op, operand.index, -1, -1)
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = self._append(*key)
        return node

    def binary(self, op: int, a: Scalar, b: Scalar) -> Node:
        """The node `op(a, b)`, made on first use; at least one operand should be a node."""
        i = a.index if isinstance(a, Node) else self.constant(a)
        j = b.index if isinstance(b, Node) else self.constant(b)
        if i > j and op in opcodes.COMMUTATIVE:
            i, j = j, i
        key = (op, i, j, -1)
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = self._append(*key)
        return node

    def select(self, condition: Node, a: Scalar, b: Scalar) -> Node:
        """The node that is `a` where `condition` holds and `b` elsewhere."""
        i = a.index if isinstance(a, Node) else self.constant(a)
        j = b.index if isinstance(b, Node) else self.constant(b)
        key = (opcodes.SELECT, condition.index, i, j)
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = self._append(*key)
        return node

    def start_value(self, scalar: Scalar) -> float:
        """The value of an expression at the start values of the inputs."""
        if not isinstance(scalar, Node):
            return float(scalar)
        values = self._values
        stack = [scalar.index]
        while stack:
            index = stack[-1]
            if index in values:
                stack.pop()
                continue
            waiting = [k for k in self.operands(index) if k not in values]
            if waiting:
                stack.extend(waiting)
            else:
                values[index] = self._evaluate(index)
                stack.pop()
        return values[scalar.index]

    def operands(self, index: int) -> tuple[int, ...]:
        """The indices of the nodes that a node reads."""
        if self.ops[index] <= opcodes.INPUT:
            return ()
        three = (self.left[index], self.right[index], self.third[index])
        return tuple(k for k in three if k >= 0)

    def _evaluate(self, index: int) -> float:
        op = self.ops[index]
        if op == opcodes.CONST:
            return self.constants[self.left[index]]
        if op == opcodes.INPUT:
            return self.inputs[self.left[index]].start
        arguments = [self._values[k] for k in self.operands(index)]
        if op == opcodes.SELECT:
            return arguments[1] if arguments[0] else arguments[2]
        if op in BINARY:
            return BINARY[op](arguments[0], arguments[1])
        return fold(op, arguments[0])

    def inputs_of(self, outputs: Iterable[Scalar]) -> list[int]:
        """The numbers of the inputs that any of these expressions reads, ascending."""
        seen: set[int] = set()
        stack = [o.index for o in outputs if isinstance(o, Node)]
        found: list[int] = []
        while stack:
            index = stack.pop()
            if index in seen:
                continue
            seen.add(index)
            if self.ops[index] == opcodes.INPUT:
                found.append(self.left[index])
            else:
                stack.extend(self.operands(index))
        return sorted(found)
