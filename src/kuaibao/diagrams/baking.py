"""A layout that a person chose, kept beside its program: the figure never moves again.

`a.trio.json` has `a.baked.json`. It holds the numbers of all inputs for the very program that they
were made for, and the pins by the names of shapes, which outlive small changes of the program.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.handles import find_handles, pins_of
from kuaibao.diagrams.layout import Settings
from kuaibao.diagrams.program import Layout, Program
from kuaibao.diagrams.trio import ProgramFiles
from kuaibao.errors import Place
from kuaibao.files import write_json

__all__ = [
    "Baked",
    "baked_path",
    "lay_out_again",
    "lay_out_baked",
    "program_digest",
    "read_baked",
    "write_baked",
]

FORMAT = 1
_MAX_BYTES = 16_000_000


@dataclass(frozen=True)
class Baked:
    """A choice: the program it was made for, the numbers, the pins."""

    digest: str
    inputs: tuple[float, ...]
    pins: Mapping[str, tuple[float, float]]
    """Where a person has put what: points by the names of their handles."""


def baked_path(program: Path) -> Path:
    """The file beside a program: `a.trio.json` gives `a.baked.json`."""
    stem = program.name.removesuffix(".json").removesuffix(".trio")
    return program.with_name(f"{stem}.baked.json")


def program_digest(files: ProgramFiles) -> str:
    """What changes whenever a text of the program does; comments count, file names do not."""
    texts = [files.substance[1], *(text for _, text in files.style), files.domain[1]]
    joined = json.dumps([text.replace("\r\n", "\n") for text in texts], ensure_ascii=False)
    return hashlib.sha256(joined.encode()).hexdigest()


def write_baked(path: Path, baked: Baked) -> None:
    """Keep a choice."""
    write_json(
        path,
        {
            "format": FORMAT,
            "program": baked.digest,
            "pins": {name: list(point) for name, point in baked.pins.items()},
            "inputs": list(baked.inputs),
        },
    )


def read_baked(path: Path) -> Baked | None:
    """The choice that was kept, or None where there is none.

    Raises:
        DiagramError: `BakedError`: the file is not such a choice.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _wrong(path, "it is too large")
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, str(error)) from error
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    if fields.get("format") != FORMAT:
        raise _wrong(path, f"its format is not {FORMAT}")
    inputs, pins = fields.get("inputs"), fields.get("pins")
    if not isinstance(inputs, list) or not isinstance(pins, dict):
        raise _wrong(path, "'inputs' must be a list and 'pins' an object")
    points = {
        str(name): (_number(pair[0], path), _number(pair[1], path))
        for name, pair in cast("dict[str, Any]", pins).items()
        if isinstance(pair, list) and len(cast("list[Any]", pair)) == 2
    }
    numbers = tuple(_number(one, path) for one in cast("list[Any]", inputs))
    return Baked(str(fields.get("program", "")), numbers, points)


def lay_out_baked(
    program: Program, digest: str, baked: Baked, *, settings: Settings | None = None
) -> tuple[Layout, bool]:
    """The layout that was chosen.

    Returns:
        The layout, and whether it is the very one: for a program that has changed since, the
        pins that still exist hold and the rest is laid out again.
    """
    if baked.digest == digest and len(baked.inputs) == program.problem.n_input:
        result = program.optimizer.judge(np.array(baked.inputs, dtype=np.float64))
        return Layout(program, result), True
    held = pins_of(find_handles(program.problem), baked.pins)
    return program.layouts(4, settings=settings, pins=held)[0], False


def lay_out_again(
    program: Program, inputs: Sequence[float], pins: Mapping[int, float],
    *, settings: Settings | None = None,
) -> Layout:  # fmt: skip
    """A layout grown from another one around pins: what a drag asks for."""
    starts = np.array(inputs, dtype=np.float64, ndmin=2)
    result = program.optimizer.layouts(1, starts=starts, pins=pins, settings=settings)[0]
    return Layout(program, result)


def _number(value: Any, path: Path) -> float:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise _wrong(path, f"{str(value)[:40]!r} is not a finite number")


def _wrong(path: Path, message: str) -> DiagramError:
    return DiagramError(
        "BakedError",
        f"not a baked layout: {message}",
        place=Place(file=str(path)),
        hint="Delete the file, or choose again with: kuaibao gallery PROGRAM.trio.json --serve",
    )
