"""What the bulletin's entry point `image-gpt` loads: sorts pictures as they came, and listens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image

from kuaibao.image_gpt.cover import find_model
from kuaibao.image_gpt.errors import PictureError
from kuaibao.image_gpt.figures.choices import add_choice, add_preference, read_choices, read_weights
from kuaibao.image_gpt.figures.kinds import KINDS, FigureProbe, figure_features, load_probe
from kuaibao.image_gpt.figures.sorting import LEAD_WEIGHTS, SortedFigures, sort_pictures
from kuaibao.image_gpt.model import ImageGPT, load_image_gpt
from kuaibao.image_gpt.pictures import decode_picture

__all__ = ["FigureSorter", "configured_sorter"]

CHOICES_FILE = "figure-choices.npz"
PREFERENCES_FILE = "lead-preferences.json"
_SHOWN_SIDE = 1200
_DRAWN_COLORS = 4096
"""A picture of no more colours was drawn: it is kept without loss."""


class FigureSorter:
    """A model, its probe, and the choices that editors made.

    Args:
        model: A folder.
        choices: Where choices are kept; the probe is fitted anew with them.
    """

    kinds = KINDS

    def __init__(self, model: str, choices: Path) -> None:
        self.folder, self.choices = Path(model), choices
        self.preferences = choices.with_name(PREFERENCES_FILE)
        self.name = self.folder.name

    @cached_property
    def _model(self) -> ImageGPT:
        return load_image_gpt(str(self.folder))

    @cached_property
    def _fitted(self) -> FigureProbe:
        return load_probe(self.folder)

    def sort(self, pictures: Mapping[str, bytes], told: Mapping[str, str]) -> SortedFigures:
        """Kinds, near-identical ones, the lead and why.

        Args:
            pictures: Files' bytes by name; broken and huge ones are named and skipped.
            told: Kinds that an editor told, by name.

        Raises:
            InputError: The model or the choices are damaged.
        """
        read: dict[str, Image.Image] = {}
        skipped: list[str] = []
        for name, data in pictures.items():
            try:
                read[name] = decode_picture(data, name=name)
            except PictureError as error:
                skipped.append(error.message)
        if not read:
            return SortedFigures((), "", "no pictures that can be read", tuple(skipped))
        extra, labels = read_choices(self.choices, self._fitted.features.shape[1])
        with torch.inference_mode(False):
            probe = self._fitted.with_choices(extra, labels)
        weights = read_weights(self.preferences, LEAD_WEIGHTS)
        return sort_pictures(read, self._model, probe, told=told, weights=weights, skipped=skipped)

    def learn(self, picture: bytes, kind: str) -> int:
        """Remember an editor's word; gives how many there are.

        Raises:
            InputError: An unknown kind, or no picture.
        """
        (values,) = figure_features(self._model, [decode_picture(picture)])
        return add_choice(self.choices, values, kind)

    def prefer(self, chosen: str, over: str) -> int:
        """Remember which kind an editor let lead over which; gives how many choices there are."""
        return add_preference(self.preferences, chosen, over)

    def shown(self, picture: bytes) -> tuple[str, bytes]:
        """Media type and bytes as they may be printed: at most 1,200 pixels a side, no metadata."""
        read = decode_picture(picture)
        read.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
        is_drawn = read.getcolors(_DRAWN_COLORS) is not None
        buffer = io.BytesIO()
        if is_drawn:
            read.save(buffer, format="PNG", optimize=True)
        else:
            read.save(buffer, format="JPEG", quality=85)
        return ("image/png" if is_drawn else "image/jpeg"), buffer.getvalue()


def configured_sorter(model: str, folder: str) -> FigureSorter:
    """The sorter of a bulletin.

    Args:
        model: A folder; the small model that comes with the source tree if empty.
        folder: Where the editors' choices are kept.

    Raises:
        InputError: No such model.
    """
    return FigureSorter(find_model(model), Path(folder) / CHOICES_FILE)
