"""What int8 weights save and cost in the service's engine: tokens a CPU second, bits a token.

Us against us: the same model in float32 and in int8, in turns. The small model of the repository,
and a random one of GPT-2's smallest size (`--small`: the first alone).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kuaibao.service.engine.sampling import log_softmax
from kuaibao.transformer import Stepper, TransformerConfig, build_model, load_pretrained
from kuaibao.transformer.quantized import quantize
from kuaibao.transformer.shipped import shipped_model
from kuaibao.transformer.tokenizers import load_tokenizer

N_STEP = {"shipped": 150, "gpt2": 24}
TEXT = Path(__file__).parents[2] / "docs" / "architecture.md"


def tokens_a_second(model: Any, batch: int, n_step: int) -> float:
    stepper = Stepper(model, batch, min(256, model.config.n_positions))
    for slot in range(batch):
        stepper.prefill(slot, [1] * 32)
    slots = list(range(batch))
    stepper.step(slots, [2] * batch)
    begun = time.process_time()
    for _ in range(n_step):
        stepper.step(slots, [2] * batch)
    return batch * n_step / (time.process_time() - begun)


@torch.inference_mode()
def bits_a_token(model: Any, tokens: list[int]) -> float:
    stepper = Stepper(model, 1, model.config.n_positions)
    logits = stepper.prefill(0, tokens[:-1], all_positions=True).float().numpy()
    logprobs = log_softmax(logits)
    return -float(np.mean(logprobs[np.arange(len(tokens) - 1), tokens[1:]])) / np.log(2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    folder = shipped_model("gpt-small")
    kinds = {"shipped": lambda: load_pretrained(folder)}
    if not small:
        kinds["gpt2"] = lambda: build_model(TransformerConfig(), seed=0).eval()
    for name, make in kinds.items():
        plain, packed = make(), quantize(make())
        n_step = N_STEP[name] // (5 if small else 1)
        for batch in (1, 8, 16):
            rates: dict[str, list[float]] = {"float32": [], "int8": []}
            for _ in range(3):
                rates["float32"].append(tokens_a_second(plain, batch, n_step))
                rates["int8"].append(tokens_a_second(packed, batch, n_step))
            one, other = max(rates["float32"]), max(rates["int8"])
            print(f"{name:8} batch {batch:3}: float32 {one:8.1f}, int8 {other:8.1f} tokens a CPU "
                  f"second; ratio {other / one:.2f}")  # fmt: skip
        if name == "shipped":
            ids = load_tokenizer(folder).encode(TEXT.read_text(encoding="utf-8"))[:256]
            print(f"{name:8} bits a token: float32 {bits_a_token(plain, ids):.4f}, "
                  f"int8 {bits_a_token(packed, ids):.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
