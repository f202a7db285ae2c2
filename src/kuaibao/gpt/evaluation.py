"""How well a model predicts text: bits a byte, beside compressors and n-grams."""

from __future__ import annotations

import lzma
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kuaibao.errors import InputError
from kuaibao.gpt.documents import Document
from kuaibao.gpt.ngrams import KneserNey
from kuaibao.transformer.tokenizers import ByteLevelTokenizer

__all__ = ["TextFigures", "bits_of_tokens", "evaluate_text"]

_BATCH = 8
MAX_TRAINING_TOKENS = 30_000_000


@dataclass(frozen=True)
class TextFigures:
    """Bits a byte of UTF-8 on held-out text; lower is better."""

    n_byte: int
    n_token: int
    model: float
    zlib: float
    xz: float
    kneser_ney: float | None
    """5-grams over the same tokens, fitted on the training documents; None if there are none."""

    @property
    def perplexity(self) -> float:
        """Of a token, under the model."""
        return 2 ** (self.model * self.n_byte / self.n_token)

    def to_json(self) -> dict[str, Any]:
        """All fields, and the perplexity."""
        return {**self.__dict__, "perplexity": self.perplexity}


def evaluate_text(
    model: Any, tokenizer: ByteLevelTokenizer, held_out: Sequence[Document],
    training: Sequence[Document] = (), *, max_tokens: int = 200_000,
    progress: Callable[[int], None] = lambda done: None,
) -> TextFigures:  # fmt: skip
    """Measure a decoder on held-out documents.

    Args:
        model: A decoder in evaluation mode.
        tokenizer: Its own.
        held_out: What it was not trained on.
        training: What the n-grams are fitted on.
        max_tokens: Of the held-out text.
        progress: Told how many tokens are done.

    Raises:
        InputError: No text.
    """
    texts, stream = _encoded(held_out, tokenizer, max_tokens)
    if len(stream) < 2:
        raise InputError("there is no held-out text")
    data = "".join(texts).encode()
    bits = bits_of_tokens(model, stream, tokenizer.eos_id, progress)
    kneser_ney = None
    if training:
        _, tokens = _encoded(training, tokenizer, MAX_TRAINING_TOKENS)
        kneser_ney = KneserNey(tokens, tokenizer.vocab_size).bits_of(stream) / len(data)
    return TextFigures(
        n_byte=len(data), n_token=len(stream), model=bits / len(data),
        zlib=8 * len(zlib.compress(data, 9)) / len(data),
        xz=8 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) / len(data),
        kneser_ney=kneser_ney,
    )  # fmt: skip


@torch.inference_mode()
def bits_of_tokens(
    model: Any, stream: NDArray[Any], start_id: int,
    progress: Callable[[int], None] = lambda done: None,
) -> float:  # fmt: skip
    """-log2 of a stream's probability; each token sees at least half the model's window.

    The first token follows `start_id`; tokens in the first window see what there is.
    """
    total = 0.0
    done = 0
    for rows, n_scored in _strided(stream, start_id, model.config.n_positions):
        ids = torch.from_numpy(rows).to(model.device)
        logits = model(ids[:, :-1])[:, -n_scored:].float()
        losses = functional.cross_entropy(
            logits.flatten(0, 1), ids[:, -n_scored:].flatten(), reduction="sum"
        )
        total += float(losses)
        done += n_scored * len(rows)
        progress(done)
    return total / math.log(2)


def _strided(
    stream: NDArray[Any], start_id: int, length: int
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Batches of windows with how many of their last tokens are scored; every token once."""
    tokens = np.concatenate([[start_id], stream]).astype(np.int64)
    first = tokens[None, : length + 1]
    yield first, first.shape[1] - 1
    place, stride = length + 1, max(1, length // 2)
    rows: list[NDArray[np.int64]] = []
    while place + stride <= len(tokens):
        rows.append(tokens[place + stride - length - 1 : place + stride])
        place += stride
        if len(rows) == _BATCH:
            yield np.stack(rows), stride
            rows = []
    if rows:
        yield np.stack(rows), stride
    if place < len(tokens):
        yield tokens[None, max(0, len(tokens) - length - 1) :], len(tokens) - place


def _encoded(
    documents: Sequence[Document], tokenizer: ByteLevelTokenizer, max_tokens: int
) -> tuple[list[str], NDArray[np.int64]]:
    """Texts and their tokens, each ended by the end token, up to about `max_tokens`."""
    texts: list[str] = []
    tokens: list[int] = []
    for document in documents:
        if len(tokens) >= max_tokens:
            break
        texts.append(document.text)
        tokens += [*tokenizer.encode(document.text), tokenizer.eos_id]
    return texts, np.array(tokens, dtype=np.int64)
