"""Things that can be taken away from a data path for a moment: the disk, full-size JPEG.

Each is a context manager; what it changes is put back.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from torch.utils.data import Dataset

__all__ = [
    "OPENED",
    "DraftedPictures",
    "OpenedFiles",
    "ResizeLog",
    "drafted_jpegs",
    "ram_files",
]

_MAX_RAM_BYTES = 1 << 30


class OpenedFiles:
    """Paths of files opened for reading while `collect` is on (an audit hook; it can't leave)."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self.collect = False
        self._installed = False

    def install(self) -> None:
        """Add the audit hook, once."""
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.collect and event == "open":
            path, mode, flags = (*arguments, None, None, None)[:3]
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if isinstance(path, str | bytes) and not writes and "w" not in str(mode or ""):
                name = os.fsdecode(path)
                if not name.startswith(("/proc", "/sys", "/dev")):
                    self.paths[os.path.abspath(name)] = None

    @contextmanager
    def collecting(self) -> Generator[dict[str, None]]:
        """Collect the paths opened inside the block."""
        self.install()
        self.paths = {}
        self.collect = True
        try:
            yield self.paths
        finally:
            self.collect = False


OPENED = OpenedFiles()


@contextmanager
def ram_files(paths: list[str]) -> Generator[None]:
    """Let `open` serve these files from RAM (Python's own `open`; C libraries go round it)."""
    contents: dict[str, bytes] = {}
    total = 0
    for path in paths:
        with suppress(OSError):
            total += os.path.getsize(path)
            if total > _MAX_RAM_BYTES:
                break
            with open(path, "rb") as file:
                contents[path] = file.read()
    original = builtins.open

    def open_(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        with suppress(TypeError):
            data = contents.get(os.path.abspath(os.fsdecode(os.fspath(file))))
            if data is not None and mode in ("rb", "r", "rt", "br"):
                raw = io.BytesIO(data)
                if "b" in mode:
                    return raw
                return io.TextIOWrapper(raw, *args[1:2], **_text_options(kwargs))
        return original(file, mode, *args, **kwargs)

    builtins.open = open_  # type: ignore[assignment]
    io.open = open_  # type: ignore[assignment]
    try:
        yield
    finally:
        builtins.open = original
        io.open = original


def _text_options(options: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if k in ("encoding", "errors", "newline")}


@contextmanager
def drafted_jpegs(resizes: ResizeLog) -> Generator[None]:
    """Open JPEGs at the least of their 1/1, 1/2, 1/4, 1/8 sizes that covers the later resize."""
    from PIL import Image

    original: Any = Image.open

    def open_(*args: Any, **kwargs: Any) -> Any:
        image: Any = original(*args, **kwargs)
        if image.format == "JPEG" and resizes.target is not None:
            image.draft(None, resizes.target)
        return image

    Image.open = open_
    try:
        yield
    finally:
        Image.open = original


class ResizeLog:
    """The largest size that images of at least twice that size are resized to."""

    def __init__(self) -> None:
        self.target: tuple[int, int] | None = None
        self.n_resize = 0
        self.n_other_use = 0

    @contextmanager
    def watching(self) -> Generator[None]:
        """Note every whole-image resize inside the block; crops first make it unsafe."""
        if "PIL.Image" not in sys.modules:
            yield
            return
        from PIL import Image

        kind: Any = Image.Image
        resize, crop, log = kind.resize, kind.crop, self

        def resized(image: Any, size: Any, *args: Any, **kwargs: Any) -> Any:
            width, height = int(size[0]), int(size[1])
            box = kwargs.get("box") or (args[1] if len(args) > 1 else None)
            if box is None and image.width >= 2 * width and image.height >= 2 * height:
                log.n_resize += 1
                old = log.target or (0, 0)
                log.target = (max(old[0], width), max(old[1], height))
            else:
                log.n_other_use += 1
            return resize(image, size, *args, **kwargs)

        def cropped(image: Any, *args: Any, **kwargs: Any) -> Any:
            if log.n_resize == 0:
                log.n_other_use += 1
            return crop(image, *args, **kwargs)

        kind.resize, kind.crop = resized, cropped
        try:
            yield
        finally:
            kind.resize, kind.crop = resize, crop

    @property
    def is_safe(self) -> bool:
        """Whether every image went through such a resize first."""
        return self.n_resize > 0 and self.n_other_use == 0


class DraftedPictures(Dataset[Any]):
    """A map-style data set whose JPEGs are decoded at the size that a resize leaves of them.

    Args:
        dataset: Its pictures go through a resize to at most half their size.
        indices: Samples to learn that size from.
    """

    def __init__(self, dataset: Any, indices: list[Any]) -> None:
        self.dataset = dataset
        self.resizes = ResizeLog()
        with self.resizes.watching():
            for index in indices:
                dataset[index]

    def __len__(self) -> int:
        """Samples of the underlying data set."""
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        """One sample."""
        with drafted_jpegs(self.resizes):
            return self.dataset[index]
