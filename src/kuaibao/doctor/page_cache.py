"""The page cache of a few named files: how much of them is resident, and how to evict them.

Only the files given are touched, no root is needed, and neighbours on the machine notice nothing
(`echo 3 > drop_caches` would empty everybody's cache).
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable

__all__ = ["evict", "resident_fraction"]

_PAGE = mmap.PAGESIZE


def evict(paths: Iterable[str]) -> int:
    """Drop the clean pages of `paths` from the page cache; gives how many files were treated.

    A file that is gone or may not be read is passed over: a data set may change while it is read.
    """
    n_evicted = 0
    for path in paths:
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError:
            continue
        try:
            os.fdatasync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            n_evicted += 1
        except OSError:
            pass
        finally:
            os.close(handle)
    return n_evicted


def resident_fraction(paths: Iterable[str]) -> float:
    """Share of the bytes of `paths` that lie in the page cache, between 0 and 1 (`mincore`)."""
    n_resident = n_pages = 0
    for path in paths:
        try:
            resident, pages = _resident_pages(path)
        except OSError:
            continue
        n_resident += resident
        n_pages += pages
    return n_resident / n_pages if n_pages else 0.0


def _resident_pages(path: str) -> tuple[int, int]:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            return 0, 0
        n_pages = -(-size // _PAGE)
        with mmap.mmap(file.fileno(), size, mmap.MAP_SHARED, mmap.PROT_READ) as view:
            # A read-only map refuses from_buffer, so its address is asked of libc itself.
            vector = (ctypes.c_ubyte * n_pages)()
            status = _mincore(_address(view), size, vector)
    if status != 0:
        return 0, n_pages
    return sum(page & 1 for page in vector), n_pages


def _address(view: mmap.mmap) -> int:
    import numpy as np

    return int(np.frombuffer(view, dtype=np.uint8).ctypes.data)


def _mincore(address: int, size: int, vector: ctypes.Array[ctypes.c_ubyte]) -> int:
    call = ctypes.CDLL(None, use_errno=True).mincore
    call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return int(call(address, size, vector))
