"""A decoder with its palette, and a classifier where it was fine-tuned: what a folder holds."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kuaibao.errors import InputError
from kuaibao.files import atomic_path, write_json
from kuaibao.image_gpt.palette import Palette
from kuaibao.transformer import load_pretrained, save_pretrained
from kuaibao.transformer.checkpoints import model_folder

__all__ = ["ImageClassifier", "ImageGPT", "load_image_gpt", "save_image_gpt"]

_HEAD = "classifier.safetensors"
_CLASSES = "classes.json"


class ImageClassifier(nn.Module):
    """A decoder and a linear head on the mean of its last normed output (iGPT, section 2.3).

    Args:
        decoder: The pre-trained model.
        n_class: Classes; the head starts at zero.
    """

    def __init__(self, decoder: Any, n_class: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.head = nn.Linear(decoder.config.n_embd, n_class)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: Tensor, *, masked: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits of pixels (batch, position, colour) and of classes (batch, class)."""
        last = self.decoder.hidden(input_ids, None, masked)
        return self.decoder.logits(last), self.head(last.mean(1))


@dataclass(frozen=True, eq=False)
class ImageGPT:
    """A trained model with what belongs to it."""

    decoder: Any
    """`kuaibao.transformer.Decoder`; causal for the autoregressive objective."""
    palette: Palette
    classifier: ImageClassifier | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that palette and model fit.

        Raises:
            InputError: They have different numbers of colours, or the model makes no square.
        """
        config = self.decoder.config
        if config.vocab_size != self.palette.n_color:
            raise InputError(
                f"the model predicts {config.vocab_size} colours, "
                f"the palette has {self.palette.n_color}"
            )
        if isqrt(config.n_positions) ** 2 != config.n_positions:
            raise InputError(f"{config.n_positions} positions are no square picture")

    @property
    def size(self) -> int:
        """Side of the pictures it was trained on."""
        return isqrt(self.decoder.config.n_positions)

    @property
    def is_grey(self) -> bool:
        """Whether it sees one channel."""
        return self.palette.n_channel == 1

    def tokens(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """Tokens (batch, position): bytes are encoded, tokens pass through."""
        if images.ndim == 2:
            return images.astype(np.int64)
        return self.palette.encode(images)


def load_image_gpt(
    folder_or_id: str | os.PathLike[str], *, palette: Palette | None = None
) -> ImageGPT:
    """A model from a folder, or from the hub (`openai/imagegpt-small`).

    Args:
        folder_or_id: As `kuaibao.transformer.load_pretrained` takes it.
        palette: In place of the folder's own.

    Raises:
        CheckpointError: No model there.
        InputError: No palette there, or another kind of model.
    """
    folder = model_folder(folder_or_id)
    decoder = load_pretrained(folder)
    if decoder.config.family != "imagegpt":
        raise InputError(f"{folder_or_id} is a model of text ({decoder.config.family})")
    colors = palette or Palette.load(folder)
    if not (folder / _HEAD).is_file():
        return ImageGPT(decoder, colors)
    try:
        state = load_file(folder / _HEAD)
        classifier = ImageClassifier(decoder, len(state["weight"]))
        classifier.head.load_state_dict(state)
        classes = json.loads((folder / _CLASSES).read_text(encoding="utf-8"))
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{folder}: the classifier is damaged ({error})") from error
    return ImageGPT(decoder, colors, classifier.eval(), tuple(map(str, classes)))


def save_image_gpt(
    model: ImageGPT, folder: str | os.PathLike[str], *, dtype: torch.dtype | None = None
) -> None:
    """Write a folder that `load_image_gpt` and Hugging Face's classes read."""
    target = Path(folder)
    save_pretrained(model.decoder, target, dtype=dtype)
    model.palette.save(target)
    if model.classifier is not None:
        state = {k: v.detach().cpu().contiguous() for k, v in
                 model.classifier.head.state_dict().items()}  # fmt: skip
        with atomic_path(target / _HEAD) as path:
            save_file(state, path)
        write_json(target / _CLASSES, list(model.classes))
