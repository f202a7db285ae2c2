"""Training tokens a second: our engine, the Trainer of transformers, a plain SDPA loop.

The same shapes, weights and tokens; float32 and bfloat16 autocast. Each has a process of its own,
whose memory is counted, and they run in turns. Utilisation is the step's arithmetic (6 FLOP a
weight and token, and causal attention) against a measured matrix product of the same precision.

CPU seconds are what a shared machine leaves comparable.

python benchmarks/models/train.py [--small] [--rounds N] [--shape N] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from kuaibao.loading.arena import large_arena
from kuaibao.training import OptimizerSettings, Recipe, RunSettings, Trainer, World
from kuaibao.training.precision import fastest_precision
from kuaibao.transformer import build_model, save_pretrained
from kuaibao.transformer.config import TransformerConfig

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
ENGINES = [f"{name} {precision}" for precision in PRECISIONS
           for name in ("kuaibao", "Trainer", "plain-loop")]  # fmt: skip
# layers, width, heads, vocabulary, batch, length
SHAPES = [(6, 512, 8, 8192, 8, 256), (6, 768, 12, 16_384, 4, 512)]
SMALL = (2, 64, 2, 500, 2, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 layers of 64, in seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", type=int, help="only this one of the shapes, from 0")
    parser.add_argument("--only", nargs="*", default=ENGINES)
    parser.add_argument("--serve", nargs=2, metavar=("ENGINE", "SHAPE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.serve:
        serve(given.serve[0], json.loads(given.serve[1]))
        return
    shapes = [SMALL] if given.small else SHAPES
    peaks = {name: peak(kind, 256 if given.small else 1536) for name, kind in PRECISIONS.items()}
    rates = ", ".join(f"{name} {value / 1e9:.0f} GFLOP/s" for name, value in peaks.items())
    print(f"torch {torch.__version__}, 1 thread, load {os.getloadavg()[0]:.1f}; "
          f"matrix products reach {rates}")  # fmt: skip
    for i, shape in enumerate(shapes):
        if given.shape in (None, i):
            compare(shape, given.only, given.rounds, peaks)


def compare(shape: tuple[int, ...], engines: list[str], n_round: int, peaks: Any) -> None:
    n_layer, n_embd, _, vocab_size, batch, length = shape
    workers = {name: Worker(name, shape) for name in engines}
    best: dict[str, float] = {}
    for _ in range(n_round):
        for name, worker in workers.items():
            best[name] = min(best.get(name, 9e9), worker.ask({"steps": 2})["cpu"])
    n_weight = 12 * n_layer * n_embd**2 + vocab_size * n_embd
    n_token = batch * length
    flop = 6 * n_weight * n_token + 6 * n_layer * n_embd * length * n_token
    print(
        f"{n_layer} layers of {n_embd}, vocabulary {vocab_size}, {batch} x {length} tokens a step"
    )
    for name, spent in best.items():
        precision = name.split()[1]
        ours = best.get(f"kuaibao {precision}", spent)
        memory = workers[name].ask({"memory": True})["mb"]
        print(f"  {name:16} {n_token / spent:8.0f} tokens/CPU s  {flop / spent / peaks[precision]:4.0%} "
              f"of the peak  {memory:6.0f} MB  ours is {spent / ours:.2f}x")  # fmt: skip
        workers[name].close()
    default = fastest_precision(torch.device("cpu"))
    if f"kuaibao {default}" in best and "Trainer fp32" in best:
        print(f"  as both are without settings (ours {default}, the Trainer fp32): "
              f"{best['Trainer fp32'] / best[f'kuaibao {default}']:.2f}x")  # fmt: skip


def peak(kind: torch.dtype, n: int) -> float:
    """FLOP a CPU second of a square matrix product."""
    a, b = torch.randn(n, n, dtype=kind), torch.randn(n, n, dtype=kind)
    a @ b
    best = 9e9
    for _ in range(6):
        started = time.process_time()
        a @ b
        best = min(best, time.process_time() - started)
    return 2 * n**3 / best


class Worker:
    """A process with one engine; asked by a line of JSON, answers by one."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, json.dumps(shape)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """What the process answers."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def highest_memory() -> float:
    """The most megabytes that this process held (`ru_maxrss` would begin with the parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def serve(engine: str, shape: tuple[int, ...]) -> None:
    """The process of one engine."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    name, precision = engine.split()
    n_layer, n_embd, n_head, vocab_size, batch, length = shape
    config = TransformerConfig(n_layer=n_layer, n_embd=n_embd, n_head=n_head, eos_id=0,
                               vocab_size=vocab_size, n_positions=length)  # fmt: skip
    task = Packed(config, length)
    makers = {"kuaibao": ours, "Trainer": trainer_of_transformers, "plain-loop": plain_loop}
    run = makers[name](task, batch, precision)
    run(1)  # warms up
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"mb": highest_memory()} if "memory" in asked else {"cpu": run(asked["steps"])}
        print(json.dumps(answer), file=answers, flush=True)


