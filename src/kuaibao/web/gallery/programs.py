"""The programs that a gallery shows, compiled once, and what a browser may ask of them."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

import numpy as np

from kuaibao.diagrams import Layout, Program, ProgramFiles, Settings, compile_files, read_trio
from kuaibao.diagrams import gallery as make_gallery
from kuaibao.diagrams.baking import (
    Baked,
    baked_path,
    lay_out_again,
    lay_out_baked,
    program_digest,
    read_baked,
    write_baked,
)
from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.handles import Handle, find_handles, pins_of
from kuaibao.diagrams.layout import Evaluator
from kuaibao.errors import InputError, did_you_mean

__all__ = ["MAX_CANDIDATES", "Programs"]

MAX_CANDIDATES = 64
_MAX_PROGRAMS = 500
_COMPILED = 8
_GALLERY = Settings(time_limit_s=20.0)
_DRAG = Settings(time_limit_s=2.0)


@dataclass
class _Open:
    """A compiled program; one request at a time uses its tapes."""

    path: Path
    files: ProgramFiles
    program: Program
    handles: list[Handle]
    places: Evaluator
    lock: threading.Lock


class Programs:
    """A trio file, or all trio files of a folder, by their names."""

    def __init__(self, path: Path) -> None:
        """Name a trio file or a folder; what it holds is looked up at every request."""
        is_file = path.name.endswith(".json")
        self.root = path.parent if is_file else path
        self.only = path if is_file else None
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """All programs, as paths below the folder without their ending."""
        if self.only is not None:
            return [_name(self.only.relative_to(self.root))] if self.only.is_file() else []
        found = sorted(self.root.rglob("*.trio.json"))[:_MAX_PROGRAMS]
        return [_name(one.relative_to(self.root)) for one in found if one.is_file()]

    def layouts(self, name: str, n: int, seed: str) -> dict[str, Any]:
        """A gallery, and the baked layout first if there is one."""
        one = self._program(name)
        with one.lock:
            made = make_gallery(
                one.program, min(max(n, 1), MAX_CANDIDATES), seed=seed or None, settings=_GALLERY
            )
            canvas = one.program.problem.canvas
            shown = [self._shown(one, layout, f"g{k}-") for k, layout in enumerate(made.layouts)]
            return {
                "canvas": [canvas.width, canvas.height],
                "tried": made.n_tried,
                "layouts": shown,
                "baked": self._baked(one),
            }

    def again(self, name: str, inputs: Any, pins: Any) -> dict[str, Any]:
        """Lay out again from given numbers around pins."""
        one = self._program(name)
        numbers, points = _checked(one, inputs, pins)
        start = time.perf_counter()
        with one.lock:
            held = pins_of(one.handles, points)
            layout = lay_out_again(one.program, numbers, held, settings=_DRAG)
            shown = self._shown(one, layout, "e-")
        return {**shown, "ms": round(1e3 * (time.perf_counter() - start), 1)}

    def bake(self, name: str, inputs: Any, pins: Any) -> dict[str, Any]:
        """Keep a choice beside the program."""
        one = self._program(name)
        numbers, points = _checked(one, inputs, pins)
        path = baked_path(one.path)
        write_baked(path, Baked(program_digest(one.files), numbers, points))
        return {"path": path.name}

    def unbake(self, name: str) -> dict[str, Any]:
        """Let the figure move again."""
        path = baked_path(self._program(name).path)
        path.unlink(missing_ok=True)
        return {"path": path.name}

    def _baked(self, one: _Open) -> dict[str, Any] | None:
        baked = read_baked(baked_path(one.path))
        if baked is None:
            return None
        layout, is_same = lay_out_baked(
            one.program, program_digest(one.files), baked, settings=_DRAG
        )
        pins = {key: list(point) for key, point in baked.pins.items()}
        return {**self._shown(one, layout, "b-"), "pins": pins, "is_same": is_same}

    def _shown(self, one: _Open, layout: Layout, prefix: str) -> dict[str, Any]:
        result = layout.result
        places = one.places.run(np.array(result.inputs, ndmin=2))[0] if one.handles else []
        handles = [
            {
                "name": handle.name,
                "shape": handle.shape,
                "x": float(places[2 * k]),
                "y": float(places[2 * k + 1]),
                "free": [number is not None for number in handle.inputs],
            }
            for k, handle in enumerate(one.handles)
        ]
        return {
            "svg": layout.svg(prefix=prefix),
            "energy": _finite(layout.energy),
            "violation": _finite(layout.violation),
            "inputs": [float(x) for x in result.inputs],
            "handles": handles,
        }

    def _program(self, name: str) -> _Open:
        if name not in self.names():
            raise InputError(f"no program '{name}'", hint=did_you_mean(name, self.names()))
        path = self.root / f"{name}.trio.json"
        files = read_trio(path)
        with self._lock:
            known = self._open.get(name)
            if known is not None and known.files == files:
                self._open.move_to_end(name)
                return known
            program = compile_files(files)
            handles = find_handles(program.problem)
            graph = program.problem.graph
            numbers = [
                scalar if isinstance(scalar, Node) else Node(graph, graph.constant(scalar))
                for handle in handles
                for scalar in (handle.x, handle.y)
            ]
            places = Evaluator(graph, numbers)
            opened = _Open(path, files, program, handles, places, threading.Lock())
            self._open[name] = opened
            while len(self._open) > _COMPILED:
                self._open.popitem(last=False)
            return opened


def _name(path: Path) -> str:
    return path.as_posix().removesuffix(".trio.json")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _checked(
    one: _Open, inputs: Any, pins: Any
) -> tuple[tuple[float, ...], Mapping[str, tuple[float, float]]]:
    """What a browser sent, if it fits the program.

    Raises:
        InputError: It does not.
    """
    if not _are_numbers(inputs) or len(inputs) != one.program.problem.n_input:
        raise InputError(
            "the layout does not fit the program", hint="The program has changed: load the page."
        )
    if not isinstance(pins, dict):
        raise InputError("pins must be an object of points")
    known = {handle.name for handle in one.handles}
    limit = 10 * max(one.program.problem.canvas.width, one.program.problem.canvas.height)
    points: dict[str, tuple[float, float]] = {}
    for key, point in cast("dict[str, Any]", pins).items():
        if key not in known or not _are_numbers(point) or len(point) != 2:
            raise InputError(f"'{key[:80]}' is not a pin of this program")
        x, y = (min(max(float(value), -limit), limit) for value in point)
        points[key] = (x, y)
    return tuple(float(value) for value in inputs), points


def _are_numbers(values: Any) -> TypeGuard[list[float]]:
    if not isinstance(values, list):
        return False
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in cast("list[Any]", values)
    )
