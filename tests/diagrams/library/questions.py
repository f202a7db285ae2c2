"""Arguments for every entry of the library, drawn from a seed: ours, and as Penrose takes them.

`python tests/diagrams/library/questions.py FOLDER` asks `@penrose/core` (installed in FOLDER)
anew and writes `answers.jsonl`.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaibao.diagrams.library import LIBRARY, Row
from kuaibao.diagrams.values import (
    BoolV,
    ClipDataV,
    ColorV,
    FloatV,
    MatrixV,
    PathCommand,
    PathDataListV,
    PtListV,
    Shape,
    ShapeListV,
    StrV,
    VectorV,
)

ANSWERS = Path(__file__).with_name("answers.jsonl")
PEER = Path(__file__).parents[3] / "benchmarks" / "diagrams" / "peer" / "library.mjs"
WITHOUT_NUMBERS = frozenset({"clip", "noClip", "none", "TeXify"})
SPACE = frozenset(
    {"crossProductMatrix", "rotate3d", "rotate3dh", "shear3d", "lookAt", "project", "projectDepth"}
)
SHAPES = ("Circle", "Ellipse", "Rectangle", "Line", "Polygon", "Polyline", "Text")


@dataclass
class Question:
    """One entry with arguments: ours and, as JSON, Penrose's."""

    row: Row
    arguments: list[Any]
    peer: dict[str, Any]


def questions(n: int = 2, seed: int = 7) -> list[Question]:
    """`n` for every entry that gives numbers."""
    draw = _Draw(random.Random(seed))
    rows = [row for kind in ("constraint", "objective", "function")
            for row in LIBRARY.of_kind(kind).values() if row.name not in WITHOUT_NUMBERS]  # fmt: skip
    return [draw.question(row) for row in rows for _ in range(n)]


