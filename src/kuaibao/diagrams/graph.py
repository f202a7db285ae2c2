"""The scalar expression graph that Style compiles to: append-only, every expression stored once.

A `Node` is a number that is known only when a layout is; a plain `float` is known now. All
operators and functions here take either and fold at once what they can, so that a graph holds
only what depends on an unknown. Columns of integers (`ops`, `left`, `right`, `third`) are what
the layout engine reads: nodes stand after their operands, hence index order is evaluation order.

Truth values are 1.0 and 0.0. Folding follows IEEE arithmetic (a division by zero gives an
infinity or NaN, never an exception), because that is what the tape does later.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Graph",
    "Input",
    "Node",
    "Scalar",
    "absolute",
    "atan2",
    "both",
    "divide",
    "either",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "maximum",
    "minimum",
    "negated",
    "power",
    "select",
    "square",
    "square_root",
    "total",
    "unary",
]

# Opcodes. The tape of `layout` knows them by number: append, never renumber.
CONST, INPUT = 0, 1
ADD, SUB, MUL, DIV, MAX, MIN, ATAN2, POW = range(2, 10)
LT, LE, EQ, AND, OR, XOR = range(10, 16)
SELECT = 16
NOT, NEG, SQR, SQRT, ABS, SIGN, FLOOR, CEIL, ROUND, TRUNC = range(17, 27)
SIN, COS, TAN, ASIN, ACOS, ATAN = range(27, 33)
SINH, COSH, TANH, ASINH, ACOSH, ATANH = range(33, 39)
EXP, EXPM1, LOG, LOG2, LOG10, LOG1P, CBRT = range(39, 46)

_COMMUTATIVE = frozenset({ADD, MUL, EQ, AND, OR, XOR})


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
        return self.graph.binary(ADD, self, other)

    __radd__ = __add__

    def __sub__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node:
            return self if other == 0 else self.graph.binary(ADD, self, -other)
        return 0.0 if other is self else self.graph.binary(SUB, self, other)

    def __rsub__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 0:
            return self.graph.unary(NEG, self)
        return self.graph.binary(SUB, other, self)

    def __mul__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node:
            if other == 1:
                return self
            if other == 0:
                return 0.0
            if other == -1:
                return self.graph.unary(NEG, self)
        elif other is self:
            return self.graph.unary(SQR, self)
        return self.graph.binary(MUL, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 1:
            return self
        return self.graph.binary(DIV, self, other)

    def __rtruediv__(self, other: Scalar) -> Scalar:
        if other.__class__ is not Node and other == 0:
            return 0.0
        return self.graph.binary(DIV, other, self)

    def __neg__(self) -> Scalar:
        return self.graph.unary(NEG, self)

    def __pow__(self, other: Scalar) -> Scalar:
        return power(self, other)


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
        node = self._append(INPUT, len(self.inputs), -1, -1)
        self.inputs.append(Input(start, low, high, stages, name, sampled, distribution))
        self.input_nodes.append(node)
        return node

    def constant(self, value: float) -> int:
        """The index of the node that holds a number."""
        value = float(value)
        key = value if value or math.copysign(1.0, value) > 0 else -0.0
        index = self._constant_nodes.get(key)
        if index is None:
            index = self._append(CONST, len(self.constants), -1, -1).index
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
        if i > j and op in _COMMUTATIVE:
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
        key = (SELECT, condition.index, i, j)
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
        if self.ops[index] <= INPUT:
            return ()
        three = (self.left[index], self.right[index], self.third[index])
        return tuple(k for k in three if k >= 0)

    def _evaluate(self, index: int) -> float:
        op = self.ops[index]
        if op == CONST:
            return self.constants[self.left[index]]
        if op == INPUT:
            return self.inputs[self.left[index]].start
        arguments = [self._values[k] for k in self.operands(index)]
        if op == SELECT:
            return arguments[1] if arguments[0] else arguments[2]
        if op in _BINARY:
            return _BINARY[op](arguments[0], arguments[1])
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
            if self.ops[index] == INPUT:
                found.append(self.left[index])
            else:
                stack.extend(self.operands(index))
        return sorted(found)


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    try:
        result = math.pow(a, b)
    except ValueError:
        return math.inf if a == 0 else math.nan
    except OverflowError:
        return math.inf
    return result


_BINARY: dict[int, Callable[[float, float], float]] = {
    ADD: lambda a, b: a + b,
    SUB: lambda a, b: a - b,
    MUL: lambda a, b: a * b,
    DIV: _divide,
    MAX: lambda a, b: a if a > b else b,
    MIN: lambda a, b: a if a < b else b,
    ATAN2: math.atan2,
    POW: _power,
    LT: lambda a, b: float(a < b),
    LE: lambda a, b: float(a <= b),
    EQ: lambda a, b: float(a == b),
    AND: lambda a, b: float(bool(a) and bool(b)),
    OR: lambda a, b: float(bool(a) or bool(b)),
    XOR: lambda a, b: float(bool(a) != bool(b)),
}

_UNARY: dict[int, Callable[[float], float]] = {
    NOT: lambda a: float(not a),
    NEG: lambda a: -a,
    SQR: lambda a: a * a,
    SQRT: math.sqrt,
    ABS: abs,
    SIGN: lambda a: float((a > 0) - (a < 0)),
    FLOOR: lambda a: float(math.floor(a)),
    CEIL: lambda a: float(math.ceil(a)),
    ROUND: lambda a: float(math.floor(a + 0.5)),  # halves up, as JavaScript's Math.round
    TRUNC: lambda a: float(math.trunc(a)),
    SIN: math.sin,
    COS: math.cos,
    TAN: math.tan,
    ASIN: math.asin,
    ACOS: math.acos,
    ATAN: math.atan,
    SINH: math.sinh,
    COSH: math.cosh,
    TANH: math.tanh,
    ASINH: math.asinh,
    ACOSH: math.acosh,
    ATANH: math.atanh,
    EXP: math.exp,
    EXPM1: math.expm1,
    LOG: lambda a: -math.inf if a == 0 else math.log(a),
    LOG2: lambda a: -math.inf if a == 0 else math.log2(a),
    LOG10: lambda a: -math.inf if a == 0 else math.log10(a),
    LOG1P: lambda a: -math.inf if a == -1 else math.log1p(a),
    CBRT: lambda a: math.copysign(math.cbrt(abs(a)), a),
}

UNARY_BY_NAME: dict[str, int] = {
    "sqrt": SQRT, "abs": ABS, "sign": SIGN, "floor": FLOOR, "ceil": CEIL, "round": ROUND,
    "trunc": TRUNC, "sin": SIN, "cos": COS, "tan": TAN, "asin": ASIN, "acos": ACOS, "atan": ATAN,
    "sinh": SINH, "cosh": COSH, "tanh": TANH, "asinh": ASINH, "acosh": ACOSH, "atanh": ATANH,
    "exp": EXP, "expm1": EXPM1, "log": LOG, "log2": LOG2, "log10": LOG10, "log1p": LOG1P,
    "cbrt": CBRT, "sqr": SQR,
}  # fmt: skip


def fold(op: int, value: float) -> float:
    """A unary operation on a number; outside its domain NaN, beyond the range an infinity."""
    try:
        return _UNARY[op](value)
    except ValueError:
        return math.nan
    except OverflowError:
        return value if math.isinf(value) else math.copysign(math.inf, value if op == SINH else 1.0)


def unary(op: int, x: Scalar) -> Scalar:
    """Any unary operation by its opcode, folded for a number."""
    return x.graph.unary(op, x) if isinstance(x, Node) else fold(op, x)


def _binary(op: int, a: Scalar, b: Scalar) -> Scalar:
    if isinstance(a, Node):
        return a.graph.binary(op, a, b)
    if isinstance(b, Node):
        return b.graph.binary(op, a, b)
    return _BINARY[op](a, b)


def divide(a: Scalar, b: Scalar) -> Scalar:
    """`a / b` that gives an infinity or NaN where Python would raise on two floats."""
    if isinstance(a, Node) or isinstance(b, Node):
        return a / b
    return _divide(a, b)


def maximum(a: Scalar, b: Scalar) -> Scalar:
    """The larger; its derivative follows `a` only where `a > b`."""
    return a if a is b else _binary(MAX, a, b)


def minimum(a: Scalar, b: Scalar) -> Scalar:
    """The smaller; its derivative follows `a` only where `a < b`."""
    return a if a is b else _binary(MIN, a, b)


def atan2(y: Scalar, x: Scalar) -> Scalar:
    """The angle of the point (x, y), in radians."""
    return _binary(ATAN2, y, x)


def power(a: Scalar, b: Scalar) -> Scalar:
    """`a` raised to `b`; squares and the like become products."""
    if not isinstance(b, Node) and isinstance(a, Node):
        if b == 1:
            return a
        if b == 0:
            return 1.0
        if b == 2:
            return a * a
    return _binary(POW, a, b)


def less(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a < b`, else 0."""
    return _binary(LT, a, b)


