"""A lock between processes, released by the system when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from kuaibao.errors import KuaibaoError

__all__ = ["FileLock", "LockedError"]


class LockedError(KuaibaoError):
    """Another process holds the lock."""

    exit_code = 4


class FileLock:
    """An advisory lock on a file; use it as a context manager.

    Args:
        path: The lock file; made if need be and left in place.
        timeout_s: How long to wait for another holder before `LockedError`.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout_s: float = 0.0) -> None:
        self.path = Path(path)
        self.timeout_s = timeout_s
        self._handle: int | None = None

    def __enter__(self) -> FileLock:
        """Take the lock or raise `LockedError`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + self.timeout_s
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                os.close(handle)
                raise LockedError(
                    f"{self.path} is in use by another process",
                    hint="Wait for it to finish, or stop it.",
                )
            time.sleep(0.05)
        self._handle = handle
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
