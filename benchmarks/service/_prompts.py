"""Prompts whose greedy answer does not end early: else servers that stop at the end of a text and ones
that do not would be asked for different amounts of work.
"""  # fmt: skip

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from kuaibao.service.engine.core import CoreModel

WORDS = [
    "the",
    "library",
    "opened",
    "a",
    "reading",
    "room",
    "in",
    "may",
    "and",
    "readers",
    "book",
    "desks",
    "at",
    "home",
]
N_AT_ONCE = 128


def prompt(n: int) -> str:
    drawn = random.Random(n)
    return " ".join(drawn.choices(WORDS, k=24))


def lasting_prompts(folder: Path, n: int, n_new: int) -> list[str]:
    """The first `n` prompts that the model itself answers with `n_new` tokens and more."""
    torch.set_num_threads(1)
    model = CoreModel.load("prompts", folder, n_slot=N_AT_ONCE, precision="int8")
    found: list[str] = []
    for first in range(0, 100_000, N_AT_ONCE):
        texts = [prompt(i) for i in range(first, first + N_AT_ONCE)]
        lasting = _lasting(model, [model.encode(text) for text in texts], n_new)
        found += [texts[i] for i in lasting]
        if len(found) >= n:
            break
    return found[:n]


def _lasting(model: CoreModel, prompts: list[list[int]], n_new: int) -> list[int]:
    """Which of them do not end within `n_new` tokens."""
    tokens: dict[int, int] = {}
    for slot, ids in enumerate(prompts):
        model.release(slot)
        tokens[slot] = int(model.prefill(slot, ids, all_positions=False)[0].argmax())
    for _ in range(n_new):
        tokens = {slot: token for slot, token in tokens.items() if token != model.end_token}
        if not tokens:
            break
        logits = model.step(list(tokens), list(tokens.values()))
        tokens = dict(zip(tokens, map(int, np.argmax(logits, axis=1)), strict=True))
    return list(tokens)
