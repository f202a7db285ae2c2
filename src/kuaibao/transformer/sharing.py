"""The threads that numba's machine code shares with torch's operations.

Both use OpenMP. When numba's pool starts, it sets for the whole process the number of threads, and
lets parallel regions nest; then every small product within torch's attention opens a region of its
own, which made a float32 step on two threads five times as slow. So the pool starts here, at once,
and both settings are put back. Whoever compiles with `parallel=True` does it by `shared`.

A process that is forked from this one has the pool but none of its threads, and would be ended at
its first shared loop. It gets the same code without threads.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import types
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numba
import torch

__all__ = ["CAN_SHARE", "SharedKernel", "has_threads", "n_sharing", "shared"]

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
_OWNER = os.getpid()


def has_threads() -> bool:
    """Whether shared loops have threads here: not without a pool, and not in a forked process."""
    return CAN_SHARE and os.getpid() == _OWNER


def n_sharing() -> int:
    """Threads that share the products of this thread: as many as torch's operations use."""
    if not has_threads():
        return 1
    n = min(torch.get_num_threads(), _numba_config.NUMBA_NUM_THREADS)
    numba.set_num_threads(n)
    return n


class SharedKernel:
    """Machine code of a function with `prange` loops: with threads, and without.

    Kernels that it calls are taken of the same kind.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        """As the function; with threads where this process has them."""
        return (self.together if has_threads() else self.alone)(*arguments)

    @cached_property
    def together(self) -> Any:
        """With numba's threads."""
        return numba.njit(parallel=True, **self.options)(self._of_kind("together"))

    @cached_property
    def alone(self) -> Any:
        """On the calling thread."""
        return numba.njit(**self.options)(self._of_kind("alone"))

    def _of_kind(self, kind: str) -> Callable[..., Any]:
        function = self.function
        names = {
            name: getattr(value, kind) if isinstance(value, SharedKernel) else value
            for name, value in function.__globals__.items()
            if name in function.__code__.co_names or name.startswith("__")
        }
        copy = types.FunctionType(function.__code__, names, function.__name__)
        # Under a name of its own: numba keeps what it compiled by the name alone.
        copy.__qualname__ = f"{function.__qualname__}_{kind}"
        return copy


def shared(**options: Any) -> Callable[[Callable[..., Any]], SharedKernel]:
    """Compile like `numba.njit`, with threads for `prange` where this process has them."""
    return lambda function: SharedKernel(function, options)
