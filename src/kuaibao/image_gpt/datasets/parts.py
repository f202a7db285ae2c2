"""What a set of pictures is: three parts, read chunk by chunk, so that none has to fit memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kuaibao.files import hash_value
from kuaibao.image_gpt.pictures import resize

__all__ = [
    "CHUNK",
    "PARTS",
    "Chunk",
    "Dataset",
    "Part",
    "Progress",
    "from_arrays",
    "part_of",
    "quiet",
    "resize_all",
]

PARTS = ("train", "validation", "test")
CHUNK = 256
"""Pictures that are held at once."""

Chunk = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Bytes (picture, size, size, channel) and classes (picture); -1 where there is no class."""
Progress = Callable[[str, int, int], None]
"""(what, done, total)"""


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Part:
    """Training, validation or test pictures."""

    n: int
    """Pictures; fewer come if some can't be read."""
    chunks: Callable[[], Iterator[Chunk]]


@dataclass(frozen=True)
class Dataset:
    """A set of pictures."""

    name: str
    classes: tuple[str, ...]
    parts: Mapping[str, Part]
    key: str
    """Changes when the pictures do."""
    credit: str = ""
    """Whose pictures they are, and under which licence."""
    skipped: list[str] = field(default_factory=list[str])
    """What could not be read, and why; filled while chunks are read."""


def part_of(group: str) -> str:
    """80 % training, 10 % validation, 10 % test, by a hash of what must stay together."""
    place = int(hash_value(group)[:8], 16) / 2**32
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def from_arrays(
    name: str, images: NDArray[np.uint8], labels: NDArray[np.int64], parts: Sequence[str],
    classes: Sequence[str], *, credit: str = "",
) -> Dataset:  # fmt: skip
    """A set whose pictures lie in memory; `parts` names the part of each."""
    where = np.array(parts)

    def part(wanted: str) -> Part:
        chosen = np.flatnonzero(where == wanted)

        def chunks() -> Iterator[Chunk]:
            for start in range(0, len(chosen), CHUNK):
                index = chosen[start : start + CHUNK]
                yield images[index], labels[index]

        return Part(len(chosen), chunks)

    shape = list(images.shape)
    return Dataset(
        name, tuple(classes), {wanted: part(wanted) for wanted in PARTS},
        hash_value([name, shape, int(images.sum(dtype=np.int64)), labels.tolist()]), credit,
    )  # fmt: skip


def resize_all(images: NDArray[np.uint8], size: int, *, grey: bool) -> NDArray[np.uint8]:
    """Bytes (n, h, w, 1 or 3) at another size, (n, size, size, 1 or 3)."""
    if images.shape[1:3] == (size, size) and (images.shape[3] == 1) == grey:
        return images
    made = [
        resize(
            Image.fromarray(x[..., 0] if x.shape[-1] == 1 else x).convert("RGB"), size, grey=grey
        )
        for x in images
    ]
    return np.stack(made) if made else np.zeros((0, size, size, 1 if grey else 3), dtype=np.uint8)
