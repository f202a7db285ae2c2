"""How much memory a DataLoader holds, before it runs; and whether a data set fits in RAM.

The law is `(workers x prefetch + 1) x batch bytes` (without workers: one batch), queued shared
memory included. No process's RSS or PSS shows the queued part, so `htop` can't either. The common
rule "workers x batch" is low by two at the default prefetch of 2.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from kuaibao.errors import InputError

__all__ = [
    "DTYPE_BYTES",
    "DatasetFit",
    "LoaderForecast",
    "batch_bytes_of",
    "fit",
    "forecast",
    "most_workers",
    "narrowed",
    "parse_bytes",
    "parse_shapes",
]

DTYPE_BYTES = {
    **dict.fromkeys(("bool", "uint8", "int8"), 1),
    **dict.fromkeys(("uint16", "int16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("uint32", "int32", "float32"), 4),
    **dict.fromkeys(("uint64", "int64", "float64", "complex64"), 8),
    "complex128": 16,
}
PROCESS_BYTES = 130_000_000
"""Private memory of one worker process with torch loaded: 84 to 183 MB were measured."""


@dataclass(frozen=True)
class LoaderForecast:
    """Memory that a loader will hold."""

    batch_bytes: int
    n_workers: int
    prefetch_factor: int
    n_batches_held: int
    queued_bytes: int
    """Batches held at once: the law."""
    common_rule_bytes: int
    """Workers x batch, as articles have it."""
    worker_bytes: int
    """Private memory of the worker processes themselves, estimated."""

    @property
    def total_bytes(self) -> int:
        """Batches and processes."""
        return self.queued_bytes + self.worker_bytes

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "total_bytes": self.total_bytes}


def forecast(batch_bytes: int, n_workers: int, prefetch_factor: int = 2) -> LoaderForecast:
    """What a loader will hold; `n_workers` 0 holds one batch.

    Raises:
        ValueError: A number is negative, or a worker prefetches nothing.
    """
    if batch_bytes < 0 or n_workers < 0 or prefetch_factor < 1:
        raise ValueError(
            f"batch bytes {batch_bytes}, workers {n_workers} and prefetch {prefetch_factor} "
            "must be at least 0, 0 and 1"
        )
    held = n_workers * prefetch_factor + 1
    return LoaderForecast(
        batch_bytes=batch_bytes,
        n_workers=n_workers,
        prefetch_factor=prefetch_factor,
        n_batches_held=held,
        queued_bytes=held * batch_bytes,
        common_rule_bytes=max(1, n_workers) * batch_bytes,
        worker_bytes=n_workers * PROCESS_BYTES,
    )


def batch_bytes_of(shapes: list[tuple[tuple[int, ...], str]], batch_size: int) -> int:
    """Bytes of a batch of samples with these fields, each `(shape, dtype)`.

    Raises:
        ValueError: An unknown dtype.
    """
    total = 0
    for shape, dtype in shapes:
        if dtype not in DTYPE_BYTES:
            raise ValueError(f"unknown dtype {dtype!r}; known: {', '.join(sorted(DTYPE_BYTES))}")
        n = batch_size
        for length in shape:
            n *= length
        total += n * DTYPE_BYTES[dtype]
    return total


def narrowed(fields: list[tuple[tuple[int, ...], str]]) -> list[tuple[tuple[int, ...], str]]:
    """The fields as pictures and masks can be kept until the device: 8 bits a value."""
    return [(shape, "uint8") for shape, _ in fields]


def most_workers(batch_bytes: int, prefetch_factor: int, budget_bytes: int) -> int:
    """The most workers whose forecast stays within a budget."""
    n = 0
    while n < 1024 and forecast(batch_bytes, n + 1, prefetch_factor).total_bytes <= budget_bytes:
        n += 1
    return n


_SHAPE = re.compile(r"^(\d+(?:x\d+)*):(\w+)$")
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kMGT]?)B?$", re.I)


def parse_shapes(texts: list[str]) -> list[tuple[tuple[int, ...], str]]:
    """Read fields such as `512x512x3:float32`.

    Raises:
        InputError: A text has another form, or names an unknown type.
    """
    fields: list[tuple[tuple[int, ...], str]] = []
    for text in texts:
        found = _SHAPE.match(text)
        if found is None or found.group(2) not in DTYPE_BYTES:
            raise InputError(
                f"the field {text!r} can't be read",
                hint=f"Write e.g. 512x512x3:float32; types: {', '.join(sorted(DTYPE_BYTES))}.",
            )
        fields.append((tuple(int(n) for n in found.group(1).split("x")), found.group(2)))
    return fields


def parse_bytes(text: str) -> int:
    """Read a size such as `16G` or `500M` (powers of ten); 0 for an empty text.

    Raises:
        InputError: It has another form.
    """
    if not text:
        return 0
    found = _SIZE.match(text.strip())
    if found is None:
        raise InputError(f"the size {text!r} can't be read", hint="Write e.g. 16G or 500M.")
    factor = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[found.group(2).upper()]
    return int(float(found.group(1)) * factor)


@dataclass(frozen=True)
class DatasetFit:
    """Whether a data set fits in memory, as files and as decoded samples."""

    n_samples: int
    encoded_bytes: int
    decoded_bytes: int
    budget_bytes: int
    encoded_fraction: float
    """Share of the encoded data set that the budget holds."""
    decoded_fraction: float

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def fit(n_samples: int, encoded: float, decoded: float, budget_bytes: int) -> DatasetFit:
    """What of a data set fits in a budget; `encoded` and `decoded` are bytes a sample."""
    encoded_bytes, decoded_bytes = int(n_samples * encoded), int(n_samples * decoded)
    return DatasetFit(
        n_samples=n_samples,
        encoded_bytes=encoded_bytes,
        decoded_bytes=decoded_bytes,
        budget_bytes=budget_bytes,
        encoded_fraction=min(1.0, budget_bytes / encoded_bytes) if encoded_bytes else 1.0,
        decoded_fraction=min(1.0, budget_bytes / decoded_bytes) if decoded_bytes else 1.0,
    )
