"""Folders of picture files, read as they are asked for; and `.npz` files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kuaibao.errors import InputError
from kuaibao.files import hash_value
from kuaibao.image_gpt.datasets.parts import (
    CHUNK,
    PARTS,
    Chunk,
    Dataset,
    Part,
    from_arrays,
    part_of,
    resize_all,
)
from kuaibao.image_gpt.errors import PictureError
from kuaibao.image_gpt.pictures import SUFFIXES, read_folder, read_picture, resize

__all__ = ["random_crop", "read_pictures"]

_NAMES = {"train": "train", "training": "train", "val": "validation", "valid": "validation",
          "validation": "validation", "test": "test"}  # fmt: skip
_SHORT_SIDE = (256, 384)
_CROP = 224


def read_pictures(path: Path, size: int, grey: bool, n_crop: int) -> Dataset:
    """A folder whose sub-folders are classes, or whose sub-folders are parts with classes.

    Without parts, a hash of each file's path chooses its part. Where there is a validation part but
    no test part, as in ImageNet, it is the test part, and 4 % of the training part are held out.

    Raises:
        InputError: Nothing there.
    """
    if path.suffix == ".npz":
        found = read_folder(path, size, grey=grey)
        parts = [part_of(f"{path.name} {i}") for i in range(len(found.images))]
        images = resize_all(found.images, size, grey=grey)
        return from_arrays(str(path), images, found.labels, parts, found.classes)
    rows = _rows(path)
    if not rows:
        raise PictureError(f"{path} holds no pictures", hint="Known: " + " ".join(SUFFIXES))
    classes = sorted({name for _, name, _ in rows if name})
    skipped: list[str] = []

    def part(wanted: str) -> Part:
        own = [(file, name) for file, name, where in rows if where == wanted]
        copies = n_crop if wanted == "train" and n_crop else 1
        crop = n_crop if wanted == "train" else 0

        def chunks() -> Iterator[Chunk]:
            return _chunks(own, classes, _cutter(size, grey, crop), copies, skipped)

        return Part(len(own) * copies, chunks)

    stamp = [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f, _, _ in rows]
    return Dataset(
        str(path), tuple(classes), {wanted: part(wanted) for wanted in PARTS},
        hash_value([stamp, size, grey, n_crop]), skipped=skipped,
    )  # fmt: skip


def _rows(folder: Path) -> list[tuple[Path, str, str]]:
    """(file, class or nothing, part) of every picture file."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    tops = {p.relative_to(folder).parts[0] for p in files if p.parent != folder}
    has_parts = bool(tops) and "train" in {_NAMES.get(t) for t in tops} and tops <= set(_NAMES)
    if not has_parts:
        return [(p, _first(p, folder), part_of(str(p.relative_to(folder)))) for p in files]
    names = {_NAMES[t] for t in tops}
    rows: list[tuple[Path, str, str]] = []
    for file in files:
        if file.parent == folder:
            continue
        top = file.relative_to(folder).parts[0]
        where = _NAMES[top]
        if where == "validation" and "test" not in names:
            where = "test"
        if where == "train" and ("validation" not in names or "test" not in names):
            is_held = int(hash_value(str(file.relative_to(folder)))[:8], 16) / 2**32 < 0.04
            where = "validation" if is_held else "train"
        rows.append((file, _first(file, folder / top), where))
    return rows


def _first(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""


Cutter = Callable[[Image.Image, int, str], NDArray[np.uint8]]
"""(picture, number of the copy, name) → bytes (size, size, channel)"""


def _cutter(size: int, grey: bool, n_crop: int) -> Cutter:
    def cut(picture: Image.Image, copy: int, name: str) -> NDArray[np.uint8]:
        if n_crop:
            seed = int(hash_value([name, copy])[:15], 16)
            picture = random_crop(picture, np.random.default_rng(seed))
        return resize(picture, size, grey=grey)

    return cut


def random_crop(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Shorter side random from 256 to 384, then a random square of 224 (iGPT, section 3.1)."""
    side = int(generator.integers(_SHORT_SIDE[0], _SHORT_SIDE[1] + 1))
    scale = side / min(picture.size)
    width, height = (max(side, round(x * scale)) for x in picture.size)
    if max(width, height) > 50 * side:
        raise InputError("a picture is more than fifty times as long as it is wide")
    large = picture.resize((width, height), Image.Resampling.BICUBIC)
    left = int(generator.integers(0, width - _CROP + 1))
    top = int(generator.integers(0, height - _CROP + 1))
    return large.crop((left, top, left + _CROP, top + _CROP))


def _chunks(
    rows: Sequence[tuple[Path, str]], classes: Sequence[str], cut: Cutter, copies: int,
    skipped: list[str],
) -> Iterator[Chunk]:  # fmt: skip
    index = {name: i for i, name in enumerate(classes)}
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for file, name in rows:
        try:
            picture = read_picture(file)
            made = [cut(picture, copy, str(file)) for copy in range(copies)]
        except InputError as error:
            if error.message not in skipped:
                skipped.append(error.message)
            continue
        images += made
        labels += [index.get(name, -1)] * copies
        if len(images) >= CHUNK:
            yield np.stack(images), np.array(labels, dtype=np.int64)
            images, labels = [], []
    if images:
        yield np.stack(images), np.array(labels, dtype=np.int64)
