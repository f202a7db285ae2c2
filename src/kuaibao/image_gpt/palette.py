"""Pixels as tokens: a palette of k colours found by k-means (iGPT, section 3.1).

512 colours make one token of 9 bits of a pixel instead of three of 8. The nearest colour is found
exactly and without k distances a pixel: the colour cube is cut into 32³ cells, and each cell knows
the few colours that can be nearest to any of its points.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.files import atomic_path, write_json
from kuaibao.transformer.sharing import shared

__all__ = ["Palette"]

Images = NDArray[np.uint8]

_CELL = 8
_SIDE = 256 // _CELL
_MAX_FILE = 10_000_000
_N_FIT_PIXEL = 200_000


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours (k, channel) from -1 to 1, as the published `clusters.npy` holds them.

    Channels are 3 (red, green, blue) or 1 (grey).
    """

    centers: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check the shape.

        Raises:
            InputError: No colours, too many for 16 bits, or not finite.
        """
        c = self.centers
        if c.ndim != 2 or c.shape[1] not in (1, 3) or not 1 <= len(c) <= 65_536:
            raise InputError(f"a palette has shape (colours, 1 or 3), got {c.shape}")
        if not np.isfinite(c).all():
            raise InputError("the palette holds numbers that are not finite")

    @property
    def n_color(self) -> int:
        """Colours, that is tokens."""
        return len(self.centers)

    @property
    def n_channel(self) -> int:
        """3 for colour, 1 for grey."""
        return int(self.centers.shape[1])

    @classmethod
    def grey(cls, n_level: int) -> Palette:
        """Equally spaced grey levels from black to white.

        Raises:
            InputError: Fewer than 2 levels or more than 256.
        """
        if not 2 <= n_level <= 256:
            raise InputError(f"2 to 256 grey levels, got {n_level}")
        return cls(np.linspace(-1, 1, n_level, dtype=np.float32)[:, None])

    @classmethod
    def fit(
        cls, images: Images, n_color: int = 512, *, n_iteration: int = 30, seed: int = 0
    ) -> Palette:
        """Find the colours of pictures by k-means with k-means++ starts.

        Args:
            images: Bytes (…, channel) with 3 channels or 1; at most 200,000 pixels are drawn.
            n_color: How many; fewer if the pictures have fewer different ones.
            n_iteration: Lloyd's steps at most.
            seed: Of the draw and the starts.

        Raises:
            InputError: No pixels, or a channel count other than 1 or 3.
        """
        if images.ndim < 2 or images.shape[-1] not in (1, 3) or images.size == 0:
            raise InputError(f"pictures have 1 or 3 channels last, got shape {images.shape}")
        generator = np.random.default_rng(seed)
        pixels = images.reshape(-1, images.shape[-1])
        if len(pixels) > _N_FIT_PIXEL:
            pixels = pixels[generator.integers(0, len(pixels), _N_FIT_PIXEL)]
        distinct, weights = np.unique(pixels, axis=0, return_counts=True)
        points = distinct.astype(np.float32) / 127.5 - 1
        if len(points) <= n_color:
            return cls(points)
        centers = _plus_plus(points, weights, n_color, generator)
        return cls(_lloyd(points, weights.astype(np.float64), centers, n_iteration))

    @classmethod
    def load(cls, path: str | Path) -> Palette:
        """Read `clusters.npy`, or the `clusters` of a `preprocessor_config.json`, or a folder.

        Raises:
            InputError: There is none, or it is no table of numbers. Pickled arrays are refused.
        """
        file = _find(Path(path))
        if file.stat().st_size > _MAX_FILE:
            raise InputError(f"{file}: {file.stat().st_size} bytes are too many for a palette")
        try:
            if file.suffix == ".npy":
                values: Any = np.load(file, allow_pickle=False)
            else:
                values = json.loads(file.read_text(encoding="utf-8"))["clusters"]
            return cls(np.ascontiguousarray(values, dtype=np.float32))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"{file} holds no palette: {error}") from error

    def save(self, folder: str | Path) -> None:
        """Write `clusters.npy`, and `preprocessor_config.json` for other readers, into a folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        with atomic_path(target / "clusters.npy") as path, path.open("wb") as file:
            np.save(file, self.centers)
        write_json(
            target / "preprocessor_config.json",
            {"image_processor_type": "ImageGPTImageProcessor", "clusters": self.centers.tolist(),
             "do_color_quantize": True, "do_normalize": True},
        )  # fmt: skip

    def encode(self, images: Images) -> NDArray[np.int64]:
        """Tokens of pictures in raster order: the nearest colour, the first one of equals.

        Args:
            images: Bytes, (batch, height, width, channel); for grey (batch, height, width) too.

        Returns:
            (batch, height · width).

        Raises:
            InputError: Another shape or type.
        """
        if images.dtype != np.uint8:
            raise InputError(f"pictures are bytes (uint8), got {images.dtype}")
        if self.n_channel == 1 and images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or images.shape[-1] != self.n_channel:
            raise InputError(
                f"pictures have shape (batch, height, width, {self.n_channel}), got {images.shape}"
            )
        pixels = np.ascontiguousarray(images).reshape(-1, self.n_channel)
        if self.n_channel == 1:
            tokens = self._grey_table[pixels[:, 0]]
        else:
            tokens = np.empty(len(pixels), dtype=np.int64)
            starts, candidates = self._cells
            _nearest(pixels, self._bytes, starts, candidates, tokens)
        return tokens.reshape(len(images), -1)

    def decode(self, tokens: NDArray[Any], height: int | None = None) -> Images:
        """Pictures of tokens: bytes (batch, height, width, channel).

        Args:
            tokens: (batch, height · width).
            height: Rows; square pictures if not given.

        Raises:
            InputError: A token that is no colour, or a length that makes no rectangle.
        """
        values = np.asarray(tokens)
        if values.ndim != 2:
            raise InputError(f"tokens have shape (batch, height · width), got {values.shape}")
        n = values.shape[1]
        rows = height if height is not None else round(n**0.5)
        if rows < 1 or n % rows or (height is None and rows * rows != n):
            raise InputError(f"{n} tokens make no picture of {rows} rows")
        if values.size and not 0 <= values.min() <= values.max() < self.n_color:
            raise InputError(f"tokens lie from 0 to {self.n_color - 1}")
        colors = np.clip(np.round(127.5 * (self.centers + 1)), 0, 255).astype(np.uint8)
        return colors[values].reshape(len(values), rows, n // rows, self.n_channel)

    @cached_property
    def _bytes(self) -> NDArray[np.float64]:
        """The colours in byte units, as distances are computed."""
        return (self.centers.astype(np.float64) + 1) * 127.5

    @cached_property
    def _grey_table(self) -> NDArray[np.int64]:
        levels = np.arange(256, dtype=np.float64)[:, None]
        return np.argmin((levels - self._bytes[:, 0]) ** 2, axis=1)

    @cached_property
    def _cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return _candidates(self._bytes)


def _find(path: Path) -> Path:
    names = ("clusters.npy", "kmeans_centers.npy", "preprocessor_config.json")
    for file in [path / name for name in names] if path.is_dir() else [path]:
        if file.is_file():
            return file
    raise InputError(f"{path} holds no palette", hint=f"Wanted: {', '.join(names)}.")


def _plus_plus(
    points: NDArray[np.float32], weights: NDArray[Any], k: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Starts that lie apart: each drawn by its squared distance to the nearest before it."""
    data = points.astype(np.float64)
    centers = np.empty((k, data.shape[1]))
    centers[0] = data[generator.choice(len(data), p=weights / weights.sum())]
    distance = ((data - centers[0]) ** 2).sum(1)
    for i in range(1, k):
        chances = distance * weights
        centers[i] = data[generator.choice(len(data), p=chances / chances.sum())]
        distance = np.minimum(distance, ((data - centers[i]) ** 2).sum(1))
    return centers


def _lloyd(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    centers: NDArray[np.float64],
    n_iteration: int,
) -> NDArray[np.float32]:
    data = points.astype(np.float64)
    for _ in range(n_iteration):
        owner = np.empty(len(data), dtype=np.int64)
        for start in range(0, len(data), 20_000):
            part = data[start : start + 20_000]
            distances = (centers**2).sum(1) - 2 * part @ centers.T
            owner[start : start + 20_000] = np.argmin(distances, axis=1)
        mass = np.bincount(owner, weights, minlength=len(centers))
        sums = np.stack(
            [np.bincount(owner, weights * data[:, c], minlength=len(centers))
             for c in range(data.shape[1])], axis=1,
        )  # fmt: skip
        moved = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], centers)
        if np.abs(moved - centers).max() < 1e-6:
            break
        centers = moved
    return centers.astype(np.float32)


def _candidates(colors: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each cell of the cube the colours that may be nearest to one of its bytes.

    A colour drops out if even its least distance to the cell exceeds the least of all greatest
    distances.
    """
    low = np.arange(_SIDE, dtype=np.float64) * _CELL
    high = low + (_CELL - 1)
    starts = np.zeros(_SIDE**3 + 1, dtype=np.int64)
    found: list[NDArray[np.int64]] = []
    near = [_axis_distance(colors[:, c], low, high) for c in range(3)]
    for r in range(_SIDE):
        for g in range(_SIDE):
            least = near[0][0][r] + near[1][0][g] + near[2][0]
            most = near[0][1][r] + near[1][1][g] + near[2][1]
            keep = least <= most.min(axis=1, keepdims=True) + 1e-9
            cells, kept = np.nonzero(keep)
            found.append(kept)
            base = (r * _SIDE + g) * _SIDE
            starts[base + 1 : base + _SIDE + 1] = np.bincount(cells, minlength=_SIDE)
    return np.cumsum(starts), np.concatenate(found)


def _axis_distance(
    values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared least and greatest distances (cell, colour) along one axis."""
    below = low[:, None] - values[None, :]
    above = values[None, :] - high[:, None]
    least = np.maximum(0, np.maximum(below, above)) ** 2
    most = np.maximum(np.abs(below), np.abs(above)) ** 2
    return least, most


@shared(cache=True, nogil=True)
def _nearest(pixels: Any, colors: Any, starts: Any, candidates: Any, out: Any) -> None:
    for i in prange(len(pixels)):
        r, g, b = pixels[i, 0], pixels[i, 1], pixels[i, 2]
        cell = ((r // _CELL) * _SIDE + g // _CELL) * _SIDE + b // _CELL
        best = -1
        best_distance = 1e18
        for j in range(starts[cell], starts[cell + 1]):
            k = candidates[j]
            distance = (r - colors[k, 0]) ** 2 + (g - colors[k, 1]) ** 2 + (b - colors[k, 2]) ** 2
            if distance < best_distance:
                best_distance = distance
                best = k
        out[i] = best