class _Draw:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def question(self, row: Row) -> Question:
        pairs = [self.argument(row.name, p.name, p.type) for p in row.params]
        theirs = {"kind": row.kind, "name": row.name, "args": [b for _, b in pairs]}
        return Question(row, [a for a, _ in pairs], theirs)

    def number(self, low: float = -50.0, high: float = 50.0) -> float:
        return round(self.rng.uniform(low, high), 3)

    def point(self, n: int = 2) -> list[float]:
        return [self.number() for _ in range(n)]

    def ring(self, n: int) -> list[list[float]]:
        """A convex polygon."""
        x, y = self.point()
        turn = self.number(0, 6)
        angles = [turn + 2 * math.pi * (k + self.number(-0.2, 0.2)) / n for k in range(n)]
        return [[x + 40 * math.cos(a), y + 40 * math.sin(a)] for a in angles]

    def rectangle(self) -> list[list[float]]:
        (x, y), w, h = self.point(), self.number(5, 40), self.number(5, 40)
        return [[x + w, y + h], [x - w, y + h], [x - w, y - h], [x + w, y - h]]

    def argument(self, entry: str, name: str, type_text: str) -> tuple[Any, Any]:
        kind = self.rng.choice(type_text.split("|"))
        match kind:
            case "Real" | "Unit":
                value = self.real(entry, name, kind)
                return FloatV(value), value
            case "PosInt" | "Nat":
                count = self.rng.choice([1, 2]) if entry != "get" else 1
                return FloatV(float(count)), count
            case "Real2" | "Real3" | "RealN":
                size = {"Real2": 2, "Real3": 3}.get(kind, 3 if entry in SPACE else 2)
                vector = self.vector(entry, name, size)
                return VectorV(vector), vector
            case "Real2N":
                points = self.points(entry, name)
                return PtListV(points), points
            case "RealNM":
                rows = self.matrix(entry, name)
                return MatrixV(rows), rows
            case "Color":
                parts = [round(self.rng.random(), 3) for _ in range(4)]
                return ColorV("rgba", parts), {"tag": "RGBA", "contents": parts}
            case "ColorType" | "PathType" | "String":
                words = {"ColorType": ["rgb", "hsv"], "PathType": ["open", "closed"]}
                word = self.rng.choice(words.get(kind, ["start", "end"]))
                return StrV(word), word
            case "Boolean":
                flag = self.rng.random() < 0.5
                return BoolV(flag), flag
            case "PathDataList":
                paths = [[PathCommand("M", self.point()), PathCommand("L", self.point())]
                         for _ in range(2)]  # fmt: skip
                return PathDataListV(paths), [_peer_path(path) for path in paths]
            case "ShapeList":
                shapes = [self.shape(self.rng.choice(SHAPES[:4])) for _ in range(3)]
                return ShapeListV(shapes), [_peer_shape(shape) for shape in shapes]
            case _:
                some = {"AnyShape": SHAPES, "Rectlike": ("Rectangle", "Text", "Image")}
                shape = self.shape(self.rng.choice(some.get(kind, (kind,))))
                return shape, _peer_shape(shape)

    def real(self, entry: str, name: str, kind: str) -> float:
        if kind == "Unit" or entry in ("acos", "asin", "atanh"):
            return self.number(0.05, 0.95)
        fixed = {"zNear": 0.1, "zFar": 100.0, "minVal": 1.0, "minIndex": 1.0, "maxVal": 5.0,
                 "maxIndex": 5.0}  # fmt: skip
        if name in ("largeArc", "arcSweep"):
            return float(self.rng.choice([0, 1]))
        if entry == "rectLineDist":
            return self.number()
        return fixed.get(name, self.number(1.1, 8))

    def vector(self, entry: str, name: str, size: int) -> list[float]:
        if name == "view":
            return self.point(4)
        if entry == "rectLineDist":
            sides = {"bottomLeft": (-40.0, -10.0), "topRight": (10.0, 40.0)}
            return [self.number(*sides[name]) for _ in range(2)] if name in sides else self.point()
        return self.point(size)

    def points(self, entry: str, name: str) -> list[list[float]]:
        if name.startswith("rect"):
            return self.rectangle()
        if entry == "unitMark2":
            return [self.point(), self.point()]
        return self.ring(4 if "cubic" in entry else self.rng.choice([3, 4, 6]))

    def matrix(self, entry: str, name: str) -> list[list[float]]:
        if name in ("model", "proj"):
            return [self.point(4) for _ in range(4)]
        if entry in ("determinant", "inverse", "trace"):
            size = self.rng.choice([2, 3, 4])
            return [self.point(size) for _ in range(size)]
        if entry in ("mul", "matrixMultiplyList", "toHomogeneousMatrix", "diffusionProcess"):
            return [self.point(), self.point()]
        if entry in ("binormalVectors", "evoluteCurve", "projectList"):
            return [self.point(3) for _ in range(5)]
        if entry == "tsneEnergy":
            return [[x / 20 for x in self.point()] for _ in range(5)]
        return self.ring(6)

    def shape(self, kind: str) -> Shape:
        given: dict[str, Any] = {}
        sizes = {"Circle": ("r",), "Ellipse": ("rx", "ry"), "Rectangle": ("width", "height")}
        sizes |= dict.fromkeys(("Text", "Equation", "Image"), ("width", "height"))
        if kind in sizes:
            given["center"] = VectorV(self.point())
            given |= {name: FloatV(self.number(5, 60)) for name in sizes[kind]}
        if "width" in given:
            given["rotation"] = FloatV(self.rng.choice([0.0, 30.0, self.number(0, 360)]))
        if kind in ("Circle", "Ellipse", "Rectangle", "Line"):
            given["strokeWidth"] = FloatV(self.number(0, 3))
        if kind == "Line":
            given |= {"start": VectorV(self.point()), "end": VectorV(self.point())}
        if kind in ("Polygon", "Polyline"):
            given |= {
                "points": PtListV(self.ring(self.rng.choice([3, 4, 5]))),
                "scale": FloatV(1.0),
            }
        if kind == "Group":
            members = [self.shape("Circle"), self.shape("Rectangle")]
            given |= {"shapes": ShapeListV(members), "clipPath": ClipDataV()}
        return Shape(kind, "s", {**given, "ensureOnCanvas": BoolV(True)})


def _peer_path(path: list[PathCommand]) -> list[dict[str, Any]]:
    return [
        {"cmd": c.letter, "contents": [{"tag": "CoordV", "contents": list(c.numbers)}]}
        for c in path
    ]


def _peer_shape(shape: Shape) -> dict[str, Any]:
    return {"shape": shape.kind, "props": {k: _peer_value(v) for k, v in shape.properties.items()}}


def _peer_value(value: Any) -> dict[str, Any]:
    tag = type(value).__name__
    if isinstance(value, ShapeListV):
        return {"tag": tag, "contents": [_peer_shape(one) for one in value.contents]}
    if isinstance(value, ClipDataV):
        return {"tag": tag, "contents": {"tag": "NoClip"}}
    return {"tag": tag, "contents": value.contents}


def flat(value: Any) -> list[Any]:
    """All scalars of what an entry gives, in order."""
    if isinstance(value, PathCommand):
        return list(value.numbers)
    if isinstance(value, list | tuple):
        return [x for one in value for x in flat(one)]
    return flat(value.contents) if hasattr(value, "contents") else [value]


def main(folder: str) -> None:
    """Ask Penrose and keep its answers."""
    asked = "\n".join(json.dumps(q.peer) for q in questions())
    listing = Path(folder) / "questions.jsonl"
    listing.write_text(asked, encoding="utf-8")
    command = ["node", str(PEER), folder, str(listing)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    ANSWERS.write_text(run.stdout, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
