"""An issue's cover strip: pictures that a model draws, side by side."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kuaibao.errors import InputError
from kuaibao.image_gpt.completions import sample_pictures
from kuaibao.image_gpt.model import ImageGPT, load_image_gpt
from kuaibao.image_gpt.objectives import picture_log_likelihoods

__all__ = ["Cover", "CoverArtist", "configured_artist", "cover_strip", "draw_cover", "find_model"]

N_PER_PLACE = 2
"""Pictures drawn for each one that is shown: the likeliest stay, and plain ones go."""
_MIN_COLORS = 4
MAX_PICTURES = 400
CREDIT_FILE = "CREDIT.txt"
"""Beside a model: whose pictures it learnt from, as it is printed under a strip."""


@dataclass(frozen=True)
class Cover:
    """A strip and what is in it."""

    picture: Image.Image
    tokens: NDArray[np.int64]
    """(picture, position), row by row."""
    n_drawn: int


def find_model(name: str) -> str:
    """The model itself, or with an empty name the small one that comes with the source tree.

    Raises:
        InputError: There is none here.
    """
    if name:
        return name
    own = Path("models") / "image-gpt-emoji"
    beside = Path(__file__).resolve().parents[3] / own
    for folder in (own, beside):
        if (folder / "config.json").is_file():
            return str(folder)
    raise InputError(
        "no model is named, and the small one is not here",
        hint="--model FOLDER, or run it in a checkout: models/image-gpt-emoji.",
    )


def draw_cover(
    model: ImageGPT, *, columns: int = 12, rows: int = 2, cell: int = 96, temperature: float = 0.95,
    seed: int = 0, progress: Callable[[int], None] = lambda done: None,
) -> Cover:  # fmt: skip
    """Draw pictures and lay them out.

    Args:
        model: Causal.
        columns: Pictures side by side.
        rows: Rows of them.
        cell: Side of each, in pixels of the strip; rounded to a multiple of the model's size.
        temperature: Of the draw.
        seed: The same strip for the same seed: an issue's number.
        progress: Told how many pixels of each picture are done.

    Raises:
        InputError: Too many pictures, or a BERT model.
    """
    n = columns * rows
    if columns < 1 or rows < 1 or n > MAX_PICTURES:
        raise InputError(f"1 to {MAX_PICTURES} pictures, got {columns} x {rows}")
    drawn = sample_pictures(
        model, n * N_PER_PLACE, temperature=temperature, seed=seed, progress=progress
    )
    chosen = drawn[_chosen(model, drawn, n)]
    return Cover(cover_strip(model, chosen, columns, cell), chosen, len(drawn))


def _chosen(model: ImageGPT, drawn: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The likeliest, but those of hardly any colours last; in the order they were drawn."""
    scores = picture_log_likelihoods(model.decoder, torch.from_numpy(drawn)).numpy()
    is_plain = np.array([len(np.unique(tokens)) < _MIN_COLORS for tokens in drawn])
    order = np.lexsort((-scores, is_plain))
    return np.sort(order[:n])


def cover_strip(model: ImageGPT, tokens: NDArray[Any], columns: int, cell: int) -> Image.Image:
    """Pictures edge to edge: each pixel a square, on the palette's white."""
    size = model.size
    factor = max(1, round(cell / size))
    pixels = model.palette.decode(np.asarray(tokens))
    if pixels.shape[-1] == 1:
        pixels = pixels.repeat(3, -1)
    n_row = -(-len(pixels) // columns)
    gap = max(1, factor // 2)
    step = size * factor + 2 * gap
    strip = Image.new("RGB", (columns * step, n_row * step), "white")
    for i, picture in enumerate(pixels):
        large = Image.fromarray(picture).resize(
            (size * factor, size * factor), Image.Resampling.NEAREST
        )
        strip.paste(large, (i % columns * step + gap, i // columns * step + gap))
    return strip


class CoverArtist:
    """What the bulletin's entry point `image-gpt` loads: draws an issue's strip."""

    def __init__(self, model: str) -> None:
        self.folder = Path(model)
        self.name = self.folder.name

    @property
    def credit(self) -> str:
        """Who drew it, and whose pictures it learnt from."""
        file = self.folder / CREDIT_FILE
        learnt = file.read_text(encoding="utf-8").strip()[:500] if file.is_file() else ""
        return f"{self.name}{'; ' + learnt if learnt else ''}"

    def draw(self, seed: int) -> bytes:
        """A PNG; the same for the same seed.

        Raises:
            InputError: No model that can draw.
        """
        strip = draw_cover(load_image_gpt(str(self.folder)), seed=seed)
        buffer = io.BytesIO()
        strip.picture.save(buffer, format="PNG", optimize=True)
        return buffer.getvalue()


def configured_artist(model: str) -> CoverArtist:
    """The artist of a bulletin: a model's folder, or the small one if empty."""
    return CoverArtist(find_model(model))
