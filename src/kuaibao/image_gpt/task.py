"""Image GPT as a task of the training engine: pre-training by two objectives, and fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.errors import InputError, did_you_mean
from kuaibao.image_gpt.model import ImageClassifier, ImageGPT, load_image_gpt, save_image_gpt
from kuaibao.image_gpt.objectives import (
    autoregressive_loss,
    bits_per_dimension,
    draw_masks,
    joint_loss,
    masked_loss,
)
from kuaibao.image_gpt.packing import PackedPictures, augment, prepare
from kuaibao.image_gpt.palette import Palette
from kuaibao.image_gpt.probe import few_labels
from kuaibao.training import Batch, Recipe, RecipeError
from kuaibao.transformer import TransformerConfig, build_model, named_config
from kuaibao.transformer.resizing import resize_positions

__all__ = ["ImageGPTData", "ImageGPTTask", "make_task"]

_SIZES = ("n_layer", "n_embd", "n_head", "n_inner", "dropout")
_EVALUATE_SEED = 3
BATCH_EVALUATE = 32


@dataclass(frozen=True, kw_only=True)
class ImageGPTData:
    """The `[data]` table."""

    pictures: str
    """`digits`, `mnist`, `emoji`, `emoji-google`, `emoji-twitter`, or a path from the recipe."""
    size: int = 32
    """Side in pixels."""
    grey: bool = False
    n_color: int = 512
    """Colours of the palette: k-means on the training pictures, or grey levels."""
    palette: str = ""
    """A folder or file with a palette, in place of one that is made."""
    n_crop: int = 0
    """Random crops of each training picture of a folder; 0 takes the middle."""
    objective: Literal["autoregressive", "bert"] = "autoregressive"
    mask_share: float = 0.15
    """Pixels that BERT is not shown."""
    augment: bool = False
    """Random crops from a reflected border, and flips."""
    augment_pad: int = 4
    flip_only: bool = False
    """Augment by flips alone."""
    labels: Literal["none", "joint", "class"] = "none"
    """Fine-tune: `joint` for L_gen + L_clf, `class` for L_clf alone."""
    labels_per_class: int = 0
    """Train on so many pictures of each class; 0 for all."""
    label_seed: int = 0
    packed: str = ""
    """Where packed tokens are kept, from the recipe's folder; the run's own if not given."""
    n_evaluate: int = 512
    """Held-out pictures at most."""


class ImageGPTTask:
    """Pictures as tokens; the loss is that of the recipe's objective."""

    sample_unit = "pixels"

    def __init__(self, model: ImageGPT, packed: PackedPictures, data: ImageGPTData) -> None:
        self.image_gpt, self.packed, self.data = model, packed, data
        self.model: Any = model.classifier or model.decoder
        labels = packed.train.labels
        self.chosen: NDArray[np.int64] = np.arange(len(labels))
        if data.labels_per_class:
            has_label = np.flatnonzero(labels >= 0)
            few = few_labels(labels[has_label], data.labels_per_class, seed=data.label_seed)
            self.chosen = has_label[few]
        self.n_sample = len(self.chosen)
        self.start_id: int | None = model.decoder.config.start_id
        if data.objective == "bert":
            self.start_id = None

    def batch(self, indices: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        """Tokens (batch, position), classes (batch), and for BERT what is masked."""
        rows = self.chosen[indices]
        tokens = self.packed.train.tokens[rows].astype(np.int64)
        if self.data.augment:
            pad = 0 if self.data.flip_only else self.data.augment_pad
            tokens = augment(tokens, self.packed.size, generator, pad=pad)
        return self._batch(tokens, self.packed.train.labels[rows], generator)

    def _batch(
        self, tokens: NDArray[np.int64], labels: NDArray[np.int64], generator: np.random.Generator
    ) -> Batch:
        batch = {"tokens": torch.from_numpy(np.ascontiguousarray(tokens)),
                 "labels": torch.from_numpy(labels)}  # fmt: skip
        if self.data.objective == "bert":
            masks = draw_masks(len(tokens), tokens.shape[1], self.data.mask_share, generator)
            batch["masked"] = torch.from_numpy(masks)
        return batch

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Nats a pixel, and when classes are learnt their cross-entropy with it."""
        masked = batch.get("masked")
        if self.data.labels != "none":
            weight = 1.0 if self.data.labels == "joint" else 0.0
            return joint_loss(
                model, batch["tokens"], batch["labels"], start_id=self.start_id, masked=masked,
                generative_weight=weight,
            )  # fmt: skip
        if masked is not None:
            return masked_loss(model, batch["tokens"], masked)
        assert self.start_id is not None
        return autoregressive_loss(model, batch["tokens"], self.start_id)

    def n_unit(self, batch: Batch) -> int:
        """Pixels."""
        return batch["tokens"].numel()

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out loss; bits a dimension for the autoregressive objective, accuracy with labels.

        BERT's masks are the same at each evaluation.
        """
        part = self.packed.validation if len(self.packed.validation.labels) else self.packed.train
        n = min(self.data.n_evaluate, len(part.labels))
        device = next(model.parameters()).device
        generator = np.random.default_rng(_EVALUATE_SEED)
        total, right, n_labelled = 0.0, 0, 0
        for start in range(0, n, BATCH_EVALUATE):
            rows = slice(start, min(n, start + BATCH_EVALUATE))
            host = self._batch(part.tokens[rows].astype(np.int64), part.labels[rows], generator)
            batch = {k: v.to(device) for k, v in host.items()}
            total += float(self.loss(model, batch)) * len(batch["labels"])
            if isinstance(model, ImageClassifier):
                scores = self._scores(model, batch["tokens"])
                right += int((scores.argmax(1) == batch["labels"]).sum())
                n_labelled += int((batch["labels"] >= 0).sum())
        figures = {"loss": total / n}
        if self.data.labels == "none" and self.data.objective == "autoregressive":
            n_channel = self.packed.palette.n_channel
            figures["bits_per_dimension"] = bits_per_dimension(total / n, n_channel)
        if n_labelled:
            figures["accuracy"] = right / n_labelled
        return figures

    def _scores(self, model: ImageClassifier, tokens: Tensor) -> Tensor:
        from kuaibao.image_gpt.objectives import shifted_inputs

        inputs = tokens if self.start_id is None else shifted_inputs(tokens, self.start_id)
        return model(inputs)[1]

    def save(self, model: nn.Module, folder: Path) -> None:
        """A folder that `kuaibao probe`, `complete` and Hugging Face's classes load."""
        if isinstance(model, ImageClassifier):
            whole = ImageGPT(model.decoder, self.packed.palette, model, self.packed.classes)
        else:
            whole = ImageGPT(model, self.packed.palette)
        save_image_gpt(whole, folder)


def make_task(
    recipe: Recipe, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> ImageGPTTask:
    """Pack the pictures and build the model, or load the one to go on from.

    Raises:
        RecipeError: The `[data]` or `[model]` table is wrong.
        InputError: The pictures can't be read.
    """
    data = parse_data(recipe)
    palette = Palette.load(recipe.folder / data.palette) if data.palette else None
    initial: ImageGPT | None = None
    if recipe.run.initial_model:
        initial = load_image_gpt(recipe.folder / recipe.run.initial_model)
        palette = palette or initial.palette
        if initial.size != data.size:  # progressive resolution: on with larger pictures
            initial = replace(
                initial, classifier=None, decoder=resize_positions(initial.decoder, data.size)
            )
    cache = recipe.folder / data.packed if data.packed else recipe.run_folder / "pictures"
    packed = prepare(
        data.pictures, cache, size=data.size, grey=data.grey,
        n_color=data.n_color, palette=palette, folder=recipe.folder, n_crop=data.n_crop,
        progress=progress,
    )  # fmt: skip
    if initial is not None:
        model = ImageGPT(_with_objective(initial.decoder, data), packed.palette)
    else:
        config = model_config(recipe, data, packed.palette.n_color)
        model = ImageGPT(build_model(config, seed=recipe.seed), packed.palette)
    if data.labels != "none":
        if not packed.classes:
            raise InputError(f"{data.pictures} has no classes to learn")
        classifier = ImageClassifier(model.decoder, len(packed.classes))
        model = replace(model, classifier=classifier, classes=packed.classes)
    return ImageGPTTask(model, packed, data)


def _with_objective(decoder: Any, data: ImageGPTData) -> Any:
    is_causal = data.objective == "autoregressive"
    if decoder.config.causal != is_causal:
        raise RecipeError(
            f"data.objective is {data.objective}, the initial model was trained by the other one"
        )
    return decoder


def model_config(recipe: Recipe, data: ImageGPTData, n_color: int) -> TransformerConfig:
    """Sizes of the `[model]` table over those of a named size.

    Raises:
        RecipeError: An unknown setting, or no image GPT.
    """
    sizes = dict(recipe.model)
    name = str(sizes.pop("name", "imagegpt-small"))
    base = named_config(name)
    if base.family != "imagegpt":
        raise RecipeError(f"model.name '{name}' is no image GPT")
    for key in sizes:
        if key not in _SIZES:
            raise RecipeError(f"unknown setting 'model.{key}'", hint=did_you_mean(key, _SIZES))
    return replace(
        base, **sizes, vocab_size=n_color, start_id=n_color, n_positions=data.size**2,
        causal=data.objective == "autoregressive",
    )  # fmt: skip


def parse_data(recipe: Recipe) -> ImageGPTData:
    """The `[data]` table, checked.

    Raises:
        RecipeError: A setting is unknown, of the wrong kind or out of range.
    """
    types = get_type_hints(ImageGPTData)
    for name, value in recipe.data.items():
        if name not in types:
            raise RecipeError(
                f"unknown setting 'data.{name}'",
                hint=did_you_mean(name, [f.name for f in fields(ImageGPTData)]),
            )
        kind = types[name]
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        if choices and value not in choices:
            raise RecipeError(
                f"data.{name} = {value!r} is not one of the known values",
                hint=did_you_mean(str(value), choices),
            )
        is_number = kind is float and isinstance(value, int) and not isinstance(value, bool)
        if not choices and type(value) is not kind and not is_number:
            raise RecipeError(f"data.{name} must be {kind.__name__}, got {value!r}")
    if "pictures" not in recipe.data:
        raise RecipeError("data.pictures is missing: a named set or a folder of pictures")
    data = ImageGPTData(**recipe.data)
    _check(data)
    return data


def _check(data: ImageGPTData) -> None:
    top = 256 if data.grey else 65_536
    rules = {
        "size": 2 <= data.size <= 256,
        "n_color": 2 <= data.n_color <= top,
        "mask_share": 0 < data.mask_share < 1,
        "augment_pad": 0 <= data.augment_pad < data.size,
        "n_crop": 0 <= data.n_crop <= 100,
        "labels_per_class": data.labels_per_class >= 0,
        "n_evaluate": data.n_evaluate >= 1,
    }
    for name, is_right in rules.items():
        if not is_right:
            raise RecipeError(f"data.{name} is out of range: {getattr(data, name)}")
