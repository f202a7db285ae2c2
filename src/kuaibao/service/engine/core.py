"""A model of the house's own core behind the scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.transformer import Stepper, load_pretrained
from kuaibao.transformer.quantized import quantize
from kuaibao.transformer.tokenizers import ByteLevelTokenizer, load_tokenizer

__all__ = ["CoreModel", "Precision"]

_PIECE = 512
"""Positions that are read at once: bounds what their activations take."""

Precision = Literal["float32", "int8"]


class CoreModel:
    """A decoder with its tokeniser and slots; see `LanguageModel`."""

    def __init__(
        self, name: str, model: Any, tokenizer: ByteLevelTokenizer, *, n_slot: int
    ) -> None:
        if model.config.is_encoder_decoder:
            raise InputError(f"{name}: completions need a decoder, not an encoder-decoder")
        self.name = name
        self.n_context: int = model.config.n_positions
        self.n_vocabulary: int = model.config.vocab_size
        self.n_slot = n_slot
        self.end_token = tokenizer.eos_id
        self._model = model
        self._tokenizer = tokenizer
        self._bytes: dict[int, bytes] = {}
        self._stepper = Stepper(model, n_slot, self.n_context)

    @classmethod
    def load(
        cls, name: str, folder: Path, *, n_slot: int, precision: Precision = "float32"
    ) -> Self:
        """Read a model's folder.

        Args:
            name: What it is called.
            folder: Where it lies.
            n_slot: Sequences at once.
            precision: `int8` has int8 weights, which takes a quarter of the memory traffic.

        Raises:
            InputError: It holds no decoder with a tokeniser.
        """
        model = load_pretrained(folder)
        if precision == "int8":
            model = quantize(model)
        return cls(name, model, load_tokenizer(folder), n_slot=n_slot)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        return self._tokenizer.encode(text)

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for."""
        known = self._bytes.get(token)
        if known is None:
            known = self._bytes[token] = self._tokenizer.token_bytes(token)
        return known

    def prefill(
        self, slot: int, tokens: Sequence[int], *, all_positions: bool
    ) -> NDArray[np.float32]:
        """Read tokens into a slot, after what it holds."""
        pieces = [
            _array(self._stepper.prefill(slot, part, all_positions=all_positions, as_steps=True))
            for part in (tokens[i : i + _PIECE] for i in range(0, len(tokens), _PIECE))
        ]
        return np.concatenate(pieces) if all_positions else pieces[-1]

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        """Append one token to each slot."""
        return _array(self._stepper.step(list(slots), list(tokens)))

    def copy(self, source: int, target: int, n_token: int) -> None:
        """Let an empty slot begin with the first tokens of another."""
        self._stepper.copy(source, target, n_token)

    def release(self, slot: int) -> None:
        """Empty a slot."""
        self._stepper.release(slot)

    def embed(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """The mean of the last layer's outputs."""
        with torch.inference_mode():
            ids = torch.tensor([list(tokens)[: self.n_context]], device=self._model.device)
            return _array(self._model.hidden(ids)[0].mean(0))


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()
