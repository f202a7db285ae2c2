"""Memory for batches that is used again: slots, shared with the loop where a worker fills them.

A batch in fresh memory costs more than its copying: there is a page fault for each of its pages.
In shared memory the worker faults on each page that it writes, and the loop, once it has mapped the
piece, on each that it reads. A slot is mapped once on both sides, and filled again when the loop
has let go of the batch that lay in it. Without workers a loop has slots of its own.

Whether a worker's slot is free stands in a byte of shared memory. Its worker alone takes it; the
loop's process alone frees it, when the last tensor over its memory is gone, views and all. So a
batch that is kept is never overwritten: a worker without a free slot sends in fresh memory.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import torch
from torch.multiprocessing.reductions import reduce_tensor
from torch.utils.data import get_worker_info

__all__ = ["room_for"]

_LEAST_BYTES = 1 << 16
"""Below this a slot saves nothing worth its place."""
_LEAST_BYTES_HERE = 1 << 20
"""Smaller blocks do not go back to the system between two batches."""
_MOST_BYTES = 1 << 28
"""Of all slots of one process."""
_MOST_SLOTS = 64
_FREE, _TAKEN = 0, 1
_DTYPES = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.float32, torch.float64),
)
"""Those that NumPy knows too."""


def room_for(n_sample: int, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """An empty batch `[n_sample, *shape]`: in a worker in shared memory, where it is sent from.

    Made anywhere else it would be copied once more on its way, as torch's own collate knows.
    """
    whole = (n_sample, *shape)
    n_bytes = math.prod(whole) * dtype.itemsize
    if get_worker_info() is None or not n_bytes:
        if n_bytes >= _LEAST_BYTES_HERE and dtype in _DTYPES:
            return _taken_here(n_bytes).view(dtype).view(whole)
        return torch.empty(whole, dtype=dtype)
    slot = _slots().take(n_bytes) if n_bytes >= _LEAST_BYTES and dtype in _DTYPES else None
    if slot is None:
        return _shared(n_bytes).view(dtype).view(whole)
    return slot.tensor(n_bytes, whole, dtype)


def _shared(n_bytes: int) -> torch.Tensor:
    storage: Any = torch.UntypedStorage._new_shared(n_bytes)
    return torch.empty(0, dtype=torch.uint8).set_(storage)


class _Held(np.ndarray[Any, Any]):
    """An array that torch holds until the last tensor over its memory is gone."""


def _over(memory: Any, released: Callable[[], None]) -> torch.Tensor:
    """A tensor over an array's memory; `released` is called when nothing uses it any more."""
    held, owner = memory.view(_Held), os.getpid()

    def let_go() -> None:
        if os.getpid() == owner:  # a forked child lets go of its own copy only
            released()

    weakref.finalize(held, let_go).atexit = False
    return torch.from_numpy(held)


# Without workers

_free_here: dict[int, Any] = {}
"""Blocks of this process that no batch lies in, by their identity."""


def _taken_here(n_bytes: int) -> torch.Tensor:
    """A block of this process; it is free again when nothing uses it any more."""
    fits = [key for key, block in list(_free_here.items()) if n_bytes <= len(block) < 2 * n_bytes]
    block = _free_here.pop(fits[0], None) if fits else None
    if block is None:
        block = np.empty(n_bytes, np.uint8)

    def free() -> None:
        _free_here[id(block)] = block
        while sum(map(len, list(_free_here.values()))) > _MOST_BYTES:
            _free_here.pop(next(iter(_free_here)), None)

    return _over(block[:n_bytes], free)


# In the worker


