"""A preprocessed data set on disk: memory-mapped shards, made once, resumable, checked for age.

    store/
    ├── manifest.json          key, form, shards with sizes; written last, so it means "complete"
    ├── building.json          the same while it is being made: an interrupted build goes on here
    ├── 00000.0.npy            field 0 of the first shard, [n_sample, ...]
    └── 00000.1.npy            …

The key is a hash of the settings and of the code that makes the samples: a store made by other
code or with other settings is stale and says so.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from kuaibao.files import FileLock, atomic_path, hash_value, write_json
from kuaibao.loading.errors import (
    BadSampleError,
    StaleStoreError,
    StoreError,
    UncacheableError,
)
from kuaibao.loading.ram_cache import Gathered
from kuaibao.loading.samples import Field, SampleForm, form_of
from kuaibao.loading.slots import room_for

__all__ = ["Store", "build_store", "store_key"]

_VERSION = 1


def store_key(*parts: Any) -> str:
    """A hash over settings and code: functions and classes count by their source text.

    Args:
        parts: JSON values, functions, classes, or objects (counted by their class).
    """
    return hash_value([_VERSION, *[_described(part) for part in parts]])


def _described(part: Any) -> Any:
    if part is None or isinstance(part, bool | int | float | str):
        return part
    if isinstance(part, dict):
        return {str(key): _described(value) for key, value in sorted(part.items())}
    if isinstance(part, list | tuple):
        return [_described(value) for value in part]
    code = part if inspect.isclass(part) or inspect.isroutine(part) else type(part)
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', repr(code))}"


def build_store(
    dataset: Any,
    folder: str | os.PathLike[str],
    *,
    settings: dict[str, Any] | None = None,
    code: Sequence[Any] = (),
    shard_size: int = 512,
    on_error: str = "raise",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Read every sample of `dataset` once and keep it on disk; goes on where it was interrupted.

    Args:
        dataset: Map-style; its samples have one shape.
        folder: Where the store is made.
        settings: What the samples depend on (sizes, tokenizer name, …).
        code: Functions and classes that make the samples, besides the data set's own class.
        shard_size: Samples a shard.
        on_error: `raise`, or `skip` to leave out samples that can't be read; they are listed.
        progress: Told how many of how many samples are done, after each shard.

    Raises:
        BadSampleError: A sample can't be read and `on_error` is `raise`.
        StoreError: The disk is full, or `on_error` is unknown.
        UncacheableError: Samples differ in shape, or hold what has no fixed size.
        LockedError: Another process is building this store.
    """
    if on_error not in ("raise", "skip"):
        raise StoreError(f"on_error is {on_error!r}, but must be 'raise' or 'skip'")
    target = Path(folder)
    key = store_key(settings or {}, dataset, *code)
    with FileLock(target / ".lock"):
        if _read(target / "manifest.json").get("key") == key:
            return Store(target)
        state = _begun(target, key, shard_size, len(dataset))
        for start in range(len(state["shards"]) * shard_size, len(dataset), shard_size):
            indices = range(start, min(start + shard_size, len(dataset)))
            state["shards"].append(_shard(dataset, target, state, indices, on_error))
            write_json(target / "building.json", state)
            progress(indices[-1] + 1, len(dataset))
        write_json(target / "manifest.json", state)
        (target / "building.json").unlink(missing_ok=True)
    return Store(target)


def _begun(target: Path, key: str, shard_size: int, n_dataset: int) -> dict[str, Any]:
    """The interrupted build's state when it fits, else a new one."""
    (target / "manifest.json").unlink(missing_ok=True)
    state = _read(target / "building.json")
    wanted = {"key": key, "shard_size": shard_size, "n_dataset": n_dataset}
    if all(state.get(name) == value for name, value in wanted.items()):
        return state
    for path in target.glob("*.npy"):
        path.unlink()
    return {"version": _VERSION, **wanted, "form": None, "shards": [], "skipped": []}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} is damaged: {error}", hint="Delete it and build again."
        ) from error
    if not isinstance(value, dict):
        raise StoreError(f"{path} is damaged: it holds no object")
    return value


