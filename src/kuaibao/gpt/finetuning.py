"""Fine-tuning on pairs of prompt and completion: all weights or low-rank adapters, resumable."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kuaibao.errors import InputError, Place
from kuaibao.files import hash_file
from kuaibao.training import Batch, OptimizerSettings, Recipe, RunSettings, train
from kuaibao.transformer import load_pretrained, save_pretrained
from kuaibao.transformer.lora import add_lora, merge_lora
from kuaibao.transformer.tokenizers import TextTokenizer, load_tokenizer

__all__ = ["Example", "FineTuningTask", "finetune", "read_examples"]

MAX_LINE = 20_000_000
"""Characters of one line."""
BASE_RATE, LORA_RATE = 1e-4, 1e-3
"""Learning rates that `learning_rate_multiplier` multiplies."""
_HELD_OUT = 10
"""Every tenth example is held out where no validation file is given."""
_SPEAKERS = {"user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True)
class Example:
    """What is given and what is to be written."""

    prompt: str
    completion: str


def read_examples(path: Path) -> list[Example]:
    """Examples of a JSONL file: `prompt` and `completion`, or chat `messages`.

    Of a chat the last message is the completion; the ones before it are written out as the service
    writes them for a model that continues texts.

    Raises:
        InputError: No such file, no examples, or a line that is none; with its number.
    """
    try:
        lines = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    examples: list[Example] = []
    with lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    examples.append(_example(line, Place(file=str(path), line=number)))
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8: {error.reason}") from error
    if not examples:
        raise InputError(f"{path} holds no examples")
    return examples


def _example(line: str, place: Place) -> Example:
    if len(line) > MAX_LINE:
        raise InputError(f"a line of {len(line)} characters is too long", place=place)
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", place=place) from error
    if isinstance(row, dict) and isinstance(row.get("messages"), list):
        return _chat(row["messages"], place)
    if not isinstance(row, dict) or not all(
        isinstance(row.get(name), str) for name in ("prompt", "completion")
    ):
        raise InputError(
            "an example is an object with the texts 'prompt' and 'completion'", place=place
        )
    return Example(row["prompt"], row["completion"])


def _chat(messages: Sequence[Any], place: Place) -> Example:
    lines: list[str] = []
    last = ""
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise InputError("a message is an object with the text 'content'", place=place)
        name = _SPEAKERS.get(str(message.get("role")), "")
        last = message["content"]
        lines.append(f"{name}: {last}" if name else last)
    if not messages or messages[-1].get("role") != "assistant":
        raise InputError("the last message must be the assistant's", place=place)
    return Example("\n".join([*lines[:-1], "Assistant:"]), " " + last)


class FineTuningTask:
    """Completions after their prompts; a task of the training engine."""

    sample_unit = "tokens"

    def __init__(
        self, model: Any, tokenizer: Any, training: Sequence[Example],
        validation: Sequence[Example], *, prompt_loss_weight: float = 0.0,
    ) -> None:  # fmt: skip
        self.model, self.tokenizer = model, tokenizer
        self.prompt_loss_weight = prompt_loss_weight
        length = model.config.n_positions
        self.training = [_encode(e, tokenizer, length) for e in training]
        self.validation = [_encode(e, tokenizer, length) for e in validation]
        self.n_sample = len(self.training)

    def batch(self, indices: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        """Tokens and the weight of each as a target, (batch, longest)."""
        return _pad([self.training[i] for i in indices], self.prompt_loss_weight)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Weighted mean cross-entropy in nats a token."""
        total, weight = _loss(model, batch)
        return total / weight

    def n_unit(self, batch: Batch) -> int:
        """Tokens that are learned from."""
        return int((batch["weights"] > 0).sum())

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out loss in nats a token of the completions, and the share of right tokens."""
        device = next(model.parameters()).device
        total = weight = right = 0.0
        for start in range(0, len(self.validation), 8):
            batch = _pad(self.validation[start : start + 8], 0.0)
            batch = {k: v.to(device) for k, v in batch.items()}
            logits = model(batch["tokens"][:, :-1])
            targets, weights = batch["tokens"][:, 1:], batch["weights"][:, 1:]
            total += float(_cross_entropy(logits, targets, weights))
            weight += float(weights.sum())
            right += float(((logits.argmax(-1) == targets) * weights).sum())
        return {"loss": total / weight, "accuracy": right / weight}

    def save(self, model: nn.Module, folder: Path) -> None:
        """A folder that `kuaibao generate` and the service load; adapters are merged."""
        save_pretrained(merge_lora(model), folder)
        self.tokenizer.save(folder)


Encoded = tuple[list[int], int]
"""Tokens, and how many of them are the prompt's."""


def _encode(example: Example, tokenizer: TextTokenizer, length: int) -> Encoded:
    """Prompt, completion and the end token; of a long prompt the end is kept."""
    prompt = tokenizer.encode(example.prompt) or [tokenizer.eos_id]
    completion = [*tokenizer.encode(example.completion), tokenizer.eos_id][: length - 1]
    prompt = prompt[-(length - len(completion)) :]
    return [*prompt, *completion], len(prompt)


