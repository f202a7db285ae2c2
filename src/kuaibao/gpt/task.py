"""GPT as a task of the training engine: the next token of packed text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.errors import InputError, did_you_mean
from kuaibao.gpt.corpus import TokenCorpus, prepare_corpus
from kuaibao.gpt.documents import resolve_source
from kuaibao.training import Batch, Recipe, RecipeError
from kuaibao.transformer import (
    TransformerConfig,
    build_model,
    load_pretrained,
    named_config,
    save_pretrained,
)

__all__ = ["GPTData", "GPTTask", "make_task"]

_SIZES = ("n_layer", "n_embd", "n_head", "n_positions", "n_inner", "attention_window", "dropout")
N_EVALUATE = 64
"""Held-out windows at most."""


@dataclass(frozen=True, kw_only=True)
class GPTData:
    """The `[data]` table."""

    corpus: list[str]
    """Files and folders of text or JSON lines, from the recipe's folder; or `debian:descriptions`
    and `debian:PACKAGE`, which are fetched through apt."""
    vocab_size: int = 8192
    tokenizer: str = ""
    """A folder with a tokeniser, in place of training one."""
    sequence_length: int = 256
    validation_share: float = 0.02
    """Of the groups of documents, kept from training."""
    max_bytes: int = 0
    """Of text that is read; 0 for all."""
    save_as: str = "float32"
    """Or `float16`: half the size on disk; computed with in float32 all the same."""
    workers: int | str = 1
    """Processes that tokenise; `ray` for a Ray cluster."""


class GPTTask:
    """Windows of a token stream; the loss is the cross-entropy of each next token."""

    sample_unit = "tokens"

    def __init__(
        self, model: Any, corpus: TokenCorpus, length: int, *, save_as: str = "float32"
    ) -> None:
        self.model, self.corpus, self.length = model, corpus, length
        self.dtype = torch.float16 if save_as == "float16" else torch.float32
        self.n_sample = corpus.train.n_window(length)
        if self.n_sample < 1:
            raise InputError(
                f"the corpus has {corpus.train.n_token} tokens, fewer than one window of {length}"
            )

    def batch(self, indices: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        """Windows of `length` + 1 tokens, (batch, length + 1)."""
        return {"tokens": torch.from_numpy(self.corpus.train.windows(indices, self.length))}

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy in nats a token."""
        return _loss(model, batch["tokens"])

    def n_unit(self, batch: Batch) -> int:
        """Tokens that are predicted."""
        return batch["tokens"].shape[0] * (batch["tokens"].shape[1] - 1)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out loss in nats a token, and bits a byte of UTF-8.

        Where nothing is held out (a corpus of one document), the loss on training text.
        """
        stream = self.corpus.validation
        n_window = stream.n_window(self.length)
        if n_window < 1:
            stream, n_window = self.corpus.train, self.n_sample
        n = min(N_EVALUATE, n_window)
        chosen = np.arange(n) * n_window // n
        total = 0.0
        device = next(model.parameters()).device
        for start in range(0, n, 8):
            windows = stream.windows(chosen[start : start + 8], self.length)
            total += float(_loss(model, torch.from_numpy(windows).to(device))) * len(windows)
        loss = total / n
        n_byte = self.corpus.n_validation_byte
        if not n_byte:
            return {"loss": loss}
        bits = loss / math.log(2) * self.corpus.validation.n_token / n_byte
        return {"loss": loss, "bits_per_byte": bits}

    def save(self, model: nn.Module, folder: Path) -> None:
        """A folder that `kuaibao generate` and the service load."""
        save_pretrained(model, folder, dtype=self.dtype)
        self.corpus.tokenizer.save(folder)


def _loss(model: nn.Module, tokens: Tensor) -> Tensor:
    return model(tokens[:, :-1], targets=tokens[:, 1:])


def make_task(
    recipe: Recipe, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> GPTTask:
    """Prepare the corpus and build the model.

    Raises:
        RecipeError: The `[data]` or `[model]` table is wrong.
        InputError: The corpus can't be read.
    """
    data = _data(recipe)
    paths = [resolve_source(name, recipe.folder) for name in data.corpus]
    tokenizer = str(recipe.folder / data.tokenizer) if data.tokenizer else ""
    corpus = prepare_corpus(
        paths, recipe.run_folder / "corpus", vocab_size=data.vocab_size, tokenizer=tokenizer,
        validation_share=data.validation_share, max_bytes=data.max_bytes,
        workers="ray" if data.workers == "ray" else int(data.workers), progress=progress,
    )  # fmt: skip
    if recipe.run.initial_model:
        model: Any = load_pretrained(recipe.folder / recipe.run.initial_model)
    else:
        model = build_model(_config(recipe, data, corpus), seed=recipe.seed)
    return GPTTask(model, corpus, data.sequence_length, save_as=data.save_as)


def _data(recipe: Recipe) -> GPTData:
    known = [f.name for f in fields(GPTData)]
    for name in recipe.data:
        if name not in known:
            raise RecipeError(f"unknown setting 'data.{name}'", hint=did_you_mean(name, known))
    try:
        data = GPTData(**recipe.data)
    except TypeError as error:
        raise RecipeError("data.corpus is missing: files or folders of text") from error
    if data.save_as not in ("float32", "float16"):
        raise RecipeError(f"data.save_as must be float32 or float16, got {data.save_as!r}")
    if data.sequence_length < 2:
        raise RecipeError(f"data.sequence_length must be at least 2, got {data.sequence_length}")
    return data


def _config(recipe: Recipe, data: GPTData, corpus: TokenCorpus) -> TransformerConfig:
    sizes = dict(recipe.model)
    base = named_config(str(sizes.pop("name", "gpt2")))
    for name in sizes:
        if name not in _SIZES:
            raise RecipeError(f"unknown setting 'model.{name}'", hint=did_you_mean(name, _SIZES))
    sizes.setdefault("n_positions", data.sequence_length)
    tokens = corpus.tokenizer
    return replace(
        base, **sizes, vocab_size=tokens.vocab_size, eos_id=tokens.eos_id, start_id=tokens.eos_id
    )
