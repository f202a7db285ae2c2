"""The threads that numba's machine code shares with torch's operations.

Both use OpenMP. When numba's pool starts, it sets for the whole process the number of threads, and
lets parallel regions nest; then every small product within torch's attention opens a region of its
own, which made a float32 step on two threads five times as slow. So the pool starts here, at once,
and both settings are put back. Whoever compiles with `parallel=True` imports this first.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numba
import torch

__all__ = ["CAN_SHARE", "n_sharing"]

_numba_config: Any = numba.config


def _start_pool() -> bool:
    try:
        pool = importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:  # no libgomp on this system
        return False
    _numba_config.THREADING_LAYER = "omp"
    # torch brings an OpenMP library of its own, in the global scope; numba's pool may see either.
    seen = [ctypes.CDLL(None), ctypes.CDLL(str(pool.__file__))]
    runtimes = [(r, r.omp_get_nested()) for r in seen if hasattr(r, "omp_set_nested")]
    n_thread = torch.get_num_threads()
    numba.get_num_threads()
    for runtime, is_nested in runtimes:
        runtime.omp_set_nested(is_nested)
    torch.set_num_threads(n_thread)
    return True


CAN_SHARE = _start_pool()
"""Whether threads can share a product; numba's other pool is slow to begin and no good for servers
with threads of their own."""


def n_sharing() -> int:
    """Threads that share the products of this thread: as many as torch's operations use."""
    if not CAN_SHARE:
        return 1
    n = min(torch.get_num_threads(), _numba_config.NUMBA_NUM_THREADS)
    numba.set_num_threads(n)
    return n
