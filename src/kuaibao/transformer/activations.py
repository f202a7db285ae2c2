"""What stands between the two layers of a feed-forward network, by the names of Hugging Face."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from kuaibao.transformer.bfloat16_kernels import gate, is_covered

__all__ = ["GATES", "activate"]

GATES = {"gelu_new": (1.5957691216057308, 0.07135481282052), "quick_gelu": (1.702, 0.0),
         "silu": (1.0, 0.0)}  # fmt: skip
"""Activations of the form x · sigmoid(a x + b x³), with a and b."""


def activate(x: Tensor, name: str) -> Tensor:
    """The activation of that name."""
    if x.requires_grad and name in GATES and is_covered(x):
        return gate(x, *GATES[name])
    return _BY_NAME[name](x)


_BY_NAME: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"), "gelu": functional.gelu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "silu": functional.silu,
    "relu": functional.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "relu2": lambda x: functional.relu(x).square(), "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu, "mish": functional.mish, "linear": lambda x: x,
}  # fmt: skip
