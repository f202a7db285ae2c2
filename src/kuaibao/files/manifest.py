"""Hashes that say whether a thing is still what it was."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

__all__ = ["hash_file", "hash_value"]


def hash_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; the file is streamed."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_value(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form (sorted keys, no blanks, UTF-8).

    Raises:
        TypeError: `value` holds something that JSON has no form for.
    """
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
