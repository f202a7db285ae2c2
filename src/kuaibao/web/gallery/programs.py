"""The programs that a gallery shows, compiled once, and what a browser may ask of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.diagrams import Program, ProgramFiles, Settings, compile_files, read_trio
from kuaibao.diagrams import gallery as make_gallery
from kuaibao.diagrams.baking import (
    Baked,
    baked_path,
    lay_out_baked,
    program_digest,
    read_baked,
    write_baked,
)
from kuaibao.diagrams.dragging import Draggable
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
    diagram: Draggable
    lock: threading.Lock

    @property
    def program(self) -> Program:
        """The program."""
        return self.diagram.program


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
            shown = [one.diagram.shown(layout, f"g{k}-") for k, layout in enumerate(made.layouts)]
            return {
                "canvas": [canvas.width, canvas.height],
                "tried": made.n_tried,
                "layouts": shown,
                "baked": self._baked(one),
            }

    def again(self, name: str, inputs: Any, pins: Any) -> dict[str, Any]:
        """Lay out again from given numbers around pins."""
        one = self._program(name)
        start = time.perf_counter()
        with one.lock:
            shown = one.diagram.shown(one.diagram.again(inputs, pins), "e-")
        return {**shown, "ms": round(1e3 * (time.perf_counter() - start), 1)}

    def bake(self, name: str, inputs: Any, pins: Any) -> dict[str, Any]:
        """Keep a choice beside the program."""
        one = self._program(name)
        numbers, points = one.diagram.checked(inputs, pins)
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
        return {**one.diagram.shown(layout, "b-"), "pins": pins, "is_same": is_same}

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
            opened = _Open(path, files, Draggable(compile_files(files)), threading.Lock())
            self._open[name] = opened
            while len(self._open) > _COMPILED:
                self._open.popitem(last=False)
            return opened


def _name(path: Path) -> str:
    return path.as_posix().removesuffix(".trio.json")
