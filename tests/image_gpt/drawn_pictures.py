"""Pictures of the six kinds of figures, drawn so that even a random network tells them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from tiny_pictures import small_model

from kuaibao.image_gpt import save_image_gpt
from kuaibao.image_gpt.figures import KINDS, FigureProbe, figure_features, save_probe


def draw_kind(kind: str, seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Six kinds that even a random network tells apart."""
    generator = np.random.default_rng(seed)
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    if kind == "photograph":
        return Image.fromarray(generator.integers(0, 256, (*size[::-1], 3)).astype(np.uint8))
    if kind == "screenshot":
        picture = Image.new("RGB", size, "#202020")
    elif kind == "logo":
        pen.ellipse((0, 0, size[0] - 1, size[1] - 1), fill="#606060")
    elif kind == "chart":
        for x in range(0, size[0], 8):
            pen.rectangle(
                (x, int(generator.integers(4, size[1] - 4)), x + 4, size[1]), fill="black"
            )
    elif kind == "diagram":
        for x in range(0, size[0], 16):
            pen.rectangle((x, 4, x + 10, size[1] - 4), outline="#404040", fill="#bbbbbb")
    else:
        pen.line((0, size[1] // 2, size[0], size[1] // 2 + int(generator.integers(0, 4))), fill=0)
    return picture


def fitted_probe() -> FigureProbe:
    pictures = [draw_kind(kind, i) for kind in KINDS for i in range(8)]
    labels = torch.arange(len(KINDS)).repeat_interleave(8)
    return FigureProbe.fit(torch.from_numpy(figure_features(small_model(), pictures)), labels)


def save_with_probe(folder: Path) -> Path:
    """A model's folder as `kuaibao figures --train` leaves it."""
    save_image_gpt(small_model(), folder)
    save_probe(fitted_probe(), folder)
    return folder
