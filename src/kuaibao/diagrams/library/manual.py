"""The manual of the library, made from its rows: as text, as JSON, and as a page of the docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from kuaibao.diagrams.graph import Node
from kuaibao.diagrams.library.context import Context
from kuaibao.diagrams.library.rows import LIBRARY, SHAPE_KINDS, Row
from kuaibao.diagrams.library.shapes import make_defaults
from kuaibao.diagrams.values import BoolV, ClipDataV, ColorV, FloatV, StrV, Value

__all__ = ["library_json", "library_page", "library_text"]

_KINDS = ("constraint", "objective", "function")
_MEASURED = ("width", "height", "ascent", "descent")


def shape_defaults(kind: str) -> dict[str, str]:
    """What each property of a shape kind is unless a program says otherwise."""
    text = kind in ("Text", "Equation")
    return {
        name: "measured" if text and name in _MEASURED else _shown(value)
        for name, value in make_defaults(kind, Context()).items()
    }


def _shown(value: Value) -> str:
    match value:
        case FloatV(contents):
            return "drawn" if isinstance(contents, Node) else f"{contents:g}"
        case StrV(contents):
            return f'"{contents}"'
        case BoolV(contents):
            return "true" if contents else "false"
        case ColorV(space, contents):
            if space == "none":
                return "none()"
            return "drawn" if isinstance(contents[0], Node) else "#000000"
        case ClipDataV():
            return "noClip()"
        case _:
            return _shown_list(list(value.contents))


def _shown_list(contents: list[Any]) -> str:
    if any(isinstance(one, Node) for one in contents):
        return "drawn"
    rows = [f"({', '.join(f'{x:g}' for x in row)})" for row in contents]
    return ", ".join(rows) or "empty"


def library_json() -> dict[str, Any]:
    """Shapes with their defaults, and every entry with its parameters, as plain data."""
    return {
        "shapes": {kind: shape_defaults(kind) for kind in SHAPE_KINDS},
        **{
            f"{kind}s": {row.name: _row_json(row) for row in LIBRARY.of_kind(kind).values()}
            for kind in _KINDS
        },
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "signature": row.signature,
        "group": row.group,
        "doc": row.doc,
        "parameters": [
            {"name": p.name, "type": p.type, "required": p.required, "doc": p.doc}
            for p in row.params
        ],
        "returns": row.returns,
    }


def library_text() -> str:
    """One line a shape, two an entry."""
    lines = [
        f"shape {kind} {{ {', '.join(f'{n}: {v}' for n, v in shape_defaults(kind).items())} }}"
        for kind in SHAPE_KINDS
    ]
    for kind in _KINDS:
        for row in LIBRARY.of_kind(kind).values():
            lines += [f"{kind} {row.signature}", f"    {row.doc}"]
    return "\n".join(lines)


def library_page() -> str:
    """The page `docs/diagrams-library.md`."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    counts = {kind: len(LIBRARY.of_kind(kind)) for kind in _KINDS}
    yield "# The library of Style"
    yield ""
    yield (
        f"Made by `make docs` from the rows that the program itself checks arguments by: "
        f"{len(SHAPE_KINDS)} shapes, {counts['constraint']} constraints, "
        f"{counts['objective']} objectives, {counts['function']} functions. "
        f"`kuaibao draw --library` prints the same, with `--json` as data."
    )
    yield ""
    yield (
        "Lengths are pixels, the origin is the middle of the canvas, y points up. Types: `Real` a "
        "number (`Unit` from 0 to 1, `Nat` and `PosInt` whole and known while compiling), `Real2`, "
        "`Real3`, `RealN` vectors, lists or tuples, `Real2N` points, `RealNM` a matrix or list of "
        "vectors, `Rectlike` a Rectangle, Text, Equation or Image."
    )
    yield ""
    yield "## Shapes"
    yield ""
    yield (
        "*Drawn* defaults are unknowns: they start at random (positions anywhere on the canvas, "
        "sizes from 3 to a sixth of it, colours from 0.1 to 0.9 with opacity 0.5) and the layout "
        "may move them. *Measured* ones come from the font."
    )
    yield ""
    for kind in SHAPE_KINDS:
        yield from (f"### {kind}", "", "| property | default |", "|---|---|")
        yield from (
            f"| `{name}` | {_cell(value)} |" for name, value in shape_defaults(kind).items()
        )
        yield ""
    headings = {
        "constraint": ("Constraints", "`ensure name(...)`: holds where the value is at most 0."),
        "objective": ("Objectives", "`encourage name(...)`: the smaller the value the better."),
        "function": ("Functions", "Used in expressions."),
    }
    for kind, (heading, text) in headings.items():
        yield from (f"## {heading}", "", text, "")
        yield from _groups(LIBRARY.of_kind(kind).values())


def _groups(rows: Iterable[Row]) -> Iterator[str]:
    by_group: dict[str, list[Row]] = {}
    for group, members in groupby(rows, lambda row: row.group):
        by_group.setdefault(group, []).extend(members)
    for group, members in by_group.items():
        yield from (f"### {group}", "", "| | |", "|---|---|")
        for row in members:
            notes = "; ".join(f"`{p.name}`: {p.doc}" for p in row.params if p.doc)
            text = f"{row.doc} {notes[0].upper() + notes[1:]}." if notes else row.doc
            yield f"| `{_cell(row.signature)}` | {_cell(text)} |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
