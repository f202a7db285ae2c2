"""What image GPT is trained for: each next pixel, or masked pixels (iGPT, section 2.1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kuaibao.image_gpt.model import ImageClassifier

__all__ = [
    "autoregressive_loss",
    "bits_per_dimension",
    "draw_masks",
    "joint_loss",
    "masked_loss",
    "picture_log_likelihoods",
    "shifted_inputs",
]


def shifted_inputs(tokens: Tensor, start_id: int) -> Tensor:
    """The start token, then all pixels but the last: position i sees the pixels before i."""
    start = torch.full_like(tokens[:, :1], start_id)
    return torch.cat([start, tokens[:, :-1]], 1)


def draw_masks(
    n: int, n_position: int, share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Pixels that are not shown, (picture, position): each by itself, at least one a picture."""
    masks = generator.random((n, n_position)) < share
    masks[np.arange(n), generator.integers(0, n_position, n)] |= ~masks.any(1)
    return masks


def autoregressive_loss(model: nn.Module, tokens: Tensor, start_id: int) -> Tensor:
    """Mean cross-entropy of every pixel, in nats."""
    return _cross_entropy(model(shifted_inputs(tokens, start_id)), tokens).mean()


def masked_loss(model: nn.Module, tokens: Tensor, masked: Tensor) -> Tensor:
    """Cross-entropy of the masked pixels: the mean of each picture's mean, in nats."""
    return _mean_over_masked(_cross_entropy(model(tokens, masked=masked), tokens), masked)


def joint_loss(
    model: nn.Module, tokens: Tensor, labels: Tensor, *, start_id: int | None,
    masked: Tensor | None = None, generative_weight: float = 1.0,
) -> Tensor:  # fmt: skip
    """L_gen + L_clf of an `ImageClassifier` (iGPT, section 2.3).

    Args:
        model: An `ImageClassifier`, or what wraps one.
        tokens: (batch, position).
        labels: (batch); pictures without a class (-1) count for L_gen alone.
        start_id: For a causal model; None for BERT.
        masked: For BERT.
        generative_weight: 0 leaves L_clf alone.
    """
    inputs = tokens if start_id is None else shifted_inputs(tokens, start_id)
    pixels, scores = model(inputs, masked=masked)
    has_label = labels >= 0
    n_labelled = has_label.sum().clamp(min=1)
    loss = functional.cross_entropy(scores, labels, ignore_index=-1, reduction="sum") / n_labelled
    if generative_weight:
        nats = _cross_entropy(pixels, tokens)
        mean = nats.mean() if masked is None else _mean_over_masked(nats, masked)
        loss = loss + generative_weight * mean
    return loss


def _cross_entropy(logits: Tensor, tokens: Tensor) -> Tensor:
    flat = functional.cross_entropy(
        logits.flatten(0, 1).float(), tokens.flatten(), reduction="none"
    )
    return flat.view_as(tokens)


def _mean_over_masked(nats: Tensor, masked: Tensor) -> Tensor:
    weight = masked.to(nats.dtype)
    return ((nats * weight).sum(1) / weight.sum(1).clamp(min=1)).mean()


@torch.inference_mode()
def picture_log_likelihoods(model: Any, tokens: Tensor, *, batch_size: int = 16) -> Tensor:
    """Ln p(picture) of each under a causal model, in nats, (picture)."""
    decoder = model.decoder if isinstance(model, ImageClassifier) else model
    found = [
        -_cross_entropy(decoder(shifted_inputs(part, decoder.config.start_id)), part).sum(1)
        for part in tokens.split(batch_size)
    ]
    return torch.cat(found)


def bits_per_dimension(nats_per_pixel: float, n_channel: int) -> float:
    """Bits a channel value of the quantised picture: a pixel is one token of all its channels."""
    return nats_per_pixel / math.log(2) / n_channel
