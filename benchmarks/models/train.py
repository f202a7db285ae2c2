"""Training tokens a second: our engine, a model of transformers, a plain loop over our model.

Also the share of the measured matrix-multiply peak that our step reaches (6 FLOP a parameter and
token, attention not counted). All run in turns on the same shapes; CPU seconds are counted.

python benchmarks/models/train.py [--small] [--steps N]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from kuaibao.training import OptimizerSettings, Recipe, RunSettings, Trainer
from kuaibao.training.distributed import World
from kuaibao.transformer import build_model, save_pretrained
from kuaibao.transformer.config import TransformerConfig


class Packed:
    """Random tokens as a task of the engine."""

    sample_unit = "tokens"

    def __init__(self, config: TransformerConfig, length: int) -> None:
        self.model = build_model(config, seed=0)
        self.tokens = np.random.default_rng(0).integers(0, config.vocab_size, (64, length + 1))
        self.n_sample = 64

    def batch(self, indices, generator):
        """Windows by their number."""
        return {"tokens": torch.from_numpy(self.tokens[indices])}

    def loss(self, model, batch):
        """Cross-entropy."""
        logits = model(batch["tokens"][:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), batch["tokens"][:, 1:].flatten())

    def n_unit(self, batch):
        """Tokens."""
        return batch["tokens"][:, 1:].numel()

    def evaluate(self, model):
        """Nothing."""
        return {"loss": 0.0}

    def save(self, model, folder):
        """As the GPT task does."""
        save_pretrained(model, folder)


def ours(task: Packed, batch: int) -> float:
    run = RunSettings(batch_size=batch, steps=1000)
    recipe = Recipe(task="x", run=run, optimizer=OptimizerSettings(learning_rate=1e-4))
    trainer = Trainer(task, recipe, World.join())  # pyright: ignore[reportArgumentType]
    trainer.step(0)
    return per_step(lambda i: trainer.step(i + 1))


def plain(model: nn.Module, task: Packed, batch: int) -> float:
    """A plain loop; a model of transformers gives an object with logits."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step(i: int) -> None:
        rows = torch.from_numpy(task.tokens[(np.arange(batch) + i * batch) % 64])
        found = model(rows[:, :-1])
        logits = getattr(found, "logits", found)
        functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    step(0)
    return per_step(lambda i: step(i + 1))


def of_transformers(task: Packed) -> nn.Module:
    """The same weights in transformers' class (its Trainer would want accelerate)."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(task.model, folder)
        return transformers.GPT2LMHeadModel.from_pretrained(folder)


STEPS = 4


def per_step(step) -> float:
    """CPU seconds of the fastest step."""
    found = []
    for i in range(STEPS):
        started = time.process_time()
        step(i)
        found.append(time.process_time() - started)
    return min(found)


def peak() -> float:
    """FLOP a CPU second of a large float32 matrix product."""
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    spent = min(per_step(lambda i: a @ b) for _ in range(3))
    return 2 * 1536**3 / spent


def main() -> None:
    global STEPS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 layers of 64, in seconds")
    parser.add_argument("--steps", type=int, default=4)
    given = parser.parse_args()
    STEPS = given.steps
    torch.set_num_threads(1)
    shapes = [(6, 512, 8, 8192, 4, 256), (4, 192, 6, 4096, 4, 512)]
    if given.small:
        shapes = [(2, 64, 2, 500, 2, 32)]
    print(f"torch {torch.__version__}, 1 thread, load {os.getloadavg()[0]:.1f}")
    for n_layer, n_embd, n_head, vocab_size, batch, length in shapes:
        config = TransformerConfig(n_layer=n_layer, n_embd=n_embd, n_head=n_head,
                                   vocab_size=vocab_size, n_positions=length, eos_id=0)  # fmt: skip
        n_token = batch * length
        tasks = [Packed(config, length) for _ in range(4)]
        found = {
            "kuaibao": ours(tasks[0], batch),
            "transformers": plain(of_transformers(tasks[1]), tasks[1], batch),
            "plain loop, our model": plain(tasks[2].model, tasks[2], batch),
            "kuaibao again": ours(tasks[3], batch),
        }
        best = min(found["kuaibao"], found["kuaibao again"])
        n = 12 * n_layer * n_embd**2 + vocab_size * n_embd
        share = 6 * n * n_token / best / peak()
        print(f"{n_layer} layers of {n_embd}, {batch} x {length}: {share:.0%} of the peak")
        for name, spent in found.items():
            print(f"  {name:22} {n_token / spent:9.0f} tokens/CPU s   ours is {spent / best:.2f}x")


if __name__ == "__main__":
    main()
