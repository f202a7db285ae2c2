"""What is worth doing once, offline: pictures made small or grey, texts tokens, tables tensors.

Each is a map-style data set with samples of one shape, ready for `build_store`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from kuaibao.loading.errors import LoadingError
from kuaibao.loading.store import Store, build_store

__all__ = ["Pictures", "TokenizedTexts", "picture_stores", "table_tensors"]


class Pictures(Dataset[tuple[Tensor, int]]):
    """Picture files as uint8 `[channel, side, side]`, with a label each.

    JPEG is decoded at the least of its 1/1, 1/2, 1/4 and 1/8 sizes that covers `side`.

    Args:
        paths: The files, in order.
        side: Height and width of what comes out.
        labels: One whole number a file; all 0 without them.
        grey: One channel instead of three.

    Raises:
        LoadingError: There are more or fewer labels than files.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        side: int,
        *,
        labels: Sequence[int] | None = None,
        grey: bool = False,
    ) -> None:
        self.paths = [os.fspath(path) for path in paths]
        self.side = side
        self.grey = grey
        self.labels = np.zeros(len(self.paths), np.int64) if labels is None else np.asarray(labels)
        if len(self.labels) != len(self.paths):
            raise LoadingError(f"{len(self.paths)} pictures have {len(self.labels)} labels")

    def __len__(self) -> int:
        """Number of files."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One picture and its label."""
        from PIL import Image

        mode = "L" if self.grey else "RGB"
        with Image.open(self.paths[index]) as image:
            image.draft(mode, (self.side, self.side))
            small = image.convert(mode).resize((self.side, self.side))
        pixels = torch.from_numpy(np.array(small)).reshape(self.side, self.side, -1)
        return pixels.permute(2, 0, 1).contiguous(), int(self.labels[index])


def picture_stores(
    paths: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    sides: Sequence[int],
    labels: Sequence[int] | None = None,
    grey: bool = False,
    on_error: str = "raise",
    progress: Callable[[int, int, int], None] = lambda side, done, total: None,
) -> dict[int, Store]:
    """Stores of the same pictures at several sizes, for a training that begins small.

    Each lies in `folder/SIDE`, is made once and goes on where it was interrupted (`build_store`).

    Args:
        paths: The files, in order.
        folder: Where the stores are made.
        sides: The sizes.
        labels: One whole number a file.
        grey: One channel instead of three.
        on_error: `raise` at a picture that can't be read, or `skip` it.
        progress: Told the side, and how many of how many pictures are done.
    """
    names = [os.fspath(path) for path in paths]
    found: dict[int, Store] = {}
    for side in sides:
        data = Pictures(paths, side, labels=labels, grey=grey)
        found[side] = build_store(
            data,
            Path(folder) / str(side),
            settings={"side": side, "grey": grey, "paths": names, "labels": data.labels.tolist()},
            on_error=on_error,
            progress=lambda done, total, side=side: progress(side, done, total),
        )
    return found


class TokenizedTexts(Dataset[tuple[Tensor, int]]):
    """Texts as int32 `[length]`, cut or padded, with the number of tokens that are text.

    Args:
        texts: The texts, in order.
        encode: Gives a text's tokens.
        length: Tokens of each sample.
        padding: The token that fills a short text up.
    """

    def __init__(
        self, texts: Sequence[str], encode: Callable[[str], Sequence[int]], length: int,
        *, padding: int = 0,
    ) -> None:  # fmt: skip
        self.texts = texts
        self.encode = encode
        self.length = length
        self.padding = padding

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One text's tokens, and how many of them are no padding."""
        tokens = list(self.encode(self.texts[index]))[: self.length]
        row = torch.full((self.length,), self.padding, dtype=torch.int32)
        row[: len(tokens)] = torch.tensor(tokens, dtype=torch.int32)
        return row, len(tokens)


def table_tensors(table: Any) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
    """A table's columns as tensors `[row]`, made once instead of a row at a time.

    Args:
        table: A pandas DataFrame, or a mapping of names to columns. Numbers and truth values keep
            their type; everything else becomes int32 numbers into a sorted vocabulary.

    Returns:
        The tensors, and the vocabularies of the columns that needed one.

    Raises:
        LoadingError: Columns differ in length.
    """
    names = list(table) if isinstance(table, Mapping) else list(table.columns)
    tensors: dict[str, Tensor] = {}
    words: dict[str, list[str]] = {}
    for name in names:
        values = np.asarray(table[name])
        if values.dtype.kind in "biuf":
            tensors[str(name)] = torch.from_numpy(np.ascontiguousarray(values))
            continue
        known, numbers = np.unique(values.astype(str), return_inverse=True)
        words[str(name)] = known.tolist()
        tensors[str(name)] = torch.from_numpy(numbers.astype(np.int32))
    lengths = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(lengths.values())) > 1:
        raise LoadingError(f"the columns differ in length: {lengths}")
    return tensors, words
