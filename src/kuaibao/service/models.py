"""Where models come from: a folder, or the small model of the repository when none is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kuaibao.errors import InputError, did_you_mean
from kuaibao.service.engine.model import LanguageModel
from kuaibao.service.engine.pool import ModelSpec
from kuaibao.service.remote import parse_remote
from kuaibao.service.settings import ServiceSettings

__all__ = ["default_models", "make_spec"]

_SMALL = "gpt-small"


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
    if settings.precision not in ("float32", "int8"):
        raise InputError(
            f"unknown precision {settings.precision!r}",
            hint=did_you_mean(settings.precision, ["float32", "int8"]),
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
    size_bytes = 2 * sum(path.stat().st_size for path in weights)

    def load() -> LanguageModel:
        from kuaibao.service.engine.core import CoreModel

        precision = "int8" if settings.precision == "int8" else "float32"
        return CoreModel.load(name, folder, n_slot=settings.n_slot, precision=precision)

    return ModelSpec(
        name=name,
        load=load,
        size_bytes=size_bytes,
        created=int((folder / "config.json").stat().st_mtime),
    )


def _never() -> LanguageModel:
    raise InputError(
        "this model lives on another server: only completions, chat and embeddings are handed on"
    )
