"""Decoded samples in RAM, shared by all workers: read once, gathered batch by batch after that.

The memory belongs to the process that made the cache. Workers map it, whether they were forked or
spawned, so there is no copy a worker and nothing is lost when workers are started anew each epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from torch.utils.data._utils.collate import default_collate_fn_map

from kuaibao.loading.errors import UncacheableError
from kuaibao.loading.samples import SampleForm, form_of
from kuaibao.loading.slots import room_for

__all__ = ["DecodedFiles", "EncodedFiles", "Gathered", "RamCache"]


class Gathered:
    """A whole batch, already collated; `default_collate` hands it on as it is."""

    __slots__ = ("batch",)

    def __init__(self, batch: Any) -> None:
        self.batch = batch


class RamCache(Dataset[Any]):
    """A map-style data set that keeps what another one gave.

    Args:
        dataset: Any map-style data set whose samples have one shape and are the same each time.
        budget_bytes: Most memory to take; samples beyond it are read anew each time. 0: no bound.
        gather: Give whole batches taken from the stored arrays with one call a field. Needs the
            DataLoader's own collate function (the default): then it is about three times cheaper
            than stacking samples.

    Raises:
        UncacheableError: The first sample has a part without a fixed size, or the data set gives
            other values each time it is asked (random augmentation).
    """

    def __init__(
        self, dataset: Any, *, budget_bytes: int = 0, gather: bool = True, check: bool = True
    ) -> None:
        self.dataset = dataset
        self.gather = gather
        self._n = len(dataset)
        first = dataset[0]
        self.form: SampleForm = form_of(first, "0")
        if check and self._n:
            _check_repeatable(dataset, self.form, first)
        size = max(1, self.form.n_bytes)
        self.capacity = self._n if budget_bytes <= 0 else min(self._n, budget_bytes // size)
        self._values = [
            torch.empty((self.capacity, *field.shape), dtype=field.dtype).share_memory_()
            for field in self.form.fields
        ]
        self._ready = torch.zeros(self.capacity, dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        """Samples of the underlying data set."""
        return self._n

    @property
    def n_bytes(self) -> int:
        """Memory taken."""
        return sum(value.numel() * value.element_size() for value in self._values)

    @property
    def n_ready(self) -> int:
        """Samples that are stored."""
        return int(self._ready.sum())

    def __getitem__(self, index: int) -> Any:
        """One sample, in the form in which the data set gives it; a copy, safe to change."""
        index = self._position(index)
        if index >= self.capacity:
            return self.dataset[index]
        self._keep(index)
        return self.form.put_together([value[index] for value in self._values])

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples of a batch; one `Gathered` batch when `gather` is set and all are stored."""
        positions = [self._position(index) for index in indices]
        if not self.gather or any(position >= self.capacity for position in positions):
            return [self[position] for position in positions]
        chosen = torch.tensor(positions)
        if not bool(self._ready[chosen].all()):
            for position in positions:
                self._keep(position)
        values: list[torch.Tensor] = []
        for value in self._values:
            out = room_for(len(positions), value.shape[1:], value.dtype)
            values.append(torch.index_select(value, 0, chosen, out=out))
        return [Gathered(self.form.put_together(values, batched=True))]

    def fill(self, indices: Sequence[int] | None = None) -> None:
        """Read samples ahead of use; all that fit when no indices are given."""
        for index in range(self.capacity) if indices is None else indices:
            position = self._position(index)
            if position < self.capacity:
                self._keep(position)

    def _position(self, index: int) -> int:
        position = int(index)
        if position < 0:
            position += self._n
        if not 0 <= position < self._n:
            raise IndexError(f"sample {index} of {self._n}")
        return position

    def _keep(self, position: int) -> None:
        if self._ready[position]:
            return
        values = self.form.take_apart(self.dataset[position], str(position))
        for store, value in zip(self._values, values, strict=True):
            store[position].copy_(value)
        # Set last: another worker sees the sample whole or not at all. Two that write it at the
        # same time write the same bytes.
        self._ready[position] = True


def _check_repeatable(dataset: Any, form: SampleForm, first: Any) -> None:
    again = dataset[0]
    pairs = zip(form.take_apart(first, "0"), form.take_apart(again, "0"), strict=True)
    if not all(bool(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))) for a, b in pairs):
        raise UncacheableError(
            "sample 0 came out different when it was read again",
            hint="Cache the data set before its random augmentation, and augment what comes out.",
        )


def _hand_on(batch: list[Gathered], *, collate_fn_map: Any = None) -> Any:
    return batch[0].batch


_known_to_default_collate: dict[Any, Any] = default_collate_fn_map
_known_to_default_collate[Gathered] = _hand_on  # on import: a spawned worker makes no data set


class EncodedFiles:
    """Whole files packed into one shared block: bytes in RAM, decoded when they are asked for.

    Args:
        paths: The files, in order.
        budget_bytes: Most memory to take; the files that no longer fit are read from disk.
    """

    def __init__(self, paths: Sequence[str], *, budget_bytes: int = 0) -> None:
        import os

        self.paths = list(paths)
        sizes = [os.path.getsize(path) for path in self.paths]
        self.n_held = len(sizes)
        if budget_bytes > 0:
            total = 0
            for i, size in enumerate(sizes):
                total += size
                if total > budget_bytes:
                    self.n_held = i
                    break
        ends = torch.tensor([0, *sizes[: self.n_held]]).cumsum(0)
        self._ends = ends.share_memory_()
        self._bytes = torch.empty(max(1, int(ends[-1])), dtype=torch.uint8).share_memory_()
        for i in range(self.n_held):
            with open(self.paths[i], "rb") as file:
                content = bytearray(file.read())
            if content:
                self._slot(i).copy_(torch.frombuffer(content, dtype=torch.uint8))

    def __len__(self) -> int:
        """Number of files."""
        return len(self.paths)

    def __getitem__(self, index: int) -> bytes:
        """The content of one file."""
        if not 0 <= index < len(self.paths):
            raise IndexError(f"file {index} of {len(self.paths)}")
        if index >= self.n_held:
            with open(self.paths[index], "rb") as file:
                return file.read()
        return self._slot(index).numpy().tobytes()

    def _slot(self, index: int) -> torch.Tensor:
        return self._bytes[int(self._ends[index]) : int(self._ends[index + 1])]


class DecodedFiles(Dataset[Any]):
    """Files that are decoded when they are asked for, each right into its place in the batch.

    Args:
        files: Their contents by index: `EncodedFiles`, or any sequence of bytes.
        decode: Bytes to a sample: a tensor, an array, a number, or containers of these; all of one
            shape.
        gather: Give whole batches. Needs the DataLoader's own collate function (the default).

    Raises:
        UncacheableError: A sample has another form than the first of its batch.
    """

    def __init__(
        self, files: Sequence[bytes], decode: Callable[[bytes], Any], *, gather: bool = True
    ) -> None:
        self.files = files
        self.decode = decode
        self.gather = gather

    def __len__(self) -> int:
        """Number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        """One sample."""
        return self.decode(self.files[index])

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples of a batch: one `Gathered` batch when `gather` is set."""
        if not self.gather or not indices:
            return [self[index] for index in indices]
        sample = self[indices[0]]
        form = form_of(sample, str(indices[0]))
        batch = [room_for(len(indices), field.shape, field.dtype) for field in form.fields]
        for place, index in enumerate(indices):
            sample = self[index] if place else sample
            values = form.take_apart(sample, str(index))
            for rows, value in zip(batch, values, strict=True):
                rows[place] = value
        return [Gathered(form.put_together(batch, batched=True))]
