"""What kind of figure a picture is: a probe on image GPT's features of the whole and of tiles.

The model sees 16 or 32 pixels a side, so a chart's axes and a page's lines of text are lost in the
whole picture; nine tiles at their own resolution keep them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from kuaibao.errors import InputError
from kuaibao.files import atomic_path
from kuaibao.image_gpt.features import features
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.pictures import resize
from kuaibao.image_gpt.probe import LinearProbe, fit_probe

__all__ = ["KINDS", "FigureProbe", "figure_features", "load_probe", "save_probe"]

KINDS = ("chart", "diagram", "formula", "logo", "photograph", "screenshot")
PROBE_FILE = "figure-kinds.safetensors"
_TILES = 3
_TILE_SCALES = (1, 4)
"""Pixels of the picture that one pixel of a tile stands for."""
_C = 0.03


def figure_features(model: ImageGPT, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """(picture, feature): the middle layer of the whole, and the mean and spread over tiles.

    Args:
        model: Any image GPT.
        pictures: RGB of any sizes.
    """
    if not pictures:
        raise InputError("no pictures")
    layer = model.decoder.config.n_layer // 2
    found: list[NDArray[np.float32]] = []
    for picture in pictures:
        views = [resize(picture, model.size, grey=model.is_grey)]
        views += _tiles(picture, model)
        values = features(model, np.stack(views), layers=[layer])[layer]
        rest = values[1:]
        shape = np.log(np.array([picture.width / picture.height], dtype=np.float32))
        found.append(np.concatenate([values[0], rest.mean(0), rest.std(0), shape]))
    return np.stack(found)


def _tiles(picture: Image.Image, model: ImageGPT) -> list[NDArray[np.uint8]]:
    """Squares on a grid, at two scales; a small picture gives itself again."""
    tiles: list[NDArray[np.uint8]] = []
    for scale in _TILE_SCALES:
        side = min(model.size * scale, *picture.size)
        lefts = np.linspace(0, picture.width - side, _TILES).astype(int)
        tops = np.linspace(0, picture.height - side, _TILES).astype(int)
        for top in tops:
            for left in lefts:
                tile = picture.crop((int(left), int(top), int(left) + side, int(top) + side))
                tiles.append(resize(tile, model.size, grey=model.is_grey))
    return tiles


@dataclass(frozen=True, eq=False)
class FigureProbe:
    """A probe with the labelled features it was fitted on, so that choices can be added."""

    probe: LinearProbe
    features: Tensor
    """(example, feature)."""
    labels: Tensor
    """(example): index into `KINDS`."""

    @classmethod
    def fit(cls, features: Tensor, labels: Tensor) -> FigureProbe:
        """Fit on labelled features, in the 16 bits that they are kept in.

        (A choice in 32 bits would differ from kept examples in the last bits of a constant feature,
        and standardising would make that difference the largest of all.)

        Raises:
            InputError: No examples.
        """
        features = features.half().float()
        probe = fit_probe(features, labels, c=_C, n_class=len(KINDS), classes=KINDS)
        return cls(probe, features, labels)

    def with_choices(self, features: Tensor, labels: Tensor, *, weight: int = 20) -> FigureProbe:
        """Fit anew with an editor's examples, each counted `weight` times."""
        if len(labels) == 0:
            return self
        return self.fit(
            torch.cat([self.features, features.repeat(weight, 1)]),
            torch.cat([self.labels, labels.repeat(weight)]),
        )

    def probabilities(self, features: Tensor) -> Tensor:
        """(picture, kind)."""
        return torch.softmax(self.probe.logits(features), 1)


def save_probe(probe: FigureProbe, folder: Path) -> None:
    """Write the labelled features beside the model they were made with."""
    with atomic_path(folder / PROBE_FILE) as path:
        save_file({"features": probe.features.half().contiguous(),
                   "labels": probe.labels.to(torch.uint8)}, path)  # fmt: skip


def load_probe(folder: Path) -> FigureProbe:
    """Read them and fit the probe.

    Raises:
        InputError: There are none, or they are damaged.
    """
    path = folder / PROBE_FILE
    if not path.is_file():
        raise InputError(
            f"{folder} has no probe of figures",
            hint="Make one: kuaibao figures --train FOLDER, whose sub-folders are kinds.",
        )
    try:
        state = load_file(path)
        values, labels = state["features"].float(), state["labels"].long()
    except (SafetensorError, OSError, KeyError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if values.ndim != 2 or labels.shape != values.shape[:1] or int(labels.max()) >= len(KINDS):
        raise InputError(f"{path} holds no labelled features")
    return FigureProbe.fit(values, labels)
