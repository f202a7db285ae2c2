"""The losses of PEGASUS as one module: summary tokens, and masked words of the encoder's input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["IGNORED", "SummaryObjective"]

IGNORED = -100
"""Label of a position that is not predicted."""


class SummaryObjective(nn.Module):
    """A model with its loss, so that what wraps a training step sees one forward pass.

    Args:
        net: An `EncoderDecoder`.
        label_smoothing: ε: the wanted token has 1 - ε + ε / V, each other one ε / V.
        has_decoder: False if only masked words are learned; the decoder then gets no gradient.
    """

    def __init__(self, net: Any, label_smoothing: float, *, has_decoder: bool = True) -> None:
        super().__init__()
        self.net = net
        self.label_smoothing = label_smoothing
        self.has_decoder = has_decoder
        if not has_decoder:
            for part in (net.blocks, net.norm):
                part.requires_grad_(False)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each loss in nats a token by its name: `summary`, `words`; smoothed while training.

        Args:
            batch: `input_ids` and `attention_mask` (row, position); `labels` (row, target
                position), `IGNORED` where padded; `masked_labels` as `input_ids`.
        """
        label_smoothing = self.label_smoothing if self.training else 0.0
        seen = batch["attention_mask"]
        memory = self.net.encode(batch["input_ids"], seen)
        losses: dict[str, Tensor] = {}
        if self.has_decoder:
            labels = batch["labels"]
            hidden = self.net.decode(self._shifted(labels), memory, seen)
            losses["summary"] = self._loss(hidden, labels, label_smoothing)
        if "masked_labels" in batch:
            losses["words"] = self._loss(memory, batch["masked_labels"], 0.0)
        return losses

    def share_encoder(self) -> None:
        """Let the decoder begin as the encoder (section 3.2, for masked words alone)."""
        if len(self.net.blocks) != len(self.net.encoder):
            return
        for own, theirs in zip(self.net.blocks, self.net.encoder, strict=True):
            own.load_state_dict(theirs.state_dict(), strict=False)
        self.net.norm.load_state_dict(self.net.encoder_norm.state_dict())

    def _shifted(self, labels: Tensor) -> Tensor:
        """What the decoder reads: the start token, then the labels but the last."""
        config = self.net.config
        known = labels.masked_fill(labels == IGNORED, config.pad_id or 0)
        start = torch.full_like(known[:, :1], config.start_id or 0)
        return torch.cat([start, known[:, :-1]], 1)

    def _loss(self, hidden: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
        """Mean cross-entropy; only positions that are predicted reach the vocabulary."""
        wanted = labels != IGNORED
        logits = self.net.logits(hidden[wanted]).float()
        total = functional.cross_entropy(
            logits, labels[wanted], label_smoothing=label_smoothing, reduction="sum"
        )
        return total / wanted.sum().clamp(min=1)
