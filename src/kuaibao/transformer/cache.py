"""Keys and values of what went before: fixed tensors, each sequence with its own length.

On the CPU they are float32, or int8 with a scale a position and head (`is_int8`): a quarter of the
memory that each step reads. A step of one token a sequence is then one call of machine code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kuaibao.transformer.config import TransformerConfig
from kuaibao.transformer.sharing import n_sharing
from kuaibao.transformer.step_kernels import attend_float32, attend_int8

__all__ = ["KeyValueCache", "LayerCache"]


class KeyValueCache:
    """Slots of `length` positions for every layer.

    Args:
        config: Of the model.
        n_slot: Sequences that are held at once.
        length: Positions of each.
        device: Where it lies.
        dtype: Of keys and values.
        is_int8: Whether they are rounded to int8, on the CPU only.
    """

    def __init__(
        self,
        config: TransformerConfig,
        n_slot: int,
        length: int,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        is_int8: bool = False,
    ) -> None:
        shape = (config.n_layer, n_slot, config.n_head, length, config.d_head)
        self.is_int8 = is_int8
        kind = torch.int8 if is_int8 else dtype
        self.keys = torch.zeros(shape, device=device, dtype=kind)
        """(layer, slot, head, position, d_head)"""
        self.values = torch.zeros(shape, device=device, dtype=kind)
        self.key_scales = torch.zeros(shape[:-1] if is_int8 else 0)
        """(layer, slot, head, position); empty where nothing is rounded."""
        self.value_scales = torch.zeros_like(self.key_scales)
        self.lengths = torch.zeros(n_slot, dtype=torch.long, device=device)
        is_cpu = self.keys.device.type == "cpu"
        self.attend: Any = None
        """Machine code for a step of one token a sequence; None where only torch will do."""
        if is_int8 or (is_cpu and dtype == torch.float32):
            self.attend = attend_int8 if is_int8 else attend_float32

    @property
    def n_slot(self) -> int:
        """Sequences that are held at once."""
        return self.keys.shape[1]

    @property
    def length(self) -> int:
        """Positions of each."""
        return self.keys.shape[3]

    @property
    def tensors(self) -> list[Tensor]:
        """Keys and values, and their scales where they are rounded."""
        scales = [self.key_scales, self.value_scales] if self.is_int8 else []
        return [self.keys, self.values, *scales]

    def reorder(self, order: Tensor) -> None:
        """Let slot i hold what slot order[i] held: beams that are taken over."""
        for tensor in self.tensors:
            for layer in tensor:  # one at a time: a copy of all would double the memory
                layer.copy_(layer[order])
        self.lengths = self.lengths[order]

    def copy(self, source: int, target: int, n: int) -> None:
        """Let a slot hold the first `n` positions of another."""
        for tensor in self.tensors:
            tensor[:, target, :, :n] = tensor[:, source, :, :n]
        self.lengths[target] = n

    def layer(
        self, index: int, slots: Tensor, places: Tensor, n_seen: int, *, is_even: bool = False
    ) -> LayerCache:
        """One layer's view for a step: `slots` (batch) get positions `places` (batch, new).

        `is_even`: all slots are written, in their order, and all at the same positions.
        """
        return LayerCache(self, index, slots, places, n_seen, is_even)


class LayerCache:
    """Where one layer writes its new keys and values, and what it then sees."""

    def __init__(
        self, cache: KeyValueCache, index: int, slots: Tensor, places: Tensor, n_seen: int,
        is_even: bool,
    ) -> None:  # fmt: skip
        self.cache, self.index = cache, index
        self.slots, self.places, self.n_seen, self.is_even = slots, places, n_seen, is_even

    @property
    def takes_steps(self) -> bool:
        """Whether `step` may be called: one new token a sequence, and machine code for it."""
        return self.cache.attend is not None and self.places.shape[1] == 1

    def step(self, qkv: Tensor, scale: float, window: int) -> Tensor:
        """Write one new token of each sequence and attend.

        Args:
            qkv: (batch, 1, 3 · n_embd).
            scale: Of the scores.
            window: Of latest positions that are seen; 0 for all.

        Returns:
            (batch, 1, n_embd).
        """
        cache, n_batch = self.cache, len(qkv)
        _, _, n_head, _, d_head = cache.keys.shape
        out = torch.empty((n_batch, 1, n_head * d_head))
        tensors = [t[self.index].numpy() for t in cache.tensors]
        cache.attend(
            qkv.contiguous().numpy().reshape(n_batch, 3, n_head, d_head), *tensors,
            self.slots.numpy(), self.places[:, 0].numpy(), np.float32(scale), window,
            out.numpy().reshape(n_batch, n_head, d_head), n_sharing(),
        )  # fmt: skip
        return out

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write (batch, head, new, d_head); gives all up to the longest sequence."""
        cache, i = self.cache, self.index
        if not cache.is_int8:
            return self._put(cache.keys[i], k), self._put(cache.values[i], v)
        return (
            self._rounded(cache.keys[i], cache.key_scales[i], k),
            self._rounded(cache.values[i], cache.value_scales[i], v),
        )

    def _rounded(self, target: Tensor, scales: Tensor, x: Tensor) -> Tensor:
        """Keep int8, give floats; what is new is given as it came."""
        scale = x.abs().amax(-1).clamp_min(1e-30) / 127
        kept = self._put(target, (x / scale[..., None]).round().to(torch.int8))
        kept_scales = self._put(scales[..., None], scale[..., None])
        if self.n_seen == x.shape[2]:
            return x
        return kept.float() * kept_scales

    def _put(self, target: Tensor, x: Tensor) -> Tensor:
        if self.is_even:
            start = self.n_seen - x.shape[2]
            target[:, :, start : self.n_seen] = x
            return target[:, :, : self.n_seen]
        rows = self.slots[:, None].expand_as(self.places)
        # Indexing parts the head axis off: the written block is (batch, new, head, d_head).
        target[rows, :, self.places] = x.transpose(1, 2)
        if len(self.slots) == target.shape[0]:
            return target[:, :, : self.n_seen]
        return target[self.slots, :, : self.n_seen]
