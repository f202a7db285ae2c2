"""A diagram under somebody's hand: its handles, and a new layout for every move.

The gallery's page and the notebook's widget both speak to this: what they show is a plain document
(`shown`), what they send back is checked here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

import numpy as np

from kuaibao.diagrams.baking import lay_out_again
from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.handles import find_handles, pins_of
from kuaibao.diagrams.layout import Evaluator, Settings
from kuaibao.diagrams.program import Layout, Program
from kuaibao.errors import InputError

__all__ = ["Draggable", "finite"]

_DRAG = Settings(time_limit_s=2.0)


class Draggable:
    """A program with its handles found, ready to be laid out again and again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.handles = find_handles(program.problem)
        graph = program.problem.graph
        numbers = [
            scalar if isinstance(scalar, Node) else Node(graph, graph.constant(scalar))
            for handle in self.handles
            for scalar in (handle.x, handle.y)
        ]
        self._places = Evaluator(graph, numbers)

    def shown(self, layout: Layout, prefix: str) -> dict[str, Any]:
        """A layout as a page draws it: SVG, how good it is, where its handles are.

        Args:
            layout: Of this program.
            prefix: Begins the ids of the SVG.
        """
        result = layout.result
        places = self._places.run(np.array(result.inputs, ndmin=2))[0] if self.handles else []
        handles = [
            {
                "name": handle.name,
                "shape": handle.shape,
                "x": float(places[2 * k]),
                "y": float(places[2 * k + 1]),
                "free": [number is not None for number in handle.inputs],
            }
            for k, handle in enumerate(self.handles)
        ]
        return {
            "svg": layout.svg(prefix=prefix),
            "energy": finite(layout.energy),
            "violation": finite(layout.violation),
            "inputs": [float(x) for x in result.inputs],
            "handles": handles,
        }

    def again(self, inputs: Any, pins: Any) -> Layout:
        """Lay out again from given numbers around pins.

        Args:
            inputs: Those of the layout that is shown.
            pins: Points (x, y) by names of handles.

        Raises:
            InputError: They do not fit the program.
        """
        numbers, points = self.checked(inputs, pins)
        held = pins_of(self.handles, points)
        return lay_out_again(self.program, numbers, held, settings=_DRAG)

    def checked(
        self, inputs: Any, pins: Any
    ) -> tuple[tuple[float, ...], Mapping[str, tuple[float, float]]]:
        """What a browser sent, if it fits the program; points far outside come nearer.

        Raises:
            InputError: It does not.
        """
        if not _are_numbers(inputs) or len(inputs) != self.program.problem.n_input:
            raise InputError(
                "the layout does not fit the program",
                hint="The program has changed: load the page.",
            )
        if not isinstance(pins, dict):
            raise InputError("pins must be an object of points")
        known = {handle.name for handle in self.handles}
        canvas = self.program.problem.canvas
        limit = 10 * max(canvas.width, canvas.height)
        points: dict[str, tuple[float, float]] = {}
        for key, point in cast("dict[str, Any]", pins).items():
            if key not in known or not _are_numbers(point) or len(point) != 2:
                raise InputError(f"'{key[:80]}' is not a pin of this program")
            x, y = (min(max(float(value), -limit), limit) for value in point)
            points[key] = (x, y)
        return tuple(float(value) for value in inputs), points


def finite(value: float) -> float | None:
    """The number, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def _are_numbers(values: Any) -> TypeGuard[list[float]]:
    if not isinstance(values, list):
        return False
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in cast("list[Any]", values)
    )
