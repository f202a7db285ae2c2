"""Pictures from files as bytes of one size: bounded, broken ones named and skipped."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kuaibao.image_gpt.errors import PictureError

__all__ = [
    "SUFFIXES", "LabelledPictures", "decode_picture", "read_folder", "read_picture", "resize",
]  # fmt: skip

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
MAX_PIXELS = 64_000_000
MAX_BYTES = 50_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")


def read_picture(path: Path) -> Image.Image:
    """A picture in RGB; transparent parts on white, 16-bit greys scaled.

    Raises:
        PictureError: No picture, broken, or more than 64 million pixels.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"{path}: larger than {MAX_BYTES // 10**6} MB")
    except OSError as error:
        raise PictureError(f"{path}: no picture that can be read ({error})") from error
    return _opened(path, str(path), _FORMATS, MAX_PIXELS)


def decode_picture(
    data: bytes, *, name: str = "the picture", formats: Sequence[str] = _FORMATS,
    max_pixels: int = MAX_PIXELS,
) -> Image.Image:  # fmt: skip
    """A picture from bytes of one of the formats (Pillow's names); like `read_picture`."""
    if len(data) > MAX_BYTES:
        raise PictureError(f"{name}: larger than {MAX_BYTES // 10**6} MB")
    return _opened(io.BytesIO(data), name, formats, max_pixels)


def _opened(
    source: Path | io.BytesIO, name: str, formats: Sequence[str], max_pixels: int
) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=tuple(formats)) as opened:
                if opened.width * opened.height > max_pixels:
                    raise PictureError(
                        f"{name}: {opened.width} x {opened.height} pixels are too many"
                    )
                opened.load()
                return _rgb(opened)
    except PictureError:
        raise
    except Exception as error:  # a broken file can make a decoder stumble in any way
        raise PictureError(f"{name}: no picture that can be read ({error})") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        top = 65_535.0 if values.max(initial=0) > 255 else 255.0
        grey = np.clip(values / top * 255, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")


def resize(picture: Image.Image, size: int, *, grey: bool = False) -> NDArray[np.uint8]:
    """The middle square at `size` pixels a side, as bytes (size, size, 3), or (size, size, 1)."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    small = square.resize(
        (size, size), Image.Resampling.BOX if side >= size else Image.Resampling.BILINEAR
    )
    if grey:
        return np.asarray(small.convert("L"), dtype=np.uint8)[..., None]
    return np.asarray(small, dtype=np.uint8)


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures of one size with their classes."""

    images: NDArray[np.uint8]
    """(picture, size, size, channel)."""
    labels: NDArray[np.int64]
    """Index of each one's class; -1 without classes."""
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    """What could not be read, and why."""


def read_folder(
    folder: Path,
    size: int,
    *,
    grey: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> LabelledPictures:
    """All pictures under a folder; sub-folders of the first level are classes.

    An `.npz` file with `images` (and `labels`) is read as it is.

    Raises:
        PictureError: Nothing there that can be read.
    """
    if folder.suffix == ".npz":
        return _read_npz(folder)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    classes = sorted({p.relative_to(folder).parts[0] for p in files if p.parent != folder})
    index = {name: i for i, name in enumerate(classes)}
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    skipped: list[str] = []
    for n, (path, picture) in enumerate(_pictures(files, skipped), 1):
        images.append(resize(picture, size, grey=grey))
        labels.append(index.get(path.relative_to(folder).parts[0], -1))
        progress(n)
    if not images:
        raise PictureError(f"{folder} holds no pictures", hint="; ".join(skipped[:3]))
    return LabelledPictures(
        np.stack(images), np.array(labels, dtype=np.int64), tuple(classes), tuple(skipped)
    )


def _pictures(files: Iterable[Path], skipped: list[str]) -> Iterator[tuple[Path, Image.Image]]:
    for path in files:
        try:
            yield path, read_picture(path)
        except PictureError as error:
            skipped.append(error.message)


def _read_npz(path: Path) -> LabelledPictures:
    try:
        with np.load(path, allow_pickle=False) as stored:
            images: Any = stored["images"]
            labels: Any = stored["labels"] if "labels" in stored else np.full(len(images), -1)
            names: Any = stored.get("classes", [])
    except (OSError, KeyError, ValueError) as error:
        raise PictureError(f"{path} holds no pictures: {error}") from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or len(labels) != len(images):
        raise PictureError(f"{path}: 'images' are bytes (n, height, width[, channel])")
    if images.ndim == 3:
        images = images[..., None]
    labels = labels.astype(np.int64)
    classes = tuple(str(n) for n in names) or tuple(str(i) for i in range(int(labels.max()) + 1))
    return LabelledPictures(images, labels, classes)
