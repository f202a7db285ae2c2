"""Low-rank adapters (Hu et al. 2021): a frozen layer plus a small product that is trained."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["LoRALinear", "add_lora", "merge_lora"]


class LoRALinear(nn.Module):
    """W·x + (scale · B·A)·x with W frozen; B begins at zero, so that nothing changes at first."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.empty(rank, base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        return self.base(x) + (x @ self.a.T @ self.b.T) * self.scale

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One plain layer that says the same."""
        self.base.weight += self.scale * (self.b @ self.a)
        return self.base


def add_lora(model: nn.Module, *, rank: int, alpha: float | None = None, seed: int = 0) -> int:
    """Freeze a model and put adapters beside each linear layer of its blocks.

    Args:
        model: Changed in place.
        rank: Width of the adapters.
        alpha: Their product is scaled by alpha / rank; 2 · rank if not given.
        seed: Of the adapters' first values.

    Returns:
        The number of trained parameters.
    """
    model.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for parent, name, layer in _linear_layers(model):
            setattr(parent, name, LoRALinear(layer, rank, 2.0 * rank if alpha is None else alpha))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def merge_lora(model: Any) -> Any:
    """A copy of the model as it was before `add_lora`, with the adapters' work in its weights."""
    merged = copy.deepcopy(model)
    for parent in list(merged.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, LoRALinear):
                setattr(parent, name, layer.merged())
    return merged.requires_grad_(True)


def _linear_layers(model: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    """Those of the blocks; the head stays, since it is the embedding in most models."""
    return [
        (parent, name, layer)
        for where, parent in model.named_modules()
        if "blocks" in where or "encoder." in where
        for name, layer in parent.named_children()
        if isinstance(layer, nn.Linear)
    ]
