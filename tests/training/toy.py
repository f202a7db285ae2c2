"""A task that trains in a blink, with chance in its batches and dropout in its model."""

import numpy as np
import torch
from torch.nn import functional

from kuaibao.training import OptimizerSettings, Recipe, RunSettings
from kuaibao.transformer import TransformerConfig, build_model, save_pretrained

SIZES = {"vocab_size": 40, "n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2, "eos_id": 0}


class ToyTask:
    sample_unit = "tokens"

    def __init__(self, seed=0, dropout=0.1, n_sample=37, masks=True, fault=None):
        self.model = build_model(TransformerConfig(**SIZES, dropout=dropout), seed=seed)
        start = np.random.default_rng(7).integers(0, 40, size=(n_sample, 1))
        self.rows = (start + np.arange(13) * (1 + start % 3)) % 40
        self.n_sample = n_sample
        self.masks = masks
        self.fault = fault or (lambda loss, model: loss)

    def batch(self, indices, generator):
        rows = self.rows[indices]
        if self.masks:
            rows = np.where(generator.random(rows.shape) < 0.1, 0, rows)
        return {"tokens": torch.from_numpy(rows)}

    def loss(self, model, batch):
        tokens = batch["tokens"]
        logits = model(tokens[:, :-1])
        return self.fault(
            functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten()), self
        )

    def n_unit(self, batch):
        return batch["tokens"][:, 1:].numel()

    def evaluate(self, model):
        rows = torch.from_numpy(self.rows[:8])
        loss = functional.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        return {"loss": float(loss)}

    def save(self, model, folder):
        save_pretrained(model, folder)


def toy_recipe(folder, *, optimizer=None, seed=3, **run):
    settings = {"steps": 12, "batch_size": 8, "evaluate_every": 5, "checkpoint_every": 4}
    settings |= {"precision": "fp32"} | run  # so that any machine computes the same
    tuned = {"learning_rate": 5e-3, "warmup_steps": 3, "weight_decay": 0.01} | (optimizer or {})
    return Recipe(
        task="toy", seed=seed, folder=folder, out="run", run=RunSettings(**settings),
        optimizer=OptimizerSettings(**tuned),
    )  # fmt: skip
