"""What image GPT is held against: raw pixels, PCA, and a small supervised network."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kuaibao.image_gpt.packing import PackedPictures, augment
from kuaibao.image_gpt.probe import accuracy_interval

__all__ = ["pixel_tables", "principal_components", "train_cnn"]

_BATCH = 64


def pixel_tables(packed: PackedPictures) -> dict[str, NDArray[np.float32]]:
    """Each part's pictures as the palette shows them, from 0 to 1: (picture, value)."""
    return {
        name: (packed.palette.decode(np.asarray(part.tokens)) / np.float32(255))
        .reshape(len(part.labels), -1)
        .astype(np.float32)
        for name, part in packed.parts.items()
    }


def principal_components(
    tables: dict[str, NDArray[np.float32]], n: int
) -> dict[str, NDArray[np.float32]]:
    """The same rows in the `n` directions along which the training part varies most."""
    mean = tables["train"].mean(0)
    _, _, directions = np.linalg.svd(tables["train"] - mean, full_matrices=False)
    kept = directions[:n].T
    return {name: ((x - mean) @ kept).astype(np.float32) for name, x in tables.items()}


class _Cnn(nn.Module):
    def __init__(self, n_channel: int, n_class: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_channel, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(8 * width, n_class),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def train_cnn(
    packed: PackedPictures, rows: NDArray[np.int64], *, seconds: float, seed: int,
    max_epoch: int = 60, patience: int = 10, width: int = 32, pad: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """A convolutional network on the classes of some training pictures.

    Args:
        packed: The set.
        rows: Training pictures whose classes it sees.
        seconds: At most so long: what the pre-training took.
        seed: Of weights and order.
        max_epoch: At most.
        patience: Epochs without a better validation accuracy.
        width: Channels.
        pad: Pixels of random shift.

    Returns:
        `accuracy` on the test part at the best epoch, its interval, seconds and epochs.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    model = _Cnn(packed.palette.n_channel, len(packed.classes), width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    labels = torch.from_numpy(packed.train.labels)
    best, best_test, stale, epoch = -1.0, 0.0, 0, 0
    started = time.perf_counter()
    while epoch < max_epoch and stale < patience and time.perf_counter() - started < seconds:
        model.train()
        for index in np.array_split(generator.permutation(rows), max(1, len(rows) // _BATCH)):
            tokens = augment(packed.train.tokens[index], packed.size, generator, pad=pad)
            x = _pixels(packed, tokens if packed.palette.n_channel == 3 else
                        _unflipped(packed, index, generator, pad))  # fmt: skip
            loss = functional.cross_entropy(model(x), labels[torch.from_numpy(index)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        epoch += 1
        validation = _accuracy(model, packed, "validation")
        stale += 1
        if validation > best:
            best, best_test, stale = validation, _accuracy(model, packed, "test"), 0
    n = int((packed.test.labels >= 0).sum())
    low, high = accuracy_interval(best_test, n)
    return {
        "accuracy": best_test, "low": low, "high": high, "validation": best, "epochs": epoch,
        "seconds": time.perf_counter() - started,
        "n_parameter": sum(p.numel() for p in model.parameters()),
    }  # fmt: skip


def _unflipped(
    packed: PackedPictures, index: NDArray[np.int64], generator: np.random.Generator, pad: int
) -> NDArray[Any]:
    """Digits are shifted, never mirrored."""
    size = packed.size
    grid = np.asarray(packed.train.tokens[index]).reshape(-1, size, size)
    padded = np.pad(grid, ((0, 0), (pad, pad), (pad, pad)), mode="edge")
    top, left = generator.integers(0, 2 * pad + 1, 2)
    return padded[:, top : top + size, left : left + size].reshape(len(grid), -1)


def _pixels(packed: PackedPictures, tokens: NDArray[Any]) -> Tensor:
    x = torch.from_numpy(packed.palette.decode(np.asarray(tokens))).permute(0, 3, 1, 2)
    return x.float() / 127.5 - 1


@torch.inference_mode()
def _accuracy(model: nn.Module, packed: PackedPictures, name: str) -> float:
    model.eval()
    part = packed.parts[name]
    right = 0
    for start in range(0, len(part.labels), 256):
        x = _pixels(packed, part.tokens[start : start + 256])
        labels = torch.from_numpy(part.labels[start : start + 256])
        right += int((model(x).argmax(1) == labels).sum())
    return right / max(1, len(part.labels))
