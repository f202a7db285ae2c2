"""Tiny models and pictures for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kuaibao.image_gpt import ImageGPT, Palette
from kuaibao.transformer import TransformerConfig, build_model


def small_config(n_color: int = 8, size: int = 4, *, causal: bool = True) -> TransformerConfig:
    return TransformerConfig(
        family="imagegpt", vocab_size=n_color, n_extra_input=1, n_positions=size**2, n_embd=16,
        n_layer=3, n_head=2, activation="quick_gelu", norm="rms", has_bias=False, tie_head=False,
        start_id=n_color, eos_id=None, causal=causal,
    )  # fmt: skip


def small_model(n_color: int = 8, size: int = 4, *, causal: bool = True, seed: int = 0) -> ImageGPT:
    """Random weights, the head and all too, so that nothing is zero by chance."""
    decoder = build_model(small_config(n_color, size, causal=causal), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return ImageGPT(decoder.eval(), Palette.grey(n_color))


def write_classes(folder: Path, n: int = 12, side: int = 12) -> None:
    """Two classes that tell apart at once: bright above, bright below."""
    generator = np.random.default_rng(0)
    for name in ("above", "below"):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(half_bright(name == "above", side, generator)).save(
                folder / name / f"{i}.png"
            )


def half_bright(above: bool, side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    pixels = generator.integers(0, 60, (side, side, 3)).astype(np.uint8)
    half = slice(0, side // 2) if above else slice(side // 2, side)
    pixels[half] += 180
    return pixels
