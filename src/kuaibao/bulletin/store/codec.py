"""Values as JSON text and back, the same bytes for the same value."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from kuaibao.bulletin.model import Draft, Entry, Figure, Issue
from kuaibao.files import hash_value

__all__ = ["decode", "encode", "entry_hash", "hash_issue", "reference", "storable"]

_T = TypeVar("_T")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def encode(value: Entry | Draft | Issue | tuple[Figure, ...]) -> str:
    """Compact JSON."""
    kind: Any = tuple[Figure, ...] if isinstance(value, tuple) else type(value)
    return _adapter(kind).dump_json(value).decode("utf-8")


def decode(kind: type[_T], text: str) -> _T:
    """The value again."""
    return _adapter(kind).validate_json(text)


def storable(value: _T) -> _T:
    """The same value without what no database can hold: NUL and half surrogate pairs."""
    if isinstance(value, str):
        clean = _UNSTORABLE.sub("\ufffd", value) if _UNSTORABLE.search(value) else value
        return clean  # pyright: ignore[reportReturnType]
    if isinstance(value, tuple):
        return tuple(storable(part) for part in value)  # pyright: ignore[reportReturnType]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        changed = {k: c for k, p in parts.items() if (c := storable(p)) is not p}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def reference(entry: Entry) -> str:
    """The entry's name everywhere: SHA-256 of its source and its id there."""
    return hash_value([entry.source_id, entry.entry_id])


def entry_hash(entry: Entry) -> str:
    """Tells a changed entry from one that only came again."""
    same = dataclasses.replace(entry, retrieved=None)
    return hash_value(_adapter(Entry).dump_python(same, mode="json"))


def hash_issue(issue: Issue) -> str:
    """SHA-256 of an issue's content in canonical JSON.

    The moment of retrieval is left out: the same issue made tomorrow from the same entries is
    the same issue.
    """
    value = json.loads(encode(dataclasses.replace(issue, content_hash="")))
    if value["cover"] is None:  # issues from before there were covers keep their hash
        del value["cover"]
    return hash_value(_without_retrieval(value))


def _without_retrieval(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_retrieval(v) for k, v in value.items() if k != "retrieved"}
    return [_without_retrieval(v) for v in value] if isinstance(value, list) else value
