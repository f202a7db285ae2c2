"""Pictures of an item in order: kinds, near-identical ones, and which one leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kuaibao.errors import InputError
from kuaibao.image_gpt.figures.kinds import KINDS, FigureProbe, figure_features
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.pictures import SUFFIXES, read_picture

__all__ = ["LEAD_WEIGHTS", "Figure", "SortedFigures", "sort_figures", "sort_pictures"]

MAX_FIGURES = 500
_SAME_GREY = 0.03
"""Mean difference of two 32x32 grey thumbnails, from 0 to 1, below which two pictures are one."""
_THUMB = 32
LEAD_WEIGHTS = {"diagram": 1.0, "chart": 0.9, "photograph": 0.75, "screenshot": 0.6,
                "formula": 0.35, "logo": 0.1}  # fmt: skip
"""How well a kind leads a research item: what explains comes first, a logo last."""
_WIDE_ENOUGH = 600
_SHAPES = (0.6, 2.6)
"""Width over height that sits well above a text."""


@dataclass(frozen=True)
class Figure:
    """One picture."""

    file: str
    kind: str
    probability: float
    width: int
    height: int
    same_as: str = ""
    """An earlier picture that looks the same; the larger one is kept."""
    score: float = 0.0
    """How well it would lead."""


@dataclass(frozen=True)
class SortedFigures:
    """The pictures of an item."""

    figures: tuple[Figure, ...]
    """Best lead first."""
    lead: str
    """File of the lead picture; empty if none may lead."""
    reason: str
    skipped: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {"figures": [f.__dict__ for f in self.figures], "lead": self.lead,
                "reason": self.reason, "skipped": list(self.skipped)}  # fmt: skip


def sort_figures(
    paths: Sequence[Path], model: ImageGPT, probe: FigureProbe, *, root: Path | None = None
) -> SortedFigures:
    """Sort files and folders of pictures.

    Args:
        paths: Files, and folders that are searched.
        model: Whose features the probe was fitted on.
        probe: Of the kinds.
        root: What names are told from.

    Raises:
        InputError: Nothing there that can be read.
    """
    pictures: dict[str, Image.Image] = {}
    skipped: list[str] = []
    for file in _files(paths):
        try:
            picture = read_picture(file)
        except InputError as error:
            skipped.append(error.message)
            continue
        pictures[str(file.relative_to(root)) if root else str(file)] = picture
    if not pictures:
        raise InputError("no pictures that can be read", hint="; ".join(skipped[:3]))
    return sort_pictures(pictures, model, probe, skipped=skipped)


def sort_pictures(
    pictures: Mapping[str, Image.Image], model: ImageGPT, probe: FigureProbe, *,
    told: Mapping[str, str] | None = None, weights: Mapping[str, float] = LEAD_WEIGHTS,
    skipped: Sequence[str] = (),
) -> SortedFigures:  # fmt: skip
    """Sort pictures that were read.

    Args:
        pictures: By name, RGB.
        model: Whose features the probe was fitted on.
        probe: Of the kinds.
        told: Kinds by name that an editor told: they stand.
        weights: How well each kind leads.
        skipped: What could not be read.
    """
    names = list(pictures)
    values = torch.from_numpy(figure_features(model, list(pictures.values())))
    chances = probe.probabilities(values).numpy()
    for i, name in enumerate(names):
        if told and name in told:
            chances[i] = np.eye(len(KINDS))[KINDS.index(told[name])]
    same = near_identical(list(pictures.values()))
    figures = [
        _figure(name, pictures[name], chances[i], names[same[i]] if same[i] >= 0 else "", weights)
        for i, name in enumerate(names)
    ]
    figures.sort(key=lambda f: (bool(f.same_as), -f.score, f.file))
    lead, reason = _lead(figures)
    return SortedFigures(tuple(figures), lead, reason, tuple(skipped))


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist")
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        found += [p for p in inside if p.is_file()] if path.is_dir() else [path]
    if len(found) > MAX_FIGURES:
        raise InputError(f"{len(found)} pictures are more than {MAX_FIGURES}: sort them in parts")
    return list(dict.fromkeys(found))


def near_identical(pictures: Sequence[Image.Image]) -> list[int]:
    """For each picture the largest one that looks the same, or -1.

    Two look the same if their proportions agree within 5 % and their grey thumbnails differ by less
    than 3 % on average: a copy in another size, format or quality.
    """
    thumbs = np.stack([_thumb(p) for p in pictures])
    order = sorted(range(len(pictures)), key=lambda i: -pictures[i].width * pictures[i].height)
    kept: list[int] = []
    same = [-1] * len(pictures)
    for i in order:
        for j in kept:
            ratio = (pictures[i].width / pictures[i].height) / (
                pictures[j].width / pictures[j].height
            )
            if abs(ratio - 1) < 0.05 and np.abs(thumbs[i] - thumbs[j]).mean() < _SAME_GREY:
                same[i] = j
                break
        else:
            kept.append(i)
    return same


def _thumb(picture: Image.Image) -> NDArray[Any]:
    small = picture.convert("L").resize((_THUMB, _THUMB), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float32) / 255
    # Stretched to its own range: two pale line drawings are not the same for being mostly white.
    spread = float(values.max() - values.min())
    return (values - values.min()) / spread if spread > 0.05 else values


def _figure(
    name: str, picture: Image.Image, chances: NDArray[Any], same_as: str,
    weights: Mapping[str, float],
) -> Figure:  # fmt: skip
    best = int(chances.argmax())
    expected = sum(weights[kind] * float(p) for kind, p in zip(KINDS, chances, strict=True))
    size = min(1.0, picture.width / _WIDE_ENOUGH)
    shape = picture.width / picture.height
    fit = 1.0 if _SHAPES[0] <= shape <= _SHAPES[1] else 0.6
    return Figure(
        name, KINDS[best], float(chances[best]), picture.width, picture.height, same_as,
        round(expected * size * fit, 4),
    )  # fmt: skip


def _lead(figures: Sequence[Figure]) -> tuple[str, str]:
    """The best one that is no logo, and why."""
    may = [f for f in figures if not f.same_as and f.kind != "logo"]
    if not may:
        return "", "only logos: none of them should lead"
    best = may[0]
    reasons = [f"{best.kind} ({best.probability:.0%} sure)"]
    reasons.append(f"{best.width} × {best.height} pixels" +
                   (", wide enough" if best.width >= _WIDE_ENOUGH else ", small"))  # fmt: skip
    others = sorted({f.kind for f in may[1:]} - {best.kind})
    if others:
        reasons.append("explains more than " + ", ".join(others))
    copies = sum(f.same_as == best.file for f in figures)
    if copies:
        reasons.append(f"the largest of {copies + 1} that look the same")
    return best.file, "; ".join(reasons)
