"""The published binary files of CIFAR-10, CIFAR-100 and STL-10.

The Python versions of CIFAR are pickles, which run code when they are read: they are not read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.files import hash_value
from kuaibao.image_gpt.datasets.parts import CHUNK, Chunk, Dataset, Part, resize_all

__all__ = ["is_binary_set", "read_binary_set"]

HOLD_OUT = 10
"""Every tenth training picture is for validation, as in the paper (section 3.1)."""


@dataclass(frozen=True)
class _Layout:
    """Where a set's pictures and classes stand."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    side: int
    n_label_byte: int
    """Before each picture; the last one is the class."""
    classes: str
    extra: tuple[str, ...] = ()
    """Pictures without classes, for pre-training."""


_LAYOUTS = (
    _Layout("cifar-10", tuple(f"data_batch_{i}.bin" for i in range(1, 6)), ("test_batch.bin",),
            32, 1, "batches.meta.txt"),
    _Layout("cifar-100", ("train.bin",), ("test.bin",), 32, 2, "fine_label_names.txt"),
    _Layout("stl-10", ("train_X.bin",), ("test_X.bin",), 96, 0, "class_names.txt",
            ("unlabeled_X.bin",)),
)  # fmt: skip


def _layout(folder: Path) -> _Layout | None:
    return next((x for x in _LAYOUTS if all((folder / n).is_file() for n in x.train)), None)


def is_binary_set(folder: Path) -> bool:
    """Whether a folder holds such files; a folder of pickles is refused.

    Raises:
        InputError: It holds the Python version of CIFAR.
    """
    if (folder / "data_batch_1").is_file() or (folder / "meta").is_file():
        raise InputError(
            f"{folder} holds the Python version of CIFAR, whose pickles run code when read",
            hint="Take the binary version (*.bin).",
        )
    return _layout(folder) is not None


def read_binary_set(folder: Path, size: int, grey: bool) -> Dataset:
    """Training, validation and test part of such a folder.

    Raises:
        InputError: A file is missing or has another length than its pictures need.
    """
    layout = _layout(folder)
    if layout is None:
        raise InputError(f"{folder} holds none of {', '.join(x.name for x in _LAYOUTS)}")
    train = _files(folder, layout, layout.train)
    extra = _files(folder, layout, tuple(n for n in layout.extra if (folder / n).is_file()))
    test = _files(folder, layout, layout.test)
    n_train = sum(n for _, n in train)
    labels = {**_labels(folder, layout, "train"), **_labels(folder, layout, "test")}

    def part(files: Sequence[tuple[Path, int]], wanted: str) -> Part:
        def chunks() -> Iterator[Chunk]:
            for images, classes, places in _read(files, layout, labels):
                if wanted == "test":
                    keep = np.ones(len(places), dtype=bool)
                else:
                    is_held = (places % HOLD_OUT == 0) & (places < n_train)
                    keep = is_held if wanted == "validation" else ~is_held
                if keep.any():
                    yield resize_all(images[keep], size, grey=grey), classes[keep]

        n = sum(count for _, count in files)
        n_held = -(-n_train // HOLD_OUT)
        return Part({"train": n - n_held, "validation": n_held, "test": n}[wanted], chunks)

    stamps = [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p, _ in (*train, *extra, *test)]
    return Dataset(
        layout.name, _class_names(folder, layout),
        {"train": part([*train, *extra], "train"), "validation": part(train, "validation"),
         "test": part(test, "test")},
        hash_value([layout.name, size, grey, stamps]),
    )  # fmt: skip


def _files(folder: Path, layout: _Layout, names: Sequence[str]) -> list[tuple[Path, int]]:
    record = layout.side**2 * 3 + layout.n_label_byte
    found: list[tuple[Path, int]] = []
    for name in names:
        path = folder / name
        if not path.is_file():
            raise InputError(f"{folder}: {name} is missing")
        n, rest = divmod(path.stat().st_size, record)
        if rest or n == 0:
            raise InputError(f"{path} is cut short: its length is no multiple of {record} bytes")
        found.append((path, n))
    return found


def _read(
    files: Sequence[tuple[Path, int]], layout: _Layout, labels: dict[str, NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]]:
    """Pictures, classes and running numbers, chunk by chunk."""
    side, skip = layout.side, layout.n_label_byte
    offset = 0
    for path, n in files:
        rows = np.memmap(path, dtype=np.uint8, mode="r", shape=(n, skip + side**2 * 3))
        for start in range(0, n, CHUNK):
            chunk = np.array(rows[start : start + CHUNK])
            planes = chunk[:, skip:].reshape(-1, 3, side, side)
            # STL-10 lies column by column, the way Matlab writes.
            order = (0, 3, 2, 1) if layout.name == "stl-10" else (0, 2, 3, 1)
            if skip:
                classes = chunk[:, skip - 1].astype(np.int64)
            else:
                classes = labels.get(path.name, np.full(n, -1))[start : start + CHUNK]
            places = offset + np.arange(start, start + len(chunk))
            yield np.ascontiguousarray(planes.transpose(order)), classes, places
        offset += n


def _labels(folder: Path, layout: _Layout, part: str) -> dict[str, NDArray[np.int64]]:
    """STL-10 keeps its classes, from 1, in files of their own."""
    if layout.n_label_byte:
        return {}
    path = folder / f"{part}_y.bin"
    if not path.is_file():
        raise InputError(f"{folder}: {path.name} is missing")
    return {f"{part}_X.bin": np.fromfile(path, dtype=np.uint8).astype(np.int64) - 1}


def _class_names(folder: Path, layout: _Layout) -> tuple[str, ...]:
    path = folder / layout.classes
    if not path.is_file():
        return tuple(str(i) for i in range(100 if layout.name == "cifar-100" else 10))
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())
