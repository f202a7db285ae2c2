"""The kernel as machine code: built once by numba, kept as an object file, loaded by LLVM alone.

Importing numba and letting it read its own cache costs more than laying out a small diagram.
The kernel needs nothing of numba at run time, so the finished code is stored under the user's
cache folder, named after everything that it depends on, and handed straight to LLVM's loader.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numpy as np
from llvmlite import binding as llvm

from kuaibao.diagrams.caching import cache_folder
from kuaibao.files import write_bytes

__all__ = ["load_kernel", "object_path"]

Array = np.ndarray[Any, Any]
_SOURCES = ("kernel.py", "descent.py", "instructions.py", "slots.py", "../opcodes.py")
_N_POINTERS = 16
_keep_alive: list[Any] = []


def object_path() -> Path:
    """Where this machine's code is kept; another processor or version has another name."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((here / name).read_bytes())
    digest.update(llvmlite.__version__.encode())
    digest.update(f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}".encode())
    return cache_folder("kernels") / f"layout-{digest.hexdigest()[:24]}.o"


def _target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )


def _build(machine: Any) -> bytes:
    """Compile the kernel; its function is renamed to `advance`."""
    from kuaibao.diagrams.layout import kernel

    advance: Any = kernel.advance
    result = advance.overloads[advance.signatures[0]]
    text = result.library.get_llvm_str()
    text = text.replace(f"@{result.fndesc.llvm_func_name}(", "@advance(")
    module = llvm.parse_assembly(text)
    return machine.emit_object(module)


def _read_or_build(machine: Any) -> bytes:
    path = object_path()
    try:
        return path.read_bytes()
    except OSError:
        code = _build(machine)
    with suppress(OSError):  # with a read-only home each process builds the code anew
        write_bytes(path, code)
    return code


@cache
def load_kernel() -> Callable[..., int]:
    """`advance` of `kernel.py` as a function of its 16 numpy arrays.

    Returns:
        A function that checks nothing: the arrays must be contiguous and of the right types.
    """
    machine = _target_machine()
    code = _read_or_build(machine)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address("advance")
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * (_N_POINTERS + 2))
    native = prototype(address)
    _keep_alive.extend((engine, native))

    def advance(*arrays: Array) -> int:
        # numba's calling convention: where to put the result, where to put an exception
        result, exception = ctypes.c_int64(), ctypes.c_void_p()
        native(
            ctypes.addressof(result),
            ctypes.addressof(exception),
            *[array.ctypes.data for array in arrays],
        )
        return result.value

    return advance
