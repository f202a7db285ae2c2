"""Batches of any make: leaves, sizes, copies of the containers, narrower types without loss."""

from __future__ import annotations

import copy
import hashlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

__all__ = [
    "batch_bytes",
    "describe_tensors",
    "digest",
    "is_eight_bit_picture",
    "leaves",
    "n_samples",
    "narrowest_dtype",
    "same_values",
    "with_new_containers",
]

_NARROW = (torch.uint8, torch.int8, torch.int16, torch.int32)


def leaves(batch: Any, depth: int = 0) -> Iterator[Any]:
    """Tensors, arrays and other leaves of nested dicts, lists, tuples and data objects."""
    if isinstance(batch, torch.Tensor | np.ndarray | str | bytes) or depth > 6:
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from leaves(value, depth + 1)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from leaves(value, depth + 1)
    elif hasattr(batch, "data") and isinstance(getattr(batch, "data", None), dict):
        yield from leaves(batch.data, depth + 1)
    else:
        yield batch


def with_new_containers(batch: Any, depth: int = 0) -> Any:
    """The same leaves in fresh dicts and lists, so that a loop may pop from what it is given."""
    if isinstance(batch, torch.Tensor | np.ndarray | str | bytes) or depth > 6:
        return batch
    if isinstance(batch, list):
        return [with_new_containers(value, depth + 1) for value in batch]
    if isinstance(batch, tuple):
        parts = [with_new_containers(value, depth + 1) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if type(batch) is dict:
        return {key: with_new_containers(value, depth + 1) for key, value in batch.items()}
    data = getattr(batch, "data", None)
    try:
        fresh = copy.copy(batch)
        if isinstance(data, dict) and getattr(fresh, "data", None) is data:
            fresh.data = dict(data)
    except Exception:
        return batch
    return fresh


def batch_bytes(batch: Any) -> tuple[int, int]:
    """Bytes in tensors, and bytes in arrays and other leaves (those are pickled by workers)."""
    in_tensors = others = 0
    for leaf in leaves(batch):
        if isinstance(leaf, torch.Tensor):
            in_tensors += leaf.numel() * leaf.element_size()
        elif isinstance(leaf, np.ndarray):
            others += leaf.nbytes
        else:
            others += sys.getsizeof(leaf)
    return in_tensors, others


def digest(batch: Any) -> str:
    """A hash over all values of a batch, in their order."""
    found = hashlib.blake2b(digest_size=12)
    for leaf in leaves(batch):
        if isinstance(leaf, torch.Tensor):
            found.update(str(leaf.dtype).encode() + str(tuple(leaf.shape)).encode())
            plain = leaf.detach().cpu().contiguous().reshape(-1)
            found.update(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
        elif isinstance(leaf, np.ndarray):
            found.update(np.ascontiguousarray(leaf).tobytes())
        else:
            found.update(repr(leaf).encode())
    return found.hexdigest()


def n_samples(batch: Any, default: int = 1) -> int:
    """Length of the first axis of the first tensor or array."""
    first = batch[0] if type(batch) in (list, tuple) and batch else batch
    if isinstance(first, torch.Tensor) and first.ndim:
        return first.shape[0]  # most batches; to walk over all leaves takes ten times as long
    for leaf in leaves(batch):
        shape = getattr(leaf, "shape", None)
        if shape is not None and len(shape) > 0:
            return int(shape[0])
    return default


def narrowest_dtype(tensor: torch.Tensor) -> torch.dtype | None:
    """The smallest integer type that holds every value exactly; None when none is smaller.

    Floats are held to be 8-bit pictures when every value times 255 is whole and between 0 and 255.
    """
    if tensor.numel() == 0 or tensor.is_complex() or tensor.dtype == torch.bool:
        return None
    sample = tensor.detach().reshape(-1)[:: max(1, tensor.numel() // 500_000)]
    if sample.is_floating_point():
        return _narrow_float(sample.float())
    low, high = int(sample.min()), int(sample.max())
    for dtype in _NARROW:
        limits = torch.iinfo(dtype)
        if limits.min <= low and high <= limits.max and dtype.itemsize < tensor.element_size():
            return dtype
    return None


def is_eight_bit_picture(tensor: torch.Tensor) -> bool:
    """Whether its floats are whole numbers from 0 to 255, divided by 255."""
    return tensor.is_floating_point() and 0 < float(tensor.max()) <= 1.0


def _narrow_float(sample: torch.Tensor) -> torch.dtype | None:
    low, high = float(sample.min()), float(sample.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        return None
    scaled = sample * (255.0 if high <= 1.0 else 1.0)
    is_whole = bool(((scaled - scaled.round()).abs() < 1e-3).all())
    return torch.uint8 if is_whole and float(scaled.max()) <= 255.5 and high > 0 else None


def describe_tensors(batch: Any) -> list[dict[str, Any]]:
    """dtype, shape and bytes of each tensor or array, with a narrower dtype that loses nothing."""
    rows: list[dict[str, Any]] = []
    for leaf in leaves(batch):
        if not isinstance(leaf, torch.Tensor | np.ndarray):
            continue
        tensor = leaf if isinstance(leaf, torch.Tensor) else _as_tensor(leaf)
        if tensor is None:
            continue
        narrow = narrowest_dtype(tensor)
        size = tensor.numel() * tensor.element_size()
        rows.append(
            {
                "dtype": str(tensor.dtype).removeprefix("torch."),
                "shape": list(tensor.shape),
                "bytes": size,
                "is_array": not isinstance(leaf, torch.Tensor),
                "narrow_dtype": str(narrow).removeprefix("torch.") if narrow else None,
                "narrow_bytes": tensor.numel() * narrow.itemsize if narrow else size,
            }
        )
        if len(rows) >= 32:
            break
    return rows


def _as_tensor(array: np.ndarray[Any, Any]) -> torch.Tensor | None:
    try:
        return torch.from_numpy(np.ascontiguousarray(array))
    except TypeError:
        return None


def same_values(one: Any, other: Any) -> bool:
    """Whether two batches or samples hold exactly the same values in the same places."""
    left, right = list(leaves(one)), list(leaves(other))
    if len(left) != len(right):
        return False
    return all(_same_leaf(a, b) for a, b in zip(left, right, strict=True))


def _same_leaf(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        if not (isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)):
            return False
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        return bool(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))
    if type(a) is not type(b):
        return False
    try:
        same = a == b
        return bool(same)
    except Exception:
        # An object without a comparison is compared by its pixels or bytes where it has them.
        return False
