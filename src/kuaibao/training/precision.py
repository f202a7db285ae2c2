"""Which precision a training step has where the recipe leaves it open."""

from __future__ import annotations

from typing import Literal

import torch

from kuaibao.transformer.instructions import HAS_BFLOAT16

__all__ = ["Precision", "fastest_precision"]

Precision = Literal["fp32", "bf16", "fp16"]


def fastest_precision(device: torch.device) -> Precision:
    """Mixed precision where the device has instructions for it, else float32.

    bfloat16 has float32's range and is preferred; a GPU from before it gets float16, whose gradient
    is scaled. Weights, optimiser and sums stay float32 in all of them.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if device.type == "cpu" and HAS_BFLOAT16 else "fp32"
