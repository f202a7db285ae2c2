"""The peer of these benchmarks: transformers' image GPT with the weights of ours."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch

from kuaibao.transformer import TransformerConfig, build_model, save_pretrained

__all__ = ["both_models", "median_ratio"]


def both_models(size: int, *, n_embd: int, n_layer: int) -> tuple[Any, Any]:
    """Ours and theirs, the same random weights."""
    import transformers

    config = TransformerConfig(
        family="imagegpt", vocab_size=512, n_extra_input=1, n_positions=size**2, n_embd=n_embd,
        n_layer=n_layer, n_head=8, activation="quick_gelu", norm="rms", has_bias=False,
        tie_head=False, start_id=512, eos_id=None,
    )  # fmt: skip
    ours = build_model(config, seed=0)
    torch.nn.init.normal_(ours.head.weight, std=0.02)
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(ours, folder)
        theirs = transformers.ImageGPTForCausalImageModeling.from_pretrained(folder)
    return ours, theirs


def median_ratio(
    ours: Callable[[], Any], theirs: Callable[[], Any], n: int
) -> tuple[float, float, float, float]:
    """CPU seconds of each in turn: medians of both, and the ratio with its least and greatest."""
    ours()
    theirs()
    pairs: list[tuple[float, float]] = []
    for _ in range(n):
        spent: list[float] = []
        for run in (ours, theirs):
            start = time.process_time()
            run()
            spent.append(time.process_time() - start)
        pairs.append((spent[0], spent[1]))
    ratios = sorted(b / a for a, b in pairs)
    a = sorted(p[0] for p in pairs)[n // 2]
    b = sorted(p[1] for p in pairs)[n // 2]
    return a, b, ratios[0], ratios[-1]
