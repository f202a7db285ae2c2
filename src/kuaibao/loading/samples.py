"""The shape of a sample: taking it apart into fields of fixed shape, and putting it together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kuaibao.loading.errors import UncacheableError

__all__ = ["Field", "SampleForm", "form_of"]

_SCALARS: dict[type, torch.dtype] = {
    bool: torch.bool,
    int: torch.int64,
    float: torch.float64,
}


@dataclass(frozen=True)
class Field:
    """One leaf of a sample."""

    path: str
    """Where it stands, e.g. `[0]` or `['mask']`."""
    kind: str
    """`tensor`, `array`, or the name of a Python scalar type."""
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of one sample's value."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True)
class SampleForm:
    """The nested containers of a sample, with its fields in order."""

    tree: Any
    fields: tuple[Field, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of one sample."""
        return sum(field.n_bytes for field in self.fields)

    def take_apart(self, sample: Any, name: str = "") -> list[torch.Tensor]:
        """The fields' values, in order.

        Raises:
            UncacheableError: The sample has another form than the first one.
        """
        form = form_of(sample, name)
        for mine, its in zip(self.fields, form.fields, strict=False):
            if (mine.dtype, mine.shape) != (its.dtype, its.shape):
                raise UncacheableError(
                    f"sample {name} has {its.dtype} {list(its.shape)} at {its.path or 'its root'}, "
                    f"the first sample {mine.dtype} {list(mine.shape)}",
                    hint="Only samples of one shape can be stored; resize or pad them first.",
                )
        if form.tree != self.tree:
            raise UncacheableError(f"sample {name} is nested otherwise than the first sample")
        values: list[torch.Tensor] = []
        _collect(sample, values)
        return values

    def put_together(self, values: list[torch.Tensor], *, batched: bool = False) -> Any:
        """A sample of the original form; with `batched`, what the default collate makes of many."""
        parts = iter(zip(self.fields, values, strict=True))
        return _rebuild(self.tree, parts, batched)


def form_of(sample: Any, name: str = "") -> SampleForm:
    """The form of a sample.

    Raises:
        UncacheableError: A leaf is neither tensor, array, number nor a container of those.
    """
    fields: list[Field] = []
    return SampleForm(_walk(sample, "", fields, name), tuple(fields))


def _walk(value: Any, path: str, fields: list[Field], name: str) -> Any:
    if isinstance(value, dict):
        return (
            "dict",
            tuple((key, _walk(v, f"{path}[{key!r}]", fields, name)) for key, v in value.items()),
        )
    if isinstance(value, list | tuple):
        kind: Any = "tuple" if isinstance(value, tuple) else "list"
        if hasattr(value, "_fields"):
            kind = type(value)  # a named tuple: its class is its form
        return (kind, tuple(_walk(v, f"{path}[{i}]", fields, name) for i, v in enumerate(value)))
    fields.append(_field(value, path, name))
    return "leaf"


def _field(value: Any, path: str, name: str) -> Field:
    if isinstance(value, torch.Tensor):
        return Field(path, "tensor", value.dtype, tuple(value.shape))
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        tensor = torch.from_numpy(np.asarray(value).reshape(-1)[:0].copy())
        return Field(path, "array", tensor.dtype, tuple(np.shape(value)))
    if type(value) in _SCALARS:
        return Field(path, type(value).__name__, _SCALARS[type(value)], ())
    raise UncacheableError(
        f"sample {name} holds a {type(value).__name__} at {path or 'its root'}, "
        "which has no fixed size",
        hint="Give tensors, arrays or numbers; keep strings outside of the cached data set.",
    )


def _collect(value: Any, values: list[torch.Tensor]) -> None:
    if isinstance(value, dict):
        for part in value.values():
            _collect(part, values)
    elif isinstance(value, list | tuple):
        for part in value:
            _collect(part, values)
    elif isinstance(value, torch.Tensor):
        values.append(value.detach())
    elif isinstance(value, np.ndarray | np.generic):
        values.append(torch.from_numpy(np.ascontiguousarray(value)).reshape(np.shape(value)))
    else:
        values.append(torch.tensor(value, dtype=_SCALARS[type(value)]))


def _rebuild(tree: Any, parts: Any, batched: bool) -> Any:
    if tree == "leaf":
        field, value = next(parts)
        if batched:
            return value
        if field.kind == "tensor":
            return value.clone()
        if field.kind == "array":
            array: Any = value.numpy()
            return array.copy() if field.shape else array[()]
        return value.item()
    kind, children = tree
    if kind == "dict":
        return {key: _rebuild(child, parts, batched) for key, child in children}
    values = [_rebuild(child, parts, batched) for child in children]
    if isinstance(kind, type):
        return kind(*values)
    return tuple(values) if kind == "tuple" and not batched else values
