"""Decoding tokens a second at batch 1, 8 and 32: ours, transformers, CTranslate2, llama.cpp.

All engines hold the same random GPT-2 weights and run in turns, so that each sees the same load.
Each engine has a process of its own, whose memory is counted; it reads the prompts, and then the
time of every further token is what counts. The bound is the time in which the weights' bytes (and
the batch's keys and values) can be read at the measured rate of memory.

CPU seconds are what a shared machine leaves comparable; wall seconds are told beside them.

python benchmarks/models/decode.py [--small] [--rounds N] [--threads N] [--batch N ...] [--only ENGINE ...]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kuaibao.transformer import build_model, load_pretrained, named_config, save_pretrained
from kuaibao.transformer.config import TransformerConfig

OURS = "kuaibao int8"
ENGINES = (OURS, "kuaibao float32", "transformers float32", "transformers bfloat16",
           "CTranslate2 int8", "CTranslate2 float32", "llama.cpp Q8_0", "llama.cpp F16")  # fmt: skip
NEEDS = {"CTranslate2": ("ctranslate2",), "llama.cpp": ("llama_cpp", "gguf")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 layers of 64, in seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 8, 32])
    parser.add_argument("--only", nargs="*", default=list(ENGINES), metavar="ENGINE")
    parser.add_argument("--serve", nargs=2, metavar=("ENGINE", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(*given.serve, given.threads)
        return
    config = named_config("gpt2")
    if given.small:
        config = TransformerConfig(n_layer=2, n_embd=64, n_head=2, vocab_size=500, eos_id=0)
    n_prompt, n_new = (8, 8) if given.small else (64, 32)
    rate = memory_rate(4_000_000 if given.small else 60_000_000, given.threads)
    print(f"torch {torch.__version__}, {given.threads} thread(s), load {os.getloadavg()[0]:.1f}, "
          f"prompt {n_prompt}, {n_new} new tokens, best of {given.rounds}; memory is read at "
          f"{rate / 1e9:.1f} GB/s")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(build_model(config, seed=0), Path(folder) / "hub")
        workers = {
            name: Worker(name, folder, given.threads) for name in given.only if is_there(name)
        }
        for batch in given.batch:
            chance = np.random.default_rng(batch)
            prompts = chance.integers(1, config.vocab_size, (batch, n_prompt)).tolist()
            measured = measure(workers, prompts, n_new, given.rounds)
            show(batch, n_new, measured, config, rate, n_prompt)
        for name, worker in workers.items():
            print(f"{name:22} {worker.ask({'memory': True})['mb']:7.0f} MB at its highest")
            worker.close()


def is_there(engine: str) -> bool:
    needs = NEEDS.get(engine.split()[0], ())
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    if missing:
        print(f"{engine}: {', '.join(missing)} not installed, left out")
    return not missing


def memory_rate(n: int, n_thread: int) -> float:
    """Bytes a second that so many threads read from memory, in one long stream."""
    torch.set_num_threads(n_thread)
    numbers = torch.ones(n)
    best = 9e9
    for _ in range(5):
        started = time.perf_counter()
        torch.dot(numbers, numbers)
        best = min(best, time.perf_counter() - started)
    return numbers.nbytes / best


def measure(workers: dict[str, Worker], prompts: Any, n_new: int, n_round: int) -> Any:
    """The fastest of some rounds, in turns: CPU and wall seconds of `n_new` further tokens."""
    for worker in workers.values():
        worker.ask({"prompts": prompts, "n_new": 2})  # compiles and warms up
    # What the prompt costs is measured by itself and taken off: the least of each, since a disturbed
    # reading of the prompt alone would make the rest too cheap.
    least = {name: {n: {"cpu": 9e9, "wall": 9e9} for n in (1, n_new + 1)} for name in workers}
    for _ in range(n_round):
        for name, worker in workers.items():
            for n, known in least[name].items():
                answer = worker.ask({"prompts": prompts, "n_new": n})
                least[name][n] = {kind: min(known[kind], answer[kind]) for kind in known}
    best = {
        name: [of[n_new + 1][kind] - of[1][kind] for kind in ("cpu", "wall")]
        for name, of in least.items()
    }
    return best


def show(batch: int, n_new: int, best: Any, config: TransformerConfig, rate: float,
         n_prompt: int) -> None:  # fmt: skip
    ours = best.get(OURS, next(iter(best.values())))[0]
    n_weight = 12 * config.n_layer * config.n_embd**2 + config.vocab_size * config.n_embd
    for name, (cpu, wall) in best.items():
        size = {"int8": 1.0, "Q8_0": 34 / 32, "float32": 4.0}.get(name.split()[1], 2.0)
        cached = 1.0 if name == OURS else {"llama.cpp": 2.0}.get(name.split()[0], 4.0)
        n_seen = n_prompt + n_new / 2
        kept = 2 * config.n_layer * config.n_embd * n_seen * batch
        bound = batch / ((n_weight * size + kept * cached) / rate)
        reached = batch * n_new / cpu / bound
        print(f"batch {batch:2}  {name:22} {batch * n_new / cpu:8.1f} tokens/CPU s  "
              f"{batch * n_new / wall:8.1f} tokens/s  {reached:5.0%} of the bound  "
              f"ours is {cpu / ours:5.2f}x")  # fmt: skip


class Worker:
    """A process with one engine; asked by a line of JSON, answers by one."""

    def __init__(self, name: str, folder: str, n_thread: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--threads", str(n_thread), "--serve", name, folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(n_thread)},
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


def serve(name: str, folder: str, n_thread: int) -> None:
    """The process of one engine."""
    torch.set_num_threads(n_thread)
    generate = load(name, Path(folder), n_thread)
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        if "memory" in asked:
            answer = {"mb": highest_memory()}
        else:
            cpu, wall = time.process_time(), time.perf_counter()
            generate(asked["prompts"], asked["n_new"])
            answer = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        print(json.dumps(answer), file=answers, flush=True)


def load(name: str, folder: Path, n_thread: int) -> Any:
    """`f(prompts, n_new)`, greedy and without an early end."""
    library, kind = name.split()
    if library == "kuaibao":
        from kuaibao.transformer.engines import load_engine

        ours = load_engine(folder / "hub", kind)
        return lambda p, n: ours.generate(p, max_new_tokens=n, eos_id=-1)
    if library == "transformers":
        import transformers

        theirs = transformers.GPT2LMHeadModel.from_pretrained(
            folder / "hub", dtype=getattr(torch, kind)
        ).eval()
        return lambda p, n: theirs.generate(
            torch.tensor(p), max_new_tokens=n, min_new_tokens=n, do_sample=False, pad_token_id=0
        )
    whole = load_pretrained(folder / "hub")
    if library == "CTranslate2":
        from kuaibao.transformer.ctranslate2_export import CTranslate2Decoder, export_ctranslate2

        export_ctranslate2(whole, folder / kind, quantization=kind)
        fast = CTranslate2Decoder(folder / kind, n_thread=n_thread)
        return lambda p, n: fast.generate(p, max_new_tokens=n, min_new_tokens=n)
    from llama_peer import LlamaDecoder, write_gguf

    write_gguf(whole, folder / f"{kind}.gguf", kind)
    llama = LlamaDecoder(folder / f"{kind}.gguf", n_vocabulary=whole.config.vocab_size,
                         n_context=128, n_sequence=32, n_thread=n_thread)  # fmt: skip
    return llama.generate


if __name__ == "__main__":
    main()