def _pad(rows: Sequence[Encoded], prompt_weight: float) -> Batch:
    longest = max(len(tokens) for tokens, _ in rows)
    tokens = np.zeros((len(rows), longest), dtype=np.int64)
    weights = np.zeros((len(rows), longest), dtype=np.float32)
    for i, (row, n_prompt) in enumerate(rows):
        tokens[i, : len(row)] = row
        weights[i, :n_prompt] = prompt_weight
        weights[i, n_prompt : len(row)] = 1.0
    return {"tokens": torch.from_numpy(tokens), "weights": torch.from_numpy(weights)}


def _loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    # Padding stands at the end, where causal attention never looks at it.
    logits = model(batch["tokens"][:, :-1])
    weights = batch["weights"][:, 1:]
    return _cross_entropy(logits, batch["tokens"][:, 1:], weights), weights.sum()


def _cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    losses = functional.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten(), reduction="none"
    )
    return (losses * weights.flatten()).sum()


def finetune(
    *,
    model: str | os.PathLike[str],
    training_file: str | os.PathLike[str],
    validation_file: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str],
    work_folder: str | os.PathLike[str],
    n_epochs: int = 4,
    batch_size: int | None = None,
    learning_rate_multiplier: float = 1.0,
    lora_rank: int = 0,
    prompt_loss_weight: float = 0.0,
    patience: int = 2,
    seed: int = 0,
    progress: Callable[[int, int, Mapping[str, float]], None] = lambda step, steps, figures: None,
) -> dict[str, Any]:
    """Fine-tune a model on examples; a second call with the same order goes on where it was.

    Args:
        model: A folder (or a hub id) with a tokeniser.
        training_file: JSONL, see `read_examples`.
        validation_file: JSONL; if not given, every tenth example is held out, and of fewer than
            twenty examples none: then the training examples are measured.
        folder: Where the best model by held-out loss goes.
        work_folder: Checkpoints and figures; keep it to be able to go on.
        n_epochs: Passes over the examples, at most.
        batch_size: Examples a step; from 1 to 32 by the number of examples if not given.
        learning_rate_multiplier: Of 1e-4 for all weights, of 1e-3 for adapters.
        lora_rank: Train adapters of this rank in place of all weights; 0 for all weights.
        prompt_loss_weight: Of the prompt's tokens in the loss.
        patience: Epochs without a better held-out loss after which it ends early; 0 for never.
        seed: Of data order and adapters.
        progress: Told after each step.

    Returns:
        `n_trained_token`, `n_step`, `n_epoch`, `loss`, `accuracy`, `n_parameter`, `n_example`.

    Raises:
        InputError: Files or settings are wrong, or the model is no decoder.
    """
    if n_epochs < 1 or lora_rank < 0 or not learning_rate_multiplier > 0:
        raise InputError("n_epochs and learning_rate_multiplier must be positive")
    training, validation = _split(Path(training_file), validation_file)
    loaded = load_pretrained(model)
    if loaded.config.is_encoder_decoder:
        raise InputError("an encoder-decoder is tuned on summaries, not on completions")
    if lora_rank:
        add_lora(loaded, rank=lora_rank, seed=seed)
    task = FineTuningTask(loaded, load_tokenizer(model), training, validation,
                          prompt_loss_weight=prompt_loss_weight)  # fmt: skip
    size = min(batch_size or max(1, min(32, len(training) // 32)), len(training))
    per_epoch = math.ceil(len(training) / size)
    recipe = Recipe(
        task="gpt", seed=seed, folder=Path(work_folder), out=".", name="finetune",
        data={"model": str(model), "training": hash_file(training_file), "lora_rank": lora_rank,
              "validation": hash_file(validation_file) if validation_file else "",
              "prompt_loss_weight": prompt_loss_weight},
        optimizer=OptimizerSettings(
            learning_rate=(LORA_RATE if lora_rank else BASE_RATE) * learning_rate_multiplier,
            warmup_steps=min(100, per_epoch), weight_decay=0.01,
        ),
        run=RunSettings(
            steps=per_epoch * int(n_epochs), batch_size=size, evaluate_every=per_epoch,
            checkpoint_every=max(1, min(per_epoch, 100)), patience=patience,
        ),
    )  # fmt: skip
    result = train(task, recipe, resume=True, progress=progress)
    assert result.model_folder is not None
    shutil.copytree(result.model_folder, Path(folder), dirs_exist_ok=True)
    state = result.state
    best = dict(next(f for step, f in reversed(state.evaluations) if step == state.best_step))
    return {
        "n_trained_token": state.n_unit, "n_step": state.step, "best_step": state.best_step,
        "n_epoch": state.step / per_epoch, "n_example": len(training),
        "n_parameter": sum(p.numel() for p in loaded.parameters() if p.requires_grad), **best,
    }  # fmt: skip


def _split(
    training_file: Path, validation_file: str | os.PathLike[str] | None
) -> tuple[list[Example], list[Example]]:
    examples = read_examples(training_file)
    if validation_file:
        return examples, read_examples(Path(validation_file))
    if len(examples) < 2 * _HELD_OUT:
        return examples, examples
    held_out = examples[::_HELD_OUT]
    return [e for i, e in enumerate(examples) if i % _HELD_OUT], held_out
