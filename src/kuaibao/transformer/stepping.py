"""A model with a cache, step by step: what generation and servers drive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kuaibao.transformer.cache import KeyValueCache
from kuaibao.transformer.errors import GenerationError

__all__ = ["Stepper"]


class Stepper:
    """Slots that hold sequences; each grows by a prompt or by a token at a time.

    What a slot gives never depends on what the others hold.

    Args:
        model: `Decoder` or `EncoderDecoder`, in evaluation mode.
        n_slot: Sequences at once.
        length: Positions of each, prompt included.

    Raises:
        GenerationError: More positions than a model with learned ones has.
    """

    def __init__(self, model: Any, n_slot: int, length: int) -> None:
        config = model.config
        if config.position == "learned" and length > config.n_positions:
            raise GenerationError(f"{length} positions wanted, the model has {config.n_positions}")
        if not config.causal:
            raise GenerationError("a model that sees both sides (BERT) can't go on with a text")
        self.model = model
        weight = model.tokens.weight
        self.cache = KeyValueCache(
            config, n_slot, length, device=model.device,
            dtype=weight.dtype if weight.is_floating_point() else torch.float32,
            is_int8=model.is_quantized,
        )  # fmt: skip
        self._memory: list[tuple[Tensor, Tensor]] = []
        self._memory_mask: Tensor | None = None

    @torch.inference_mode()
    def set_memory(self, memory: Tensor, attention_mask: Tensor | None, n_copy: int = 1) -> None:
        """Give the encoder's output (source, position, n_embd) that the slots look at.

        Args:
            memory: Of each source.
            attention_mask: What of it is no padding.
            n_copy: Slots in a row that look at the same source.
        """
        self._memory = [
            (k.repeat_interleave(n_copy, 0), v.repeat_interleave(n_copy, 0))
            for k, v in (block.cross.keys_and_values(memory) for block in self.model.blocks)
        ]
        self._memory_mask = (
            None
            if attention_mask is None
            else attention_mask.bool().repeat_interleave(n_copy, 0)[:, None, None, :]
        )

    @torch.inference_mode()
    def prefill(
        self, slot: int, tokens: Sequence[int], *, all_positions: bool = False,
        as_steps: bool = False,
    ) -> Tensor:  # fmt: skip
        """Read tokens into a slot, after what it holds.

        Args:
            slot: Where.
            tokens: To be read.
            all_positions: Whether logits of all are wanted, or of the last one.
            as_steps: An int8 decoder takes them as it takes steps: each position then reads
                rounded keys and values only, and the numbers are the same, bit for bit, in however
                many pieces a prompt is read. For some dozens of tokens it is also the faster way.

        Returns:
            Logits (position, vocabulary), or (1, vocabulary) of the last position.
        """
        if as_steps and self._is_whole:
            return self._logits([slot] * len(tokens), tokens, all_rows=all_positions)
        ids = torch.tensor([list(tokens)], device=self.model.device)
        slots = torch.tensor([slot], device=self.model.device)
        hidden = self._advance(slots, ids, as_steps=as_steps)
        return self.model.logits(hidden[0] if all_positions else hidden[0, -1:])

    @torch.inference_mode()
    def step(self, slots: Sequence[int], tokens: Sequence[int] | Tensor) -> Tensor:
        """Append a token to each slot: logits (slot, vocabulary)."""
        if self._is_whole and len(slots):
            return self._logits(slots, tokens)
        device = self.model.device
        ids = torch.as_tensor(tokens, device=device).reshape(-1, 1)
        hidden = self._advance(torch.as_tensor(slots, device=device), ids)
        return self.model.logits(hidden[:, -1])

    @property
    def _is_whole(self) -> bool:
        """Whether one call of machine code goes from tokens to logits."""
        return self.model.stack is not None and self.model.stack.is_whole

    def _logits(
        self, slots: Sequence[int], tokens: Sequence[int] | Tensor, *, all_rows: bool = True
    ) -> Tensor:
        """One token of each slot, or several of one, by that call."""
        rows, ids = np.asarray(slots, np.int64), np.asarray(tokens, np.int64).reshape(-1)
        lengths = self.cache.lengths.numpy()
        is_one = len(rows) > 1 and rows[0] == rows[1]
        starts = lengths[rows] + (np.arange(len(rows)) if is_one else 0)
        if starts.max() >= self.cache.length:
            raise GenerationError("a sequence outgrows its slot")
        logits = self.model.stack.logits(ids, self.cache, rows, starts, all_rows=all_rows)
        lengths[rows] = starts + 1
        return torch.from_numpy(logits)

    def copy(self, source: int, target: int, n_position: int) -> None:
        """Let a slot begin with the first positions of another: a prompt's beginning, read once.

        Raises:
            GenerationError: The source holds fewer.
        """
        if int(self.cache.lengths[source]) < n_position:
            raise GenerationError(f"slot {source} holds fewer than {n_position} positions")
        self.cache.copy(source, target, n_position)

    def release(self, slot: int) -> None:
        """Empty a slot."""
        self.cache.lengths[slot] = 0

    def reorder(self, order: Tensor) -> None:
        """Let slot i go on from slot order[i]; the encoder's output stays with its slot."""
        self.cache.reorder(order)

    def _advance(self, slots: Tensor, ids: Tensor, *, as_steps: bool = False) -> Tensor:
        """Run new tokens (batch, new) of some slots through all layers."""
        model, cache = self.model, self.cache
        starts = cache.lengths[slots]
        n_new = ids.shape[1]
        places = starts[:, None] + torch.arange(n_new, device=ids.device)
        n_seen = int(starts.max()) + n_new
        if n_seen > cache.length:
            raise GenerationError("a sequence outgrows its slot")
        is_step = n_new == 1 and cache.attend is not None
        if model.stack is not None and (is_step or as_steps):
            x = model.embed(ids, places).flatten(0, 1)
            x = model.stack.step(x, cache, slots.repeat_interleave(n_new), places.flatten())
            cache.lengths[slots] = starts + n_new
            return model.norm(x).unflatten(0, ids.shape)
        is_even = not is_step and self._is_even(slots, starts)
        is_first = n_new == n_seen
        mask = None if is_step or is_first else self._mask(places, n_seen)
        x = model.embed(ids, places)
        for i, block in enumerate(model.blocks):
            window = block.attention.window
            seen = mask
            if window and not is_step:
                keys = torch.arange(n_seen, device=ids.device)
                seen = self._mask(places, n_seen) & (keys > places[:, None, :, None] - window)
            x = block(
                x,
                mask=seen,
                causal=is_first and not window,
                cache=cache.layer(i, slots, places, n_seen, is_even=is_even),
                memory=self._looked_at(i, slots),
                memory_mask=None if self._memory_mask is None else self._memory_mask[slots],
            )
        cache.lengths[slots] = starts + n_new
        return model.norm(x)

    def _is_even(self, slots: Tensor, starts: Tensor) -> bool:
        """All slots in their order, all at one length: the cache is then a plain slice."""
        is_level = bool((starts == starts[0]).all())
        return is_level and len(slots) == self.cache.n_slot and bool((slots.diff() == 1).all())

    def _looked_at(self, layer: int, slots: Tensor) -> tuple[Tensor, Tensor] | None:
        """The encoder's keys and values for some slots."""
        if not self._memory:
            return None
        keys, values = self._memory[layer]
        if len(slots) == len(keys):
            return keys, values
        return keys[slots], values[slots]

    @staticmethod
    def _mask(places: Tensor, n_seen: int) -> Tensor:
        """Keys up to a query's own place, (batch, 1, new, key)."""
        keys = torch.arange(n_seen, device=places.device)
        return keys[None, None, None, :] <= places[:, None, :, None]
