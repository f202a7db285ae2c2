"""Reading the files that a configuration names: bounded, and never outside what it names."""

from __future__ import annotations

from pathlib import Path

from kuaibao.errors import InputError

__all__ = ["MAX_FILE_BYTES", "read_bytes"]

MAX_FILE_BYTES = 64 * 1024 * 1024


def read_bytes(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """At most `max_bytes` of a regular file.

    Raises:
        InputError: It is not there, is no regular file, or cannot be read.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        with path.open("rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