def _shard(
    dataset: Any, target: Path, state: dict[str, Any], indices: range, on_error: str
) -> dict[str, Any]:
    rows: list[list[torch.Tensor]] = []
    for index in indices:
        try:
            sample = dataset[index]
        except Exception as error:
            name = _name_of(dataset, index)
            if on_error == "raise":
                raise BadSampleError(
                    f"{name} could not be read: {type(error).__name__}: {error}",
                    hint="Mend it, or build with on_error='skip'.",
                ) from error
            state["skipped"].append({"index": index, "name": name, "error": str(error)})
            continue
        if state["form"] is None:
            state["form"] = _form_to_json(form_of(sample, str(index)))
        rows.append(_form_from_json(state["form"]).take_apart(sample, str(index)))
    number = len(state["shards"])
    if rows:
        for i, column in enumerate(zip(*rows, strict=True)):
            _write_field(target / f"{number:05d}.{i}.npy", torch.stack(list(column)).numpy())
    return {"n": len(rows)}


def _write_field(path: Path, array: Any) -> None:
    try:
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.save(file, array, allow_pickle=False)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"the disk is full: {array.nbytes} bytes for {path.name} do not fit",
                hint="Make room and start again: what is done is kept.",
            ) from error
        raise


def _name_of(dataset: Any, index: int) -> str:
    """The file behind a sample, where the data set keeps a list of them; else its number."""
    for value in vars(dataset).values() if hasattr(dataset, "__dict__") else ():
        if isinstance(value, list | tuple) and len(value) == len(dataset) and len(value) > index:
            entry = value[index]
            entry = entry[0] if isinstance(entry, tuple | list) and entry else entry
            if isinstance(entry, str | os.PathLike):
                return f"sample {index} ({os.fspath(entry)})"
    return f"sample {index}"


def _form_to_json(form: SampleForm) -> dict[str, Any]:
    fields = [
        {"path": f.path, "kind": f.kind, "dtype": str(f.dtype)[6:], "shape": list(f.shape)}
        for f in form.fields
    ]
    return {"tree": _tree_to_json(form.tree), "fields": fields}


def _tree_to_json(tree: Any) -> Any:
    if tree == "leaf":
        return "leaf"
    kind, children = tree
    if isinstance(kind, type):
        raise UncacheableError(
            f"samples are named tuples ({kind.__name__}), whose class a store can't keep",
            hint="Give plain tuples or dictionaries.",
        )
    if kind == "dict":
        for key, _ in children:
            if not isinstance(key, str):
                raise UncacheableError(f"a sample's key {key!r} is no string")
        return {"dict": [[key, _tree_to_json(child)] for key, child in children]}
    return {kind: [_tree_to_json(child) for child in children]}


def _form_from_json(value: dict[str, Any]) -> SampleForm:
    try:
        fields = tuple(
            Field(f["path"], f["kind"], getattr(torch, f["dtype"]), tuple(f["shape"]))
            for f in value["fields"]
        )
        return SampleForm(_tree_from_json(value["tree"]), fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"the store's form is damaged: {error!r}") from error


def _tree_from_json(value: Any) -> Any:
    if value == "leaf":
        return "leaf"
    ((kind, children),) = value.items()
    if kind == "dict":
        return ("dict", tuple((key, _tree_from_json(child)) for key, child in children))
    return (kind, tuple(_tree_from_json(child) for child in children))


