"""Small recipes and texts that the tests of this room train on."""

from __future__ import annotations

import json
from pathlib import Path

from kuaibao.training import Recipe, find_task, parse_recipe, train

NOUNS = ("editor", "player", "server", "library", "compiler", "browser", "viewer", "game")
VERBS = ("reads", "plays", "serves", "draws", "builds", "shows", "opens", "sorts")
THINGS = ("music", "pictures", "letters", "tables", "maps", "films", "books", "programs")


def pairs(n: int = 8) -> list[dict[str, str]]:
    """Descriptions of tools with their synopses, no two alike."""
    return [
        {
            "document": f"This {NOUNS[i % 8]} {VERBS[i * 3 % 8]} {THINGS[i * 5 % 8]} for people. "
            f"It was written in {1980 + i}. The {NOUNS[i % 8]} needs little memory.",
            "summary": f"{NOUNS[i % 8]} that {VERBS[i * 3 % 8]} {THINGS[i * 5 % 8]}",
        }
        for i in range(n)
    ]


def write_pairs(folder: Path, n: int = 8) -> Path:
    """A JSONL file of pairs."""
    file = folder / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, pairs(n))), encoding="utf-8")
    return file


MODEL = """
[model]
n_layer = 1
n_embd = 32
n_head = 2
n_inner = 64
dropout = {dropout}
"""

FINETUNE = """
task = "pegasus"
seed = 3
out = "run"
{model}
[data]
pairs = "pairs.jsonl"
vocab_size = 230
max_input = 64
max_target = 32
{data}
[optimizer]
name = "adafactor"
learning_rate = 0.05
schedule = "inverse_sqrt"
warmup_steps = 10
[run]
steps = {steps}
batch_size = 8
evaluate_every = 100
checkpoint_every = {checkpoint_every}
{run}
"""

PRETRAIN = """
task = "pegasus"
out = "run"
{model}
[data]
corpus = ["pairs.jsonl"]
vocab_size = 230
max_input = 64
max_target = 32
validation_share = 0.1
{data}
[optimizer]
name = "adafactor"
learning_rate = 0.02
schedule = "inverse_sqrt"
warmup_steps = 10
[run]
steps = {steps}
batch_size = 8
evaluate_every = 100
checkpoint_every = {checkpoint_every}
"""


def finetune_recipe(
    folder: Path, *, steps: int = 6, data: str = "", run: str = "", dropout: float = 0.0,
    checkpoint_every: int = 100, model: str = MODEL,
) -> Recipe:  # fmt: skip
    """A fine-tuning recipe in a folder that has `pairs.jsonl`."""
    return parse_recipe(
        FINETUNE.format(model=model.format(dropout=dropout), data=data, steps=steps,
                        checkpoint_every=checkpoint_every, run=run),
        folder=folder,
    )  # fmt: skip


def pretrain_recipe(
    folder: Path, *, steps: int = 4, data: str = "", checkpoint_every: int = 100
) -> Recipe:
    """A pre-training recipe in a folder that has `pairs.jsonl`."""
    return parse_recipe(
        PRETRAIN.format(model=MODEL.format(dropout=0.1), data=data, steps=steps,
                        checkpoint_every=checkpoint_every),
        folder=folder,
    )  # fmt: skip


def trained_folder(folder: Path, *, steps: int = 250) -> Path:
    """A model that knows its eight pairs by heart."""
    write_pairs(folder)
    recipe = finetune_recipe(
        folder, steps=steps, data="label_smoothing = 0.0\nvalidation_share = 0.0"
    )
    result = train(find_task(recipe), recipe)
    assert result.model_folder is not None
    return result.model_folder
