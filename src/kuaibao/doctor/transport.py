"""How a batch goes from a worker to the loop: arrays as shared tensors, values in narrow types.

Each cure is a pair: what happens in the worker, and what undoes it in the loop's process, so that
the script sees the batch it always saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from kuaibao.doctor.batches import is_eight_bit_picture, leaves, narrowest_dtype
from kuaibao.loading import room_for

__all__ = [
    "ArraysAsTensors",
    "NarrowSamples",
    "Narrowed",
    "narrowing_of",
    "restored",
    "shared",
    "widened",
]  # fmt: skip


@dataclass(frozen=True)
class _Array:
    """An array on its way, as a tensor: its memory is shared, not pickled."""

    tensor: torch.Tensor


class ArraysAsTensors:
    """A collate function whose arrays travel as tensors; `restored` makes them arrays again."""

    def __init__(self, collate: Callable[[Any], Any]) -> None:
        self.collate = collate

    def __call__(self, samples: Any) -> Any:
        """The batch, its numeric arrays wrapped."""
        return map_leaves(self.collate(samples), _wrapped)


def _wrapped(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf" and leaf.nbytes > 1024:
        return _Array(torch.from_numpy(np.ascontiguousarray(leaf)))
    return leaf


def restored(batch: Any) -> Any:
    """The batch with its arrays as they were."""
    return map_leaves(batch, lambda leaf: leaf.tensor.numpy() if isinstance(leaf, _Array) else leaf)


def shared(batch: Any) -> list[torch.Tensor]:
    """Copies of all tensors and arrays in fresh shared memory: what sending a batch costs."""
    found: list[torch.Tensor] = []
    for leaf in leaves(batch):
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf":
            leaf = torch.from_numpy(np.ascontiguousarray(leaf))
        if isinstance(leaf, torch.Tensor):
            found.append(torch.empty_like(leaf).share_memory_().copy_(leaf))
    return found


@dataclass(frozen=True)
class Narrowed:
    """How one field travels."""

    leaf: int
    """Its place among the sample's leaves."""
    dtype: str
    """The type it has for the script."""
    narrow: str
    """The type it travels in."""
    divided: bool
    """Whether its values are whole numbers divided by 255."""


def narrowing_of(samples: list[Any]) -> list[Narrowed]:
    """The fields that fit a narrower type in all of these samples without loss."""
    found: list[Narrowed] = []
    for i, column in enumerate(zip(*(list(leaves(sample)) for sample in samples), strict=False)):
        tensors = [_as_tensor(value) for value in column]
        whole = [t for t in tensors if t is not None and t.numel() >= 256]
        if len(whole) < len(column):
            continue
        kinds = {narrowest_dtype(tensor) for tensor in whole}
        divided = {is_eight_bit_picture(tensor) for tensor in whole}
        if len(kinds) == 1 and len(divided) == 1 and (narrow := kinds.pop()) is not None:
            names = [str(dtype).removeprefix("torch.") for dtype in (whole[0].dtype, narrow)]
            found.append(Narrowed(i, names[0], names[1], divided.pop()))
    return found


class NarrowSamples(Dataset[Any]):
    """A map-style data set whose named fields are made narrow; `widened` undoes it on a batch."""

    def __init__(self, dataset: Any, fields: list[Narrowed]) -> None:
        self.dataset = dataset
        self.fields = {field.leaf: field for field in fields}
        self._scratch: dict[int, torch.Tensor] = {}

    def __len__(self) -> int:
        """Samples of the underlying data set."""
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        """One sample."""
        return self.narrow(self.dataset[index])

    def narrow(self, sample: Any) -> Any:
        """A sample with its fields in their narrow types."""
        place = iter(range(1 << 30))

        def one(leaf: Any) -> Any:
            field, tensor = self.fields.get(next(place)), _as_tensor(leaf)
            if field is None or tensor is None:
                return leaf
            if field.divided:
                tensor = self._times_255(tensor, field.leaf)
            return tensor.to(getattr(torch, field.narrow))

        return map_leaves(sample, one)

    def _times_255(self, tensor: torch.Tensor, leaf: int) -> torch.Tensor:
        """Whole numbers, in memory that is used again: new memory costs more than the product."""
        scratch = self._scratch.get(leaf)
        if scratch is None or scratch.shape != tensor.shape or scratch.dtype != tensor.dtype:
            scratch = self._scratch[leaf] = torch.empty_like(tensor)
        return torch.mul(tensor, 255, out=scratch).round_()


def widened(batch: Any, fields: list[Narrowed]) -> Any:
    """A batch of narrow samples with the types and values that the script expects."""
    by_leaf, place = {field.leaf: field for field in fields}, iter(range(1 << 30))

    def one(leaf: Any) -> Any:
        field = by_leaf.get(next(place))
        if field is None or not isinstance(leaf, torch.Tensor):
            return leaf
        dtype = getattr(torch, field.dtype)
        if field.divided and dtype == torch.get_default_dtype():
            whole = room_for(leaf.shape[0], leaf.shape[1:], dtype) if leaf.ndim else None
            return torch.div(leaf, 255, out=whole)  # one pass, over memory that is used again
        wide = leaf.to(dtype)
        return wide.div_(255) if field.divided else wide

    return map_leaves(batch, one)


def _as_tensor(value: Any) -> torch.Tensor | None:
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return torch.from_numpy(np.ascontiguousarray(value))
    return None


def map_leaves(value: Any, function: Callable[[Any], Any], depth: int = 0) -> Any:
    """The same containers with `function` of each leaf, in the order of `leaves`."""
    if depth <= 6 and type(value) is dict:
        return {key: map_leaves(part, function, depth + 1) for key, part in value.items()}
    if depth <= 6 and isinstance(value, list | tuple):
        parts = [map_leaves(part, function, depth + 1) for part in value]
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*parts)
        return tuple(parts) if isinstance(value, tuple) else parts
    return function(value)
