"""A small honest model for tests: bytes as tokens, logits from a hash of the last few tokens."""

from __future__ import annotations

import numpy as np


class FakeModel:
    """Its numbers depend on a slot's own tokens only; `delay` makes a step take time."""

    n_vocabulary = 257
    end_token = 256

    def __init__(self, name="fake", n_context=512, n_slot=4, on_step=None):
        self.name, self.n_context, self.n_slot = name, n_context, n_slot
        self.on_step = on_step or (lambda: None)
        self.slots = {}
        self.n_read = 0

    def encode(self, text):
        return list(text.encode("utf-8", "surrogatepass"))

    def token_bytes(self, token):
        return b"<|endoftext|>" if token == 256 else bytes([token])

    def _logits(self, tokens):
        seed = 0
        for token in tokens[-3:]:
            seed = (seed * 1000003 + int(token) + 1) % 2**32
        logits = np.random.default_rng(seed).normal(size=257).astype(np.float32)
        logits[32:127] += 4.0
        return logits

    def prefill(self, slot, tokens, *, all_positions):
        held = self.slots.setdefault(slot, [])
        n_before = len(held)
        held.extend(tokens)
        self.n_read += len(tokens)
        assert len(held) <= self.n_context, "a slot is emptied before it is filled anew"
        if all_positions:
            return np.stack([self._logits(held[: i + 1]) for i in range(n_before, len(held))])
        return self._logits(held)[None]

    def copy(self, source, target, n_token):
        self.slots[target] = self.slots[source][:n_token]

    def step(self, slots, tokens):
        self.on_step()
        for slot, token in zip(slots, tokens, strict=True):
            self.slots[slot].append(token)
        return np.stack([self._logits(self.slots[s]) for s in slots])

    def release(self, slot):
        self.slots.pop(slot, None)

    def embed(self, tokens):
        return np.mean([self._logits([t]) for t in tokens], axis=0)
