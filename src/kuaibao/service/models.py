"""Where models come from: a folder, or the small model of the repository when none is named."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

from kuaibao.errors import InputError, did_you_mean
from kuaibao.service.engine.model import LanguageModel
from kuaibao.service.engine.pool import ModelSpec
from kuaibao.service.remote import parse_remote
from kuaibao.service.settings import ServiceSettings

__all__ = ["default_models", "make_spec"]

_SMALL = "gpt-small"
_PRECISIONS = ("auto", "int8", "float32")
_MOST_SLOTS = 128
_SIZES = (
    ("n_layer", "num_hidden_layers", "decoder_layers"),
    ("n_embd", "hidden_size", "d_model"),
    ("n_positions", "max_position_embeddings", "n_ctx"),
)
"""Layers, width and positions, as the layouts of config.json call them."""


def default_models() -> Mapping[str, str]:
    """The small model that comes with the source tree.

    Raises:
        CheckpointError: This installation has none.
    """
    from kuaibao.transformer.shipped import shipped_model

    return {_SMALL: str(shipped_model(_SMALL))}


def make_spec(settings: ServiceSettings, name: str, where: str) -> ModelSpec:
    """A model that is loaded when first asked for, or one that another server has.

    Raises:
        InputError: `where` is no folder of a model, or the key of a remote one is missing.
    """
    if settings.precision not in _PRECISIONS:
        raise InputError(
            f"unknown precision {settings.precision!r}",
            hint=did_you_mean(settings.precision, _PRECISIONS),
        )
    key_variable = settings.remote_keys.get(name, "")
    if remote := parse_remote(name, where, key_variable, settings.timeout_s):
        return ModelSpec(name=name, load=_never, size_bytes=0, owner="remote", remote=remote)
    folder = Path(where)
    weights = list(folder.glob("*.safetensors"))
    if not weights or not (folder / "config.json").is_file():
        raise InputError(
            f"{where} holds no model",
            hint="It needs config.json and *.safetensors (and a tokenizer).",
        )
    weights_bytes = sum(path.stat().st_size for path in weights)
    is_rounded = settings.precision != "float32"
    main = _Plan.of(folder, settings, is_int8=is_rounded)
    exact = _Plan.of(folder, settings, is_int8=False)
    splits = settings.precision == "auto"
    return ModelSpec(
        name=name,
        load=partial(_load, name, folder, main),
        size_bytes=weights_bytes + main.cache_bytes,
        load_exact=partial(_load, name, folder, exact) if splits else None,
        exact_size_bytes=weights_bytes + exact.cache_bytes,
        folder=str(folder.absolute()),
        created=int((folder / "config.json").stat().st_mtime),
    )


@dataclass(frozen=True)
class _Plan:
    """How a model is held: how many sequences at once, and what their caches take."""

    is_int8: bool
    n_slot: int
    cache_bytes: int

    @classmethod
    def of(cls, folder: Path, settings: ServiceSettings, *, is_int8: bool) -> Self:
        slot_bytes = _slot_bytes(folder / "config.json", is_int8=is_int8)
        room = int(settings.memory_gb * 1e9 / 4 / slot_bytes)
        n_slot = settings.n_slot or max(1, min(_MOST_SLOTS, room))
        return cls(is_int8, n_slot, n_slot * slot_bytes)


def _slot_bytes(config: Path, *, is_int8: bool) -> int:
    """Keys and values of one sequence, an estimate by the names that layouts use."""
    try:
        said: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{config} is not valid JSON: {error}") from error
    sizes: list[int] = []
    for names in _SIZES:
        found = [said[name] for name in names if isinstance(said.get(name), int)]
        sizes.append(max(1, found[0] if found else 1024))
    return 2 * math.prod(sizes) * (1 if is_int8 else 4)


def _load(name: str, folder: Path, plan: _Plan) -> LanguageModel:
    from kuaibao.service.engine.core import CoreModel

    _set_libraries_aside()
    precision = "int8" if plan.is_int8 else "float32"
    return CoreModel.load(name, folder, n_slot=plan.n_slot, precision=precision)


@cache
def _set_libraries_aside() -> None:
    """What the libraries brought stays for good: no collection need walk it (0.15 s with torch)."""
    gc.collect()
    gc.freeze()


def _never() -> LanguageModel:
    raise InputError(
        "this model lives on another server: only completions, chat and embeddings are handed on"
    )
