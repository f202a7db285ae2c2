"""Features: what a layer makes of a picture, pooled over its pixels (iGPT, section 2.3).

The feature of layer l is the mean over positions of block l's normed input; layer n_layer is the
model's normed output. Batches stream through: memory holds one batch, and what is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.errors import InputError
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.objectives import draw_masks, shifted_inputs

__all__ = ["POOLS", "Pool", "features", "iterate_features", "pool_positions"]

Pool = Literal["mean", "quadrants", "rows", "last"]
POOLS: tuple[Pool, ...] = ("mean", "quadrants", "rows", "last")
BATCH = 64


def features(
    model: Any,
    images: NDArray[Any] | Tensor | Iterable[NDArray[Any]],
    *,
    layers: Sequence[int] | None = None,
    pool: Pool = "mean",
    batch_size: int = BATCH,
    mask_share: float = 0.0,
    seed: int = 0,
    out: Path | None = None,
) -> dict[int, NDArray[np.float32]]:
    """Features of pictures by layer.

    Args:
        model: `ImageGPT`; or a bare `Decoder`, which takes tokens only.
        images: Bytes (picture, height, width, channel), tokens (picture, height · width), or an
            iterable of such batches.
        layers: From 0 to `n_layer`; negative ones count from the end; all if not given.
        pool: `mean` as the paper has it; `quadrants` and `rows` keep where something is, `last`
            takes the last position.
        batch_size: Pictures at once.
        mask_share: For BERT: pixels that are not shown.
        seed: Of the masks.
        out: A folder for memory-mapped files, for more features than memory holds.

    Returns:
        For each layer (picture, feature).

    Raises:
        InputError: A layer that the model lacks, pictures of another size, or none.
    """
    wanted = _layers(model, layers)
    parts: dict[int, list[NDArray[np.float32]]] = {layer: [] for layer in wanted}
    files = _Files(out, wanted) if out is not None else None
    streamed = iterate_features(
        model, images, layers=wanted, pool=pool, batch_size=batch_size, mask_share=mask_share,
        seed=seed,
    )  # fmt: skip
    for found in streamed:
        if files is not None:
            files.append(found)
        else:
            for layer, values in found.items():
                parts[layer].append(values)
    if files is not None:
        return files.opened()
    if not parts[wanted[0]]:
        raise InputError("no pictures")
    return {layer: np.concatenate(values) for layer, values in parts.items()}


@torch.inference_mode()
def iterate_features(
    model: Any, images: NDArray[Any] | Tensor | Iterable[NDArray[Any]], *,
    layers: Sequence[int] | None = None, pool: Pool = "mean", batch_size: int = BATCH,
    mask_share: float = 0.0, seed: int = 0,
) -> Iterator[dict[int, NDArray[np.float32]]]:  # fmt: skip
    """`features`, batch by batch; nothing above the highest wanted layer is computed."""
    decoder = model.decoder if isinstance(model, ImageGPT) else model
    config = decoder.config
    wanted = _layers(model, layers)
    generator = np.random.default_rng(seed)
    for tokens in _batches(model, images, batch_size):
        ids = torch.from_numpy(tokens).to(decoder.device)
        if ids.shape[1] > config.n_positions:
            raise InputError(
                f"{ids.shape[1]} pixels a picture, the model has {config.n_positions} positions"
            )
        masked = None
        if mask_share:
            masked = torch.from_numpy(
                draw_masks(len(tokens), tokens.shape[1], mask_share, generator)
            ).to(ids.device)
        inputs = shifted_inputs(ids, config.start_id) if config.causal else ids
        found: dict[int, NDArray[np.float32]] = {}
        for layer, hidden in enumerate(decoder.hidden_states(inputs, None, masked)):
            if layer in wanted:
                found[layer] = pool_positions(hidden, pool).float().cpu().numpy()
            if layer == wanted[-1]:
                break
        yield found


def pool_positions(hidden: Tensor, pool: Pool) -> Tensor:
    """(batch, position, n_embd) → (batch, feature).

    Raises:
        InputError: An unknown pool, or `quadrants` or `rows` of what is no square.
    """
    if pool == "mean":
        return hidden.mean(1)
    if pool == "last":
        return hidden[:, -1]
    side = round(hidden.shape[1] ** 0.5)
    if pool not in POOLS or side * side != hidden.shape[1]:
        raise InputError(f"pool '{pool}' can't be taken of {hidden.shape[1]} positions")
    grid = hidden.unflatten(1, (side, side))
    if pool == "rows":
        return grid.mean(2).flatten(1)
    half = max(1, side // 2)
    corners = (grid[:, :half, :half], grid[:, :half, -half:], grid[:, -half:, :half],
               grid[:, -half:, -half:])  # fmt: skip
    return torch.cat([corner.mean((1, 2)) for corner in corners], 1)


def _layers(model: Any, layers: Sequence[int] | None) -> list[int]:
    decoder = model.decoder if isinstance(model, ImageGPT) else model
    n = decoder.config.n_layer
    found = sorted(
        {x + n + 1 if x < 0 else x for x in (range(n + 1) if layers is None else layers)}
    )
    if not found or not 0 <= found[0] <= found[-1] <= n:
        raise InputError(f"layers run from 0 to {n}, got {list(layers or [])}")
    return found


def _batches(
    model: Any, images: NDArray[Any] | Tensor | Iterable[NDArray[Any]], batch_size: int
) -> Iterator[NDArray[np.int64]]:
    if isinstance(images, Tensor):
        images = images.cpu().numpy()
    whole: Iterable[Any] = [images] if isinstance(images, np.ndarray) else images
    for part in whole:
        for start in range(0, len(part), batch_size):
            yield _tokens(model, np.asarray(part[start : start + batch_size]))


def _tokens(model: Any, batch: NDArray[Any]) -> NDArray[np.int64]:
    if isinstance(model, ImageGPT):
        tokens = model.tokens(batch)
    elif batch.ndim == 2:
        tokens = batch.astype(np.int64)
    else:
        raise InputError(
            "a bare decoder takes tokens", hint="Load it with load_image_gpt: it has the palette."
        )
    decoder = model.decoder if isinstance(model, ImageGPT) else model
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < decoder.config.vocab_size:
        raise InputError(f"tokens lie from 0 to {decoder.config.vocab_size - 1}")
    return tokens


class _Files:
    """One growing file a layer."""

    def __init__(self, folder: Path, layers: Sequence[int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.paths = {layer: folder / f"layer-{layer:03d}.f32" for layer in layers}
        self.width: dict[int, int] = {}
        for path in self.paths.values():
            path.unlink(missing_ok=True)

    def append(self, found: dict[int, NDArray[np.float32]]) -> None:
        for layer, values in found.items():
            self.width[layer] = values.shape[1]
            with self.paths[layer].open("ab") as file:
                file.write(values.tobytes())

    def opened(self) -> dict[int, NDArray[np.float32]]:
        if not self.width:
            raise InputError("no pictures")
        return {
            layer: np.memmap(path, dtype=np.float32, mode="r").reshape(-1, self.width[layer])
            for layer, path in self.paths.items()
        }
