"""Fitting the probe of figures on a folder of examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.files import hash_value
from kuaibao.image_gpt.figures.kinds import KINDS, FigureProbe, figure_features
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.pictures import SUFFIXES, read_picture
from kuaibao.image_gpt.probe import accuracy_interval

__all__ = ["train_figure_probe"]

_HELD_OUT = 0.25


def train_figure_probe(
    model: ImageGPT, folder: Path, *, progress: Callable[[int], None] = lambda done: None
) -> tuple[FigureProbe, dict[str, Any]]:
    """Fit on three quarters of the examples for a figure, then on all.

    Files whose names begin alike up to the first `-` (crops of one photograph) stay together.

    Args:
        model: Whose features are used.
        folder: Its sub-folders are named as `KINDS`.
        progress: Told how many pictures are read.

    Returns:
        The probe, and `accuracy` on the held-out quarter with its interval and confusion table.

    Raises:
        InputError: A kind is missing.
    """
    values: list[NDArray[np.float32]] = []
    labels: list[int] = []
    groups: list[str] = []
    for index, kind in enumerate(KINDS):
        files = sorted(p for p in (folder / kind).glob("*") if p.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError(f"{folder} has no pictures of kind '{kind}'")
        for file in files:
            values.append(figure_features(model, [read_picture(file)])[0])
            labels.append(index)
            groups.append(f"{kind} {file.stem.split('-')[0]}")
            progress(len(labels))
    x, y = torch.from_numpy(np.stack(values)), torch.tensor(labels)
    is_held = torch.tensor([int(hash_value(g)[:8], 16) / 2**32 < _HELD_OUT for g in groups])
    figures: dict[str, Any] = {"n_train": len(y), "n_test": int(is_held.sum())}
    if is_held.any() and not is_held.all():
        guessed = FigureProbe.fit(x[~is_held], y[~is_held]).probe.predict(x[is_held])
        accuracy = float((guessed == y[is_held]).double().mean())
        table = torch.zeros(len(KINDS), len(KINDS), dtype=torch.long)
        for wanted, got in zip(y[is_held].tolist(), guessed.tolist(), strict=True):
            table[wanted, got] += 1
        figures |= {"accuracy": accuracy, "interval": accuracy_interval(accuracy, len(guessed)),
                    "kinds": KINDS, "confusion": table.tolist()}  # fmt: skip
    return FigureProbe.fit(x, y), figures