class Store(Dataset[Any]):
    """A store that was built: a map-style data set over memory-mapped shards.

    Args:
        folder: Where it lies.
        key: The key it must have (`store_key` of settings and code); "" accepts any.
        gather: Give whole batches at once, as `RamCache` does.

    Raises:
        StoreError: It is not there, not complete, or a shard is missing or has another size.
        StaleStoreError: It has another key.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, key: str = "", gather: bool = True
    ) -> None:
        self.folder = Path(folder)
        manifest = _read(self.folder / "manifest.json")
        if not manifest:
            raise StoreError(f"{self.folder} holds no complete store", hint="Build it first.")
        if key and manifest.get("key") != key:
            raise StaleStoreError(
                f"{self.folder} was made by other code or with other settings",
                hint="Build it again; the same folder may be used.",
            )
        try:
            self.key = str(manifest["key"])
            self.skipped: list[dict[str, Any]] = manifest["skipped"]
            self._ends = np.cumsum([0, *[int(shard["n"]) for shard in manifest["shards"]]])
            form = manifest["form"]
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.folder / 'manifest.json'} is damaged: {error!r}",
                hint="Delete it and build again.",
            ) from error
        self.gather = gather
        self.form = _form_from_json(form) if form else None
        self._shards: list[list[Any]] | None = None
        self._open()

    def _open(self) -> list[list[Any]]:
        if self._shards is None:
            fields = self.form.fields if self.form else ()
            shards: list[list[Any]] = []
            for number in range(len(self._ends) - 1):
                n = int(self._ends[number + 1] - self._ends[number])
                shards.append([self._map(number, i, n) for i in range(len(fields))] if n else [])
            self._shards = shards
        return self._shards

    def _map(self, number: int, i: int, n: int) -> Any:
        path = self.folder / f"{number:05d}.{i}.npy"
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StoreError(f"shard {path.name} is missing or damaged: {error}") from error
        field = self.form.fields[i] if self.form else None
        if field is None or array.shape != (n, *field.shape):
            raise StoreError(f"shard {path.name} has shape {list(array.shape)}")
        return array

    def __getstate__(self) -> dict[str, Any]:
        """Workers map the shards by themselves; nothing is copied to them."""
        return {**self.__dict__, "_shards": None}

    def __len__(self) -> int:
        """Samples stored."""
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Any:
        """One sample, in the form in which the data set gave it; a copy."""
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self) or self.form is None:
            raise IndexError(f"sample {index} of {len(self)}")
        number = int(np.searchsorted(self._ends, index, side="right")) - 1
        row = index - int(self._ends[number])
        values = [_tensor(array[row]) for array in self._open()[number]]
        return self.form.put_together(values)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """A batch, gathered field by field from the mapped shards."""
        if not self.gather or self.form is None:
            return [self[int(index)] for index in indices]
        chosen = np.asarray(indices)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError(f"a batch reaches outside the {len(self)} samples")
        shards = self._open()
        numbers = np.searchsorted(self._ends, chosen, side="right") - 1
        places = numbers, chosen - self._ends[numbers]
        values: list[torch.Tensor] = []
        for i, field in enumerate(self.form.fields):
            out = room_for(len(chosen), field.shape, field.dtype)
            _gather_rows(out.numpy(), [shard[i] if shard else None for shard in shards], places)
            values.append(out)
        return [Gathered(self.form.put_together(values, batched=True))]


_LARGE_ROW_BYTES = 4096
"""From here on a copy for each row is cheaper than numpy's gather, which copies twice."""


def _gather_rows(out: Any, shards: list[Any], places: tuple[Any, Any]) -> None:
    """Copy rows of several arrays into `out`, whose place in it is their place in `places`.

    Args:
        out: `[row, ...]`, written.
        shards: Arrays `[row, ...]`; by number, empty ones included.
        places: The shard's number and the row in it, `[row]` each.
    """
    numbers, rows = places
    if out.nbytes >= _LARGE_ROW_BYTES * max(1, len(out)):
        for place, (number, row) in enumerate(zip(numbers.tolist(), rows.tolist(), strict=True)):
            out[place] = shards[number][row]
        return
    for number in np.unique(numbers):
        where = np.nonzero(numbers == number)[0]
        out[where] = shards[number][rows[where]]


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(array))
