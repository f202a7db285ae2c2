"""What a fine-tuned model says of pictures: classes, and how often they are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.errors import InputError
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.objectives import draw_masks, shifted_inputs
from kuaibao.image_gpt.packing import PackedPart
from kuaibao.image_gpt.probe import accuracy_interval
from kuaibao.image_gpt.probing import modal_vote

__all__ = ["accuracy_on", "classify"]

_MASK_SHARE = 0.15


@torch.inference_mode()
def classify(
    model: ImageGPT, images: NDArray[Any], *, n_mask: int = 0, seed: int = 0, batch_size: int = 64
) -> NDArray[np.int64]:
    """The likeliest class of each picture under a fine-tuned model.

    Args:
        model: With a classifier.
        images: Bytes, or tokens (picture, position).
        n_mask: For BERT: so many masked views vote (iGPT, section 4.3).
        seed: Of the masks.
        batch_size: Pictures at once.

    Raises:
        InputError: The model has no classifier.
    """
    if model.classifier is None:
        raise InputError(
            "the model has no classifier", hint='Fine-tune with data.labels = "joint".'
        )
    tokens = model.tokens(images)
    generator = np.random.default_rng(seed)
    found: list[Tensor] = []
    for start in range(0, len(tokens), batch_size):
        part = tokens[start : start + batch_size]
        ids = torch.from_numpy(part).to(model.decoder.device)
        config = model.decoder.config
        inputs = shifted_inputs(ids, config.start_id) if config.causal else ids
        votes: list[Tensor] = []
        for _ in range(max(1, n_mask)):
            masked = None
            if n_mask:
                masks = draw_masks(len(part), part.shape[1], _MASK_SHARE, generator)
                masked = torch.from_numpy(masks).to(ids.device)
            votes.append(model.classifier(inputs, masked=masked)[1].argmax(1).cpu())
        found.append(modal_vote(torch.stack(votes), len(model.classes), generator))
    return torch.cat(found).numpy()


def accuracy_on(model: ImageGPT, part: PackedPart, *, n_mask: int = 0) -> dict[str, float]:
    """Accuracy on the pictures of a part that have a class, with Wilson's interval."""
    chosen = np.flatnonzero(part.labels >= 0)
    right = classify(model, part.tokens[chosen], n_mask=n_mask) == part.labels[chosen]
    accuracy = float(right.mean())
    low, high = accuracy_interval(accuracy, len(chosen))
    return {"accuracy": accuracy, "low": low, "high": high}
