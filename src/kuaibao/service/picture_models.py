"""Image models of the service: loaded on first use, one request at a time each, few waiting."""

from __future__ import annotations

import base64
import binascii
import io
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuaibao.errors import InputError, did_you_mean
from kuaibao.service.errors import InvalidRequestError, NotFoundError, OverloadedError

if TYPE_CHECKING:
    from kuaibao.image_gpt import ImageGPT

__all__ = [
    "CompletedPictures", "PictureModels", "PictureOrder", "check_picture_folder",
    "default_picture_models",
]  # fmt: skip

MAX_WAITING = 8
MAX_SOURCE_PIXELS = 4_000_000
"""Of a picture that is sent; it is scaled down to the model's few pixels."""
_SMALL = "image-gpt-emoji"


@dataclass(frozen=True, kw_only=True)
class PictureOrder:
    """What is asked for."""

    model: str
    image: str = ""
    """PNG in base64; empty draws from nothing."""
    keep: float = 0.5
    """Share of the picture's rows that is kept, from the top."""
    n: int = 1
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class CompletedPictures:
    """Pictures as PNG in base64, and the pixels that were read and drawn."""

    pictures: tuple[str, ...]
    size: int
    n_given: int
    n_drawn: int


class _GivenUp(Exception):
    """Ends a drawing from within."""


class PictureModels:
    """Image models by name; safe to call from any thread.

    Args:
        folders: Where each model lies.
        timeout_s: After this a drawing is given up.
    """

    def __init__(self, folders: Mapping[str, str], *, timeout_s: float = 600.0) -> None:
        self._folders = dict(folders)
        self._timeout_s = timeout_s
        self._loaded: dict[str, ImageGPT] = {}
        self._turn = threading.Lock()
        self._n_waiting = 0
        self._count = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Every model."""
        return sorted(self._folders)

    def n_pixel(self, order: PictureOrder) -> tuple[int, int]:
        """Pixels that an order reads and draws; loads the model if need be.

        Raises:
            NotFoundError: No such model.
        """
        size = self._model(order.model).size
        n_given = _n_given(order, size)
        return n_given, order.n * (size**2 - n_given)

    def complete(
        self, order: PictureOrder, is_given_up: Callable[[], bool] = lambda: False
    ) -> CompletedPictures:
        """Go on with a picture, or draw from nothing.

        Args:
            order: What is wanted.
            is_given_up: Asked after every pixel; ends the drawing.

        Raises:
            NotFoundError: No such model.
            InvalidRequestError: The picture is none, or too large.
            OverloadedError: Too many wait already, or it took too long.
        """
        with self._count:
            if self._n_waiting >= MAX_WAITING:
                raise OverloadedError(f"{self._n_waiting} drawings are waiting already")
            self._n_waiting += 1
        deadline = time.monotonic() + self._timeout_s
        try:
            model, pixels = self._model(order.model), _read(order)
            with self._turn:
                return _draw(model, order, pixels, lambda: _look(deadline, is_given_up))
        except _GivenUp as error:
            raise OverloadedError("the drawing was given up before its end") from error
        finally:
            with self._count:
                self._n_waiting -= 1

    def _model(self, name: str) -> ImageGPT:
        if name not in self._folders:
            raise NotFoundError(
                f"The image model '{name}' does not exist. {did_you_mean(name, self._folders)}",
                param="model", code="model_not_found",
            )  # fmt: skip
        with self._turn:
            if name not in self._loaded:
                from kuaibao.image_gpt import load_image_gpt

                self._loaded[name] = load_image_gpt(self._folders[name])
            return self._loaded[name]


def default_picture_models() -> Mapping[str, str]:
    """The small image model that comes with the source tree, or none."""
    from kuaibao.transformer import CheckpointError
    from kuaibao.transformer.shipped import shipped_model

    try:
        return {_SMALL: str(shipped_model(_SMALL))}
    except CheckpointError:
        return {}


def check_picture_folder(name: str, folder: str) -> None:
    """Raise `InputError` unless the folder looks like an image model's."""
    path = Path(folder)
    if not (path / "config.json").is_file() or not list(path.glob("*.safetensors")):
        raise InputError(f"image model {name!r}: {folder} holds no model")


def _n_given(order: PictureOrder, size: int) -> int:
    if not order.image:
        return 0
    return min(size**2 - 1, round(order.keep * size) * size)


def _read(order: PictureOrder) -> Any:
    from kuaibao.image_gpt import PictureError, decode_picture

    if not order.image:
        return None
    try:
        data = base64.b64decode(order.image.removeprefix("data:image/png;base64,"), validate=True)
        return decode_picture(data, formats=("PNG",), max_pixels=MAX_SOURCE_PIXELS)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("image is not base64", param="image") from error
    except PictureError as error:
        raise InvalidRequestError(error.message, param="image") from error


def _draw(
    model: ImageGPT, order: PictureOrder, picture: Any, look: Callable[[], None]
) -> CompletedPictures:
    import numpy as np

    from kuaibao.image_gpt import complete, draw_picture, resize

    n_position, n_given = model.size**2, _n_given(order, model.size)
    tokens = np.zeros((1, n_position), dtype=np.int64)
    if picture is not None:
        tokens = model.palette.encode(resize(picture, model.size, grey=model.is_grey)[None])
    drawn = complete(
        model, tokens, n_given, order.n, temperature=order.temperature, top_k=order.top_k,
        top_p=order.top_p, seed=order.seed, progress=lambda _done: look(),
    )[0]  # fmt: skip
    pictures = tuple(_png(draw_picture(model, row)) for row in drawn)
    return CompletedPictures(pictures, model.size, n_given, order.n * (n_position - n_given))


def _look(deadline: float, is_given_up: Callable[[], bool]) -> None:
    if is_given_up() or time.monotonic() > deadline:
        raise _GivenUp


def _png(picture: Any) -> str:
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")
