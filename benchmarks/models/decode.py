"""Decoding tokens a second at batch 1, 8 and 32: ours (float32, int8), transformers, CTranslate2.

All engines hold the same random GPT-2 weights and run in turns, so that each sees the same load;
CPU seconds of the process are counted, since the machine may be shared.

python benchmarks/models/decode.py [--small] [--rounds N] [--threads N]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from kuaibao.transformer import build_model, load_pretrained, named_config, save_pretrained
from kuaibao.transformer.config import TransformerConfig
from kuaibao.transformer.ctranslate2_export import CTranslate2Decoder, export_ctranslate2
from kuaibao.transformer.quantized import quantize

Engine = Callable[[list[list[int]], int], object]


def engines(config: TransformerConfig, folder: Path, n_thread: int) -> dict[str, Engine]:
    import transformers

    save_pretrained(build_model(config, seed=0), folder / "hub")
    whole, small = load_pretrained(folder / "hub"), quantize(load_pretrained(folder / "hub"))
    theirs = transformers.GPT2LMHeadModel.from_pretrained(folder / "hub").eval()
    found: dict[str, Engine] = {
        "kuaibao int8": lambda p, n: small.generate(p, max_new_tokens=n, eos_id=-1),
        "kuaibao float32": lambda p, n: whole.generate(p, max_new_tokens=n, eos_id=-1),
        "transformers float32": lambda p, n: theirs.generate(
            torch.tensor(p), max_new_tokens=n, min_new_tokens=n, do_sample=False, pad_token_id=0
        ),
    }
    for kind in ("int8", "float32"):
        export_ctranslate2(whole, folder / kind, quantization=kind)
        fast = CTranslate2Decoder(folder / kind, n_thread=n_thread)
        found[f"CTranslate2 {kind}"] = lambda p, n, fast=fast: fast.generate(
            p, max_new_tokens=n, min_new_tokens=n
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 layers of 64, in seconds")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = named_config("gpt2")
    if given.small:
        config = TransformerConfig(n_layer=2, n_embd=64, n_head=2, vocab_size=500, eos_id=0)
    n_prompt, n_new = (8, 8) if given.small else (64, 32)
    print(f"torch {torch.__version__}, {given.threads} thread(s), load {os.getloadavg()[0]:.1f}, "
          f"prompt {n_prompt}, {n_new} new tokens, best of {given.rounds} by CPU time")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        tried = engines(config, Path(folder), given.threads)
        for batch in (1, 8, 32):
            prompts = torch.randint(1, config.vocab_size, (batch, n_prompt)).tolist()
            best: dict[str, tuple[float, float]] = {}
            for _ in range(given.rounds):
                for name, generate in tried.items():
                    # What the prompt costs is measured by itself and taken off.
                    read = seconds(generate, prompts, 1)
                    whole = seconds(generate, prompts, n_new + 1)
                    spent = [max(1e-9, w - r) for w, r in zip(whole, read, strict=True)]
                    known = best.get(name, (9e9, 9e9))
                    best[name] = (min(known[0], spent[0]), min(known[1], spent[1]))
            ours = best["kuaibao int8"][0]
            for name, (cpu, wall) in best.items():
                rate = batch * n_new / cpu
                print(f"batch {batch:2}  {name:22} {rate:8.1f} tokens/CPU s  "
                      f"{batch * n_new / wall:8.1f} tokens/s  ours int8 is {cpu / ours:5.2f}x")  # fmt: skip


def seconds(generate: Engine, prompts: list[list[int]], n_new: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    generate(prompts, n_new)
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
