"""Optimisers and learning-rate schedules by recipe."""

from __future__ import annotations

import math

import torch
from torch import nn

from kuaibao.training.recipe import OptimizerSettings

__all__ = ["learning_rate", "make_optimizer"]


def make_optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """AdamW (fused) or Adafactor; only matrices decay."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.name == "adafactor":
        return torch.optim.Adafactor(groups, lr=settings.learning_rate)
    betas = (settings.beta1, settings.beta2)
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=betas, fused=True)


def learning_rate(settings: OptimizerSettings, step: int, n_step: int) -> float:
    """The rate of a step, counted from 0: linear warm-up, then the schedule."""
    top, warmup = settings.learning_rate, settings.warmup_steps
    if step < warmup:
        return top * (step + 1) / warmup
    if settings.schedule == "constant":
        return top
    if settings.schedule == "inverse_sqrt":
        return top * math.sqrt(max(1, warmup) / max(1, step + 1))
    share = min(1.0, (step - warmup) / max(1, n_step - warmup))
    low = settings.min_learning_rate
    return low + (top - low) * 0.5 * (1 + math.cos(math.pi * share))
