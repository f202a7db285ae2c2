"""Keys and values of what went before: fixed tensors, each sequence with its own length."""

from __future__ import annotations

import torch
from torch import Tensor

from kuaibao.transformer.config import TransformerConfig

__all__ = ["KeyValueCache", "LayerCache"]


class KeyValueCache:
    """Slots of `length` positions for every layer.

    Args:
        config: Of the model.
        n_slot: Sequences that are held at once.
        length: Positions of each.
        device: Where it lies.
        dtype: Of keys and values.
    """

    def __init__(
        self,
        config: TransformerConfig,
        n_slot: int,
        length: int,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (n_slot, config.n_head, length, config.d_head)
        self.keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(config.n_layer)]
        self.values = [
            torch.zeros(shape, device=device, dtype=dtype) for _ in range(config.n_layer)
        ]
        self.lengths = torch.zeros(n_slot, dtype=torch.long, device=device)

    @property
    def n_slot(self) -> int:
        """Sequences that are held at once."""
        return self.keys[0].shape[0]

    def reorder(self, order: Tensor) -> None:
        """Let slot i hold what slot order[i] held: beams that are taken over."""
        for tensors in (self.keys, self.values):
            for i, tensor in enumerate(tensors):
                tensors[i] = tensor[order]
        self.lengths = self.lengths[order]

    def layer(
        self, index: int, slots: Tensor, places: Tensor, n_seen: int, *, is_even: bool = False
    ) -> LayerCache:
        """One layer's view for a step: `slots` (batch) get positions `places` (batch, new).

        `is_even`: all slots are written, in their order, and all at the same positions.
        """
        return LayerCache(self.keys[index], self.values[index], slots, places, n_seen, is_even)


class LayerCache:
    """Where one layer writes its new keys and values, and what it then sees."""

    def __init__(
        self, keys: Tensor, values: Tensor, slots: Tensor, places: Tensor, n_seen: int,
        is_even: bool,
    ) -> None:  # fmt: skip
        self.keys, self.values, self.slots, self.places = keys, values, slots, places
        self.n_seen, self.is_even = n_seen, is_even

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write (batch, head, new, d_head); gives all up to the longest sequence."""
        if self.is_even:
            start = self.n_seen - k.shape[2]
            self.keys[:, :, start : self.n_seen] = k
            self.values[:, :, start : self.n_seen] = v
            return self.keys[:, :, : self.n_seen], self.values[:, :, : self.n_seen]
        rows = self.slots[:, None].expand_as(self.places)
        # Indexing parts the head axis off: the written block is (batch, new, head, d_head).
        self.keys[rows, :, self.places] = k.transpose(1, 2)
        self.values[rows, :, self.places] = v.transpose(1, 2)
        if len(self.slots) == self.keys.shape[0]:
            return self.keys[:, :, : self.n_seen], self.values[:, :, : self.n_seen]
        return self.keys[self.slots, :, : self.n_seen], self.values[self.slots, :, : self.n_seen]
