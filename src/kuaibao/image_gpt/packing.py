"""Pictures as packed tokens on disk: memory-mapped, made anew only if something changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.files import atomic_path, hash_value, write_json
from kuaibao.image_gpt.datasets import NAMED_SETS, PARTS, Dataset, load_dataset
from kuaibao.image_gpt.datasets.parts import Progress, quiet
from kuaibao.image_gpt.palette import Palette

__all__ = [
    "PackedPart",
    "PackedPictures",
    "augment",
    "choose_palette",
    "open_packed",
    "pack",
    "prepare",
]

_VERSION = 1
_N_FIT_PICTURE = 20_000


@dataclass(frozen=True, eq=False)
class PackedPart:
    """Tokens and classes of one part, memory-mapped."""

    tokens: NDArray[Any]
    """(picture, height · width), 8 bits each for up to 256 colours, else 16."""
    labels: NDArray[np.int64]
    """(picture); -1 where there is no class."""


@dataclass(frozen=True, eq=False)
class PackedPictures:
    """A set of pictures as tokens of a palette."""

    size: int
    palette: Palette
    classes: tuple[str, ...]
    parts: Mapping[str, PackedPart]
    skipped: tuple[str, ...] = ()

    @property
    def train(self) -> PackedPart:
        """Training pictures."""
        return self.parts["train"]

    @property
    def validation(self) -> PackedPart:
        """Held-out pictures that runs are steered by."""
        return self.parts["validation"]

    @property
    def test(self) -> PackedPart:
        """Held-out pictures for the last figure."""
        return self.parts["test"]


def prepare(
    name: str, cache: Path, *, size: int, grey: bool = False, n_color: int = 512,
    palette: Palette | None = None, folder: Path = Path(), n_crop: int = 0,
    progress: Progress = quiet,
) -> PackedPictures:  # fmt: skip
    """A set's tokens: from `cache` if they lie there, else packed into it.

    Args:
        name: A named set or a path, as `load_dataset` takes it.
        cache: Where tokens and their manifest go.
        size: Side in pixels.
        grey: One channel.
        n_color: Of a palette that is made: grey levels, or k-means on the training part.
        palette: A palette in place of one that is made.
        folder: Where relative paths start.
        n_crop: Random crops of each training picture of a folder.
        progress: Told what is done.

    Raises:
        InputError: The set can't be read, or has no training pictures.
    """
    given = None if palette is None else palette.centers.tolist()
    settings = [size, grey, n_color, given, n_crop, _VERSION]
    if name in NAMED_SETS and _read(cache / "manifest.json").get("key") == hash_value(
        [name, *settings]
    ):
        return open_packed(cache)  # what a package holds does not change: no need to read it
    dataset = load_dataset(name, size, grey=grey, folder=folder, n_crop=n_crop, progress=progress)
    key = hash_value([name if name in NAMED_SETS else dataset.key, *settings])
    if _read(cache / "manifest.json").get("key") == key:
        return open_packed(cache)
    colors = palette or choose_palette(dataset, grey=grey, n_color=n_color)
    return pack(dataset, colors, cache, size=size, key=key, progress=progress)


def choose_palette(dataset: Dataset, *, grey: bool, n_color: int) -> Palette:
    """Equal grey levels, or k-means on the first 20,000 training pictures."""
    if grey:
        return Palette.grey(n_color)
    found: list[NDArray[np.uint8]] = []
    for images, _ in dataset.parts["train"].chunks():
        found.append(images)
        if sum(map(len, found)) >= _N_FIT_PICTURE:
            break
    if not found:
        raise InputError(f"{dataset.name} has no training pictures")
    return Palette.fit(np.concatenate(found), n_color)


def pack(
    dataset: Dataset, palette: Palette, cache: Path, *, size: int, key: str = "",
    progress: Progress = quiet,
) -> PackedPictures:  # fmt: skip
    """Encode every part into `cache`, chunk by chunk; memory stays bounded.

    Raises:
        InputError: No training pictures.
    """
    cache.mkdir(parents=True, exist_ok=True)
    manifest = cache / "manifest.json"
    manifest.unlink(missing_ok=True)
    kind = np.uint8 if palette.n_color <= 256 else np.uint16
    counts: dict[str, int] = {}
    for name in PARTS:
        part = dataset.parts[name]
        labels: list[NDArray[np.int64]] = []
        with atomic_path(cache / f"{name}.tokens") as path, path.open("wb") as file:
            for images, classes in part.chunks():
                file.write(palette.encode(images).astype(kind).tobytes())
                labels.append(classes)
                progress(f"Packing the {name} part", sum(map(len, labels)), part.n)
        stacked = np.concatenate(labels) if labels else np.zeros(0, dtype=np.int64)
        with atomic_path(cache / f"{name}.labels.npy") as path, path.open("wb") as file:
            np.save(file, stacked)
        counts[name] = len(stacked)
    if not counts["train"]:
        raise InputError(
            f"{dataset.name} has no training pictures", hint="; ".join(dataset.skipped[:3])
        )
    palette.save(cache)
    write_json(
        manifest,
        {"key": key, "size": size, "counts": counts, "dtype": np.dtype(kind).name,
         "classes": list(dataset.classes), "skipped": dataset.skipped[:1000],
         "credit": dataset.credit},
    )  # fmt: skip
    return open_packed(cache)


def _read(manifest: Path) -> dict[str, Any]:
    try:
        value: Any = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def open_packed(cache: Path) -> PackedPictures:
    """What was packed into a folder.

    Raises:
        InputError: Nothing was, or it is damaged.
    """
    meta = _read(cache / "manifest.json")
    if "size" not in meta:
        raise InputError(f"{cache} holds no packed pictures")
    size = int(meta["size"])
    parts: dict[str, PackedPart] = {}
    for name in PARTS:
        shape = (meta["counts"][name], size * size)
        path = cache / f"{name}.tokens"
        try:
            if path.stat().st_size != shape[0] * shape[1] * np.dtype(meta["dtype"]).itemsize:
                raise ValueError("its length differs from the manifest's")
            tokens: NDArray[Any] = (
                np.memmap(path, dtype=meta["dtype"], mode="r", shape=shape)
                if shape[0]
                else np.zeros(shape, dtype=meta["dtype"])
            )
            labels = np.load(cache / f"{name}.labels.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            (cache / "manifest.json").unlink(missing_ok=True)
            raise InputError(f"{path} is damaged ({error})", hint="Run again.") from error
        parts[name] = PackedPart(tokens, labels)
    return PackedPictures(
        size, Palette.load(cache), tuple(meta["classes"]), parts, tuple(meta["skipped"])
    )


def augment(tokens: NDArray[Any], size: int, generator: np.random.Generator, *, pad: int) -> Any:
    """Reflect at the border, crop at random, flip at random: on tokens, since all three only move
    pixels (iGPT, section 3.2: 4 pixels for CIFAR).

    Args:
        tokens: (batch, size · size).
        size: Side.
        generator: Of the draws.
        pad: Pixels of border; below `size`.
    """
    n = len(tokens)
    grid = tokens.reshape(n, size, size)
    padded = np.pad(grid, ((0, 0), (pad, pad), (pad, pad)), mode="reflect") if pad else grid
    tops, lefts = generator.integers(0, 2 * pad + 1, (2, n))
    flips = generator.integers(0, 2, n).astype(bool)
    rows = tops[:, None] + np.arange(size)
    columns = lefts[:, None] + np.arange(size)
    columns[flips] = columns[flips][:, ::-1]
    moved = padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.reshape(n, -1)
