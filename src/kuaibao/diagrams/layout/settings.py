"""What a layout is asked for (settings, start values) and what it gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kuaibao.diagrams.graph import Graph
from kuaibao.diagrams.layout.tape import Vector

__all__ = ["LayoutResult", "Settings", "draw_inputs"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long and how hard to try."""

    compatible: bool = False
    """Penrose's own stopping rules and line search, its first weight (1e3), no safeguards."""
    weight: float = 1e2
    """Of the squared violations in the first round; each round takes ten times more."""
    kicks: int = 2
    """How often a layout that holds not every constraint is shaken and tried again."""
    weight_cap: float = 1e12
    max_steps: int = 20_000
    """Of L-BFGS, a stage and candidate."""
    time_limit_s: float = 60.0
    """For all candidates together; the rest stay where they are."""
    width: int = 0
    """Candidates side by side; 0 chooses by the size of the program."""
    progress: Callable[[int, int], None] | None = None
    """Called now and then with the numbers of finished stages of candidates, and of all."""


@dataclass(frozen=True)
class LayoutResult:
    """One layout: the numbers of all inputs, and how good they are."""

    inputs: Vector
    """The value of every input of the graph, by number."""
    energy: float
    """The sum of the objectives of the last stage."""
    violation: float
    """The largest positive constraint value of the last stage; 0 when all hold."""
    steps: int
    """Of L-BFGS, over all stages."""
    evaluations: int
    status: str
    """`converged`, `steps` (cap reached), `time` (limit reached) or `nan`."""
    objective_values: Vector
    constraint_values: Vector
    """Of the last stage's terms; the value of a term of another stage is NaN."""
    candidate: int = 0
    """The number of the start that it grew from."""
    blame: tuple[str, ...] = field(default=())
    """For a NaN or an unsatisfied constraint: the terms at fault, worst first, as sentences."""

    @property
    def rank(self) -> tuple[bool, float, float]:
        """Sorts the better first: finite, then less violated, then lower energy."""
        broken = self.status == "nan" or not np.isfinite(self.energy)
        # a hundredth of a pixel of violation nobody sees: among such, energy decides
        return broken, max(round(self.violation, 2), 0.01), self.energy


_MIX = tuple(np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def _mix(
    x: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """SplitMix64's output function (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * _MIX[1]
    x = (x ^ (x >> np.uint64(27))) * _MIX[2]
    return x ^ (x >> np.uint64(31))


def draw_inputs(
    graph: Graph, n: int, seed: int | str, pins: Mapping[int, float] | None = None
) -> Vector:
    """Start values (candidate, input), each a function of seed, candidate and input alone.

    So the k-th candidate of a seed is the same however many are asked for, and an input keeps
    its draw when inputs are appended after it.
    """
    inputs = graph.inputs
    digest = hashlib.sha256(str(seed).encode()).digest()
    key = np.frombuffer(digest[:8], dtype="<u8").astype(np.uint64)
    with np.errstate(over="ignore"):
        candidate = _mix(key + _MIX[0] * np.arange(1, n + 1, dtype=np.uint64))
        number = _MIX[0] * np.arange(1, len(inputs) + 1, dtype=np.uint64)
        bits = _mix(candidate[:, None] + number[None, :])
    uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    low = np.array([i.low for i in inputs])
    high = np.array([i.high for i in inputs])
    start = np.array([i.start for i in inputs])
    sampled = np.array([i.sampled for i in inputs], dtype=bool)
    values = np.where(sampled, low + (high - low) * uniform, start)
    for index, value in (pins or {}).items():
        values[:, index] = value
    return values
