"""What a library body may use besides its arguments: graph, canvas, random draws, warnings."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kuaibao.diagrams.graph import Graph, Node, Scalar
from kuaibao.diagrams.values import Shape

__all__ = ["Canvas", "Context", "Measure"]

NEVER: frozenset[str] = frozenset()
"""The stages of an input that no stage may move."""


@dataclass(frozen=True)
class Canvas:
    """The drawing area in pixels; its centre is the origin and y points up."""

    width: float
    height: float

    @property
    def x_range(self) -> tuple[float, float]:
        """Left and right edge."""
        return -self.width / 2, self.width / 2

    @property
    def y_range(self) -> tuple[float, float]:
        """Bottom and top edge."""
        return -self.height / 2, self.height / 2


@dataclass(frozen=True)
class Measure:
    """The size of a text in pixels."""

    width: float
    height: float
    ascent: float
    descent: float


@dataclass
class Context:
    """The compilation that a body runs in.

    `rng` draws the start values; the layout draws those of further candidates itself, from the
    ranges kept in `graph.inputs`.
    """

    graph: Graph = field(default_factory=Graph)
    canvas: Canvas = field(default_factory=lambda: Canvas(800.0, 700.0))
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    warn: Callable[[str, Sequence[Shape]], None] | None = None
    """Called with a tag (`BBoxApproximation`) and the shapes concerned."""

    def unknown(
        self, low: float, high: float, stages: frozenset[str] | None = None, name: str = ""
    ) -> Node:
        """An input that the layout moves, starting anywhere in [low, high)."""
        start = self.rng.uniform(low, high)
        return self.graph.input(start, low, high, stages, name, sampled=True)

    def draw(self, low: float, high: float, name: str = "random") -> Node:
        """A random constant in [low, high): drawn anew for every candidate, never moved."""
        return self.unknown(low, high, NEVER, name)

    def given(self, value: float, name: str = "") -> Node:
        """A number that is an input for the count only (text sizes): never moved or redrawn."""
        return self.graph.input(value, stages=NEVER, name=name)

    def start_value(self, scalar: Scalar) -> float:
        """The value now, at the start values drawn while compiling."""
        return self.graph.start_value(scalar)

    def start_values(self, points: Sequence[Sequence[Scalar]]) -> list[list[float]]:
        """The values now of a list of points."""
        return [[self.start_value(x) for x in point] for point in points]

    def approximated(self, *shapes: Shape) -> None:
        """Say that bounding boxes stand for these shapes."""
        if self.warn is not None:
            self.warn("BBoxApproximation", shapes)


TAU = 2.0 * math.pi