class _InSlot(torch.Tensor):
    """A tensor over a slot; what is computed from it is a plain tensor."""

    number: int
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def __deepcopy__(self, memo: Any) -> torch.Tensor:
        """A plain tensor."""
        return self.as_subclass(torch.Tensor).clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A plain tensor's; only a worker's queue knows of slots."""
        return self.as_subclass(torch.Tensor).__reduce_ex__(protocol)


@dataclass
class _Slot:
    """One piece of shared memory of this worker."""

    number: int
    memory: torch.Tensor
    """Its bytes."""
    is_used_here: bool = False
    is_known: bool = False
    """It was sent before: the loop's process has it mapped."""

    def tensor(self, n_bytes: int, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A batch over its memory."""
        self.is_used_here = True
        plain = _over(self.memory.numpy()[:n_bytes], self._let_go)
        tensor = plain.view(dtype).view(shape).as_subclass(_InSlot)
        tensor.number = self.number
        return tensor

    def _let_go(self) -> None:
        self.is_used_here = False


@dataclass
class _Slots:
    """All slots of this worker."""

    pid: int = field(default_factory=os.getpid)
    states: torch.Tensor = field(default_factory=lambda: _shared(_MOST_SLOTS).fill_(_FREE))
    slots: list[_Slot] = field(default_factory=list)

    def take(self, n_bytes: int) -> _Slot | None:
        """A free slot, which is taken now; None when there is no room for one more."""
        for slot, state in zip(self.slots, self.states.tolist(), strict=False):
            fits = n_bytes <= slot.memory.numel() < 2 * n_bytes
            if fits and state == _FREE and not slot.is_used_here:
                self.states[slot.number] = _TAKEN
                return slot
        held = sum(slot.memory.numel() for slot in self.slots)
        if len(self.slots) >= _MOST_SLOTS or held + n_bytes > _MOST_BYTES:
            return None
        slot = _Slot(len(self.slots), _shared(n_bytes))
        self.slots.append(slot)
        self.states[slot.number] = _TAKEN
        return slot

    def holds(self, tensor: torch.Tensor) -> _Slot | None:
        """The slot in which a tensor lies as it was made; None for a copy of it."""
        number = getattr(tensor, "number", -1)
        slot = self.slots[number] if 0 <= number < len(self.slots) else None
        if slot is None or not tensor.is_contiguous():
            return None
        return slot if tensor.data_ptr() == slot.memory.data_ptr() else None


_own: list[_Slots] = []


def _slots() -> _Slots:
    if not _own or _own[0].pid != os.getpid():
        _own[:] = [_Slots()]
    return _own[0]


def _reduced(tensor: _InSlot) -> Any:
    """How a tensor in a slot is pickled: by its slot's number, once that has been sent."""
    own = _slots()
    slot = own.holds(tensor)
    if slot is None or get_worker_info() is None:
        return reduce_tensor(tensor.as_subclass(torch.Tensor))
    mapping = None if slot.is_known else (slot.memory, own.states)
    slot.is_known = True
    form = tensor.numel() * tensor.element_size(), tuple(tensor.shape), tensor.dtype
    return _received, (own.pid, slot.number, *form, mapping)


ForkingPickler.register(_InSlot, _reduced)

# In the loop's process

_known: dict[tuple[int, int], tuple[Any, Any]] = {}
"""Worker's process id and slot to its bytes and the states of that worker's slots."""


def _received(
    pid: int, number: int, n_bytes: int, shape: tuple[int, ...], dtype: torch.dtype,
    mapping: tuple[torch.Tensor, torch.Tensor] | None,
) -> torch.Tensor:  # fmt: skip
    """The batch that lies in a worker's slot."""
    if mapping is not None:
        if number == 0:
            _forget_the_dead()
        _known[pid, number] = mapping[0].numpy(), mapping[1].numpy()
    memory, states = _known[pid, number]

    def free() -> None:
        states[number] = _FREE
        if not _is_alive(pid):
            _forget_the_dead()

    return _over(memory[:n_bytes], free).view(dtype).view(shape)


def _forget_the_dead() -> None:
    """Slots of workers that have ended; batches that still lie in them keep their memory."""
    for key in [key for key in _known if not _is_alive(key[0])]:
        del _known[key]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