Run = Callable[[int], float]
"""Trains some steps; gives the CPU seconds of one."""
stack = ExitStack()
"""Settings of an engine that hold for the rest of its process."""


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
        """Cross-entropy, as the GPT task has it."""
        return model(batch["tokens"][:, :-1], targets=batch["tokens"][:, 1:])

    def n_unit(self, batch):
        """Tokens."""
        return batch["tokens"][:, 1:].numel()

    def evaluate(self, model):
        """Nothing."""
        return {"loss": 0.0}

    def save(self, model, folder):
        """As the GPT task does."""
        save_pretrained(model, folder)


def ours(task: Packed, batch: int, precision: str) -> Run:
    """Our engine's own step: data, forward, backward, clipping, AdamW, schedule; in its arena."""
    stack.enter_context(large_arena())
    run = RunSettings(batch_size=batch, steps=100_000, precision=precision)  # pyright: ignore
    recipe = Recipe(task="x", run=run, optimizer=OptimizerSettings(learning_rate=1e-4))
    trainer = Trainer(task, recipe, World.join())  # pyright: ignore[reportArgumentType]
    return timed(trainer.step)


def plain_loop(task: Packed, batch: int, precision: str) -> Run:
    """What one writes by hand over an SDPA model: here ours."""
    model: nn.Module = task.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step(i: int) -> None:
        rows = torch.from_numpy(task.tokens[(np.arange(batch) + i * batch) % 64])
        with torch.autocast("cpu", PRECISIONS[precision], enabled=precision != "fp32"):
            logits = model(rows[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return timed(step)


def timed(step: Callable[[int], object]) -> Run:
    done = 0

    def run(n: int) -> float:
        nonlocal done
        found: list[float] = []
        for _ in range(n):
            started = time.process_time()
            step(done)
            found.append(time.process_time() - started)
            done += 1
        return min(found)

    return run


def trainer_of_transformers(task: Packed, batch: int, precision: str) -> Run:
    """`transformers.Trainer` as it is, without dropout, logging and saving."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(task.model, folder)
        model = transformers.GPT2LMHeadModel.from_pretrained(folder)
    model.config.use_cache = False
    rows = [{"input_ids": row[:-1], "labels": row[:-1]} for row in torch.from_numpy(task.tokens)]
    seconds: list[float] = []

    class Clock(transformers.TrainerCallback):
        """CPU time at the beginning and end of each step."""

        def on_step_begin(self, *_: object, **__: object) -> None:
            """Note it."""
            seconds.append(-time.process_time())

        def on_step_end(self, *_: object, **__: object) -> None:
            """Note it."""
            seconds[-1] += time.process_time()

    def run(n: int) -> float:
        seconds.clear()
        arguments = transformers.TrainingArguments(
            str(Path(tempfile.gettempdir()) / "kuaibao-trainer"), max_steps=n, use_cpu=True,
            per_device_train_batch_size=batch, learning_rate=1e-4, bf16=precision == "bf16",
            save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
        )  # fmt: skip
        transformers.Trainer(model, arguments, train_dataset=rows, callbacks=[Clock()]).train()
        return min(seconds)

    return run


if __name__ == "__main__":
    main()
