"""Pictures from a model: completions of a given part, and samples from nothing; contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kuaibao.errors import InputError
from kuaibao.files import atomic_path
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.sampling import draw_tokens

__all__ = ["complete", "contact_sheet", "draw_picture", "sample_pictures", "write_sheet"]

_GAP = 2
_GREY_TONE = 176
"""Of what a completion was not shown."""


def complete(
    model: ImageGPT, tokens: NDArray[Any], n_given: int, n: int, *, temperature: float = 1.0,
    top_k: int = 0, top_p: float = 1.0, seed: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.int64]:  # fmt: skip
    """Go on with pictures, pixel by pixel, `n` times each.

    Args:
        model: Causal.
        tokens: (picture, position) of whole pictures; only the first `n_given` are looked at.
        n_given: Pixels that are kept, in raster order; half the picture is the paper's choice.
        n: Completions of each.
        temperature: 1 draws from the model's own distribution, as the paper does; 0 takes the
            likeliest.
        top_k: Only so many likeliest colours; 0 for all.
        top_p: Only the likeliest colours up to this probability.
        seed: Makes them repeatable.
        progress: Told how many pixels are done.

    Returns:
        (picture, n, position) of whole pictures.

    Raises:
        InputError: A BERT model, or numbers out of range.
    """
    n_position = model.decoder.config.n_positions
    if tokens.ndim != 2 or tokens.shape[1] != n_position:
        raise InputError(f"pictures of {n_position} tokens are wanted, got {tokens.shape}")
    if not 0 <= n_given < n_position or n < 1:
        raise InputError(f"0 to {n_position - 1} given pixels and 1 or more completions are wanted")
    start = np.full((len(tokens), 1), model.decoder.config.start_id, dtype=np.int64)
    prompts = np.concatenate([start, tokens[:, :n_given]], 1)
    drawn = draw_tokens(
        model.decoder, prompts, n_position - n_given, n=n, temperature=temperature, top_k=top_k,
        top_p=top_p, seed=seed, progress=progress,
    )  # fmt: skip
    whole = np.concatenate([np.repeat(prompts[:, 1:], n, axis=0), drawn], 1)
    return whole.reshape(len(tokens), n, n_position)


def sample_pictures(
    model: ImageGPT, n: int, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0,
    seed: int | None = None, progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.int64]:  # fmt: skip
    """Pictures from nothing, (n, position): `complete` without a given part."""
    nothing = np.zeros((1, model.decoder.config.n_positions), dtype=np.int64)
    return complete(
        model, nothing, 0, n, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed,
        progress=progress,
    )[0]  # fmt: skip


def contact_sheet(
    model: ImageGPT, rows: Sequence[NDArray[Any]], *, given: NDArray[Any] | None = None,
    n_given: int = 0, scale: int = 0,
) -> Image.Image:  # fmt: skip
    """Rows of pictures side by side; with `given`, what was shown and the original come first.

    Args:
        model: Whose palette draws them.
        rows: Tokens (n, position) of each row.
        given: (row, position): originals.
        n_given: Pixels of them that were shown.
        scale: Screen pixels a pixel; chosen so that a picture is about 128 wide if not given.
    """
    size = model.size
    factor = scale or max(1, 128 // size)
    cell = size * factor + _GAP
    columns = max(len(row) for row in rows) + (2 if given is not None else 0)
    sheet = Image.new("RGB", (columns * cell + _GAP, len(rows) * cell + _GAP), "white")
    for y, row in enumerate(rows):
        pictures = [draw_picture(model, tokens, len(tokens)) for tokens in row]
        if given is not None:
            pictures = [draw_picture(model, given[y], n_given), *pictures,
                        draw_picture(model, given[y], len(given[y]))]  # fmt: skip
        for x, picture in enumerate(pictures):
            large = picture.resize((size * factor, size * factor), Image.Resampling.NEAREST)
            sheet.paste(large, (x * cell + _GAP, y * cell + _GAP))
    return sheet


def draw_picture(model: ImageGPT, tokens: NDArray[Any], n_shown: int | None = None) -> Image.Image:
    """One picture (position,), a pixel a token; those behind `n_shown` in grey."""
    pixels = model.palette.decode(np.asarray(tokens)[None])[0]
    if pixels.shape[-1] == 1:
        pixels = pixels.repeat(3, -1)
    flat = pixels.reshape(-1, 3).copy()
    if n_shown is not None:
        flat[n_shown:] = _GREY_TONE
    return Image.fromarray(flat.reshape(pixels.shape))


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as PNG, whole or not at all."""
    with atomic_path(path) as part:
        sheet.save(part, format="PNG", optimize=True)
