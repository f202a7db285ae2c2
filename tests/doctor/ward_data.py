"""The data the patients work on: JPEGs cut from real photographs, texts and tables, made once."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
from pathlib import Path

import numpy as np

__all__ = ["make_data"]

_WORDS = [
    *("bulletin", "model", "gradient", "loader", "worker", "batch", "tensor", "photograph"),
    *("decode", "token", "sentence", "summary", "figure", "journal", "measure", "cache"),
]


def make_data(folder: Path, *, n_image: int = 96, side: int = 512) -> Path:
    """Fill `folder` once: `jpegs/`, `records/`, `blobs/`, `texts.txt`, `table.csv`, `pixels.npy`.

    The pictures are noisy crops of the two photographs that come with scikit-learn, 75 KB each at
    the default side, so that decoding costs what it costs with a camera's pictures.
    """
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    _make_images(folder, n_image, side, rng)
    _make_records(folder)
    _make_blobs(folder, rng)
    words = random.Random(0)
    lines = [" ".join(words.choices(_WORDS, k=words.randint(40, 90))) for _ in range(2000)]
    (folder / "texts.txt").write_text("\n".join(lines))
    table = rng.normal(size=(4000, 32)).astype(np.float32)
    np.savetxt(folder / "table.csv", table, delimiter=",", fmt="%.5f")
    np.save(folder / "table.npy", table)
    (folder / "complete").write_text("yes\n")
    return folder


def _make_images(folder: Path, n_image: int, side: int, rng: np.random.Generator) -> None:
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    (folder / "jpegs").mkdir(exist_ok=True)
    pixels = []
    for number in range(n_image):
        photograph = photographs[number % 2]
        crop = int(rng.integers(200, 400))
        top = int(rng.integers(0, photograph.shape[0] - crop))
        left = int(rng.integers(0, photograph.shape[1] - crop))
        image = Image.fromarray(photograph[top : top + crop, left : left + crop])
        array = np.asarray(image.resize((side, side)), dtype=np.int16)
        noisy = np.clip(array + rng.normal(0, 6, array.shape), 0, 255).astype(np.uint8)
        image = Image.fromarray(noisy)
        image.save(folder / "jpegs" / f"{number % 2}_{number:04d}.jpg", quality=90)
        pixels.append(np.asarray(image.resize((64, 64))))
    np.save(folder / "pixels.npy", np.stack(pixels))


def _make_records(folder: Path) -> None:
    from PIL import Image

    (folder / "records").mkdir(exist_ok=True)
    for number, path in enumerate(sorted((folder / "jpegs").glob("*.jpg"))[:64]):
        buffer = io.BytesIO()
        Image.open(path).resize((256, 256)).save(buffer, "PNG")
        picture = base64.b64encode(buffer.getvalue()).decode()
        with gzip.open(folder / "records" / f"{number:03d}.json.gz", "wt", 1) as file:
            json.dump({"label": number % 2, "picture": picture}, file)


def _make_blobs(folder: Path, rng: np.random.Generator) -> None:
    (folder / "blobs").mkdir(exist_ok=True)
    for number in range(12):
        blob = rng.integers(0, 255, 6_000_000, dtype=np.uint8)
        (folder / "blobs" / f"{number:02d}.bin").write_bytes(blob.tobytes())