def less_equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a <= b`, else 0."""
    return _binary(LE, a, b)


def greater(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a > b`, else 0."""
    return _binary(LT, b, a)


def greater_equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where `a >= b`, else 0."""
    return _binary(LE, b, a)


def equal(a: Scalar, b: Scalar) -> Scalar:
    """1 where both are the same number, else 0."""
    return _binary(EQ, a, b)


def both(a: Scalar, b: Scalar) -> Scalar:
    """Logical and."""
    return _binary(AND, a, b)


def either(a: Scalar, b: Scalar) -> Scalar:
    """Logical or."""
    return _binary(OR, a, b)


def negated(a: Scalar) -> Scalar:
    """Logical not."""
    return unary(NOT, a)


def select(condition: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """`a` where the condition holds (is not 0), else `b`; both are always computed."""
    if not isinstance(condition, Node):
        return a if condition else b
    return a if a is b else condition.graph.select(condition, a, b)


def square(x: Scalar) -> Scalar:
    """`x * x`."""
    return x * x


def square_root(x: Scalar) -> Scalar:
    """The root; its derivative is bounded near 0 (the divisor is at least 1e-5)."""
    return unary(SQRT, x)


def absolute(x: Scalar) -> Scalar:
    """The absolute value."""
    return unary(ABS, x)


def total(terms: Sequence[Scalar] | Iterable[Scalar]) -> Scalar:
    """The sum; 0.0 of nothing."""
    result: Scalar = 0.0
    for term in terms:
        result = result + term
    return result


def sin(x: Scalar) -> Scalar:
    """The sine of an angle in radians."""
    return unary(SIN, x)


def cos(x: Scalar) -> Scalar:
    """The cosine of an angle in radians."""
    return unary(COS, x)


def tan(x: Scalar) -> Scalar:
    """The tangent of an angle in radians."""
    return unary(TAN, x)


def exp(x: Scalar) -> Scalar:
    """The exponential."""
    return unary(EXP, x)


def log(x: Scalar) -> Scalar:
    """The natural logarithm."""
    return unary(LOG, x)


def floor(x: Scalar) -> Scalar:
    """The largest whole number not above x; its derivative is 0."""
    return unary(FLOOR, x)


def sign(x: Scalar) -> Scalar:
    """-1, 0 or 1; its derivative is 0."""
    return unary(SIGN, x)


def acos(x: Scalar) -> Scalar:
    """The angle in [0, pi] whose cosine is x."""
    return unary(ACOS, x)


def sqrt(x: Scalar) -> Scalar:
    """The same as `square_root`, by its short name."""
    return unary(SQRT, x)
