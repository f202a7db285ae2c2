"""Settings of the service: a TOML file, `KUAIBAO_*` variables over it, flags over both."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from kuaibao.errors import InputError, Place, did_you_mean

__all__ = ["ServiceSettings", "load_settings"]


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Everything that `kuaibao serve-models` can be told."""

    data: str = "kuaibao-service"
    """Folder of the database, uploaded files and fine-tuned models."""
    host: str = "127.0.0.1"
    """Address to listen on; other than loopback only behind a TLS proxy."""
    port: int = 8000
    """Port to listen on."""
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    """Models by name: a folder, or the URL of an OpenAI-compatible server."""
    image_models: Mapping[str, str] = field(default_factory=dict[str, str])
    """Image models by name: a folder that `kuaibao train` or `save_image_gpt` made."""
    remote_keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """For a remote model the environment variable that holds its key."""
    memory_gb: float = 4.0
    """What loaded models may take together, in 10^9 bytes."""
    n_slot: int = 0
    """Sequences that one model completes at once; 0: as many as a quarter of `memory_gb` holds,
    128 at most."""
    precision: str = "auto"
    """`auto`: text is written with int8 weights, and whatever asks for numbers (log-probabilities,
    likelihood, embeddings) gets the model as it is. `int8` or `float32`: one of them for all."""
    max_waiting: int = 256
    """Sequences that may wait before requests are turned away with 503."""
    timeout_s: float = 600.0
    """After this a request is dropped, wherever it is."""
    max_body_bytes: int = 8_000_000
    """Largest request body other than an upload."""
    max_file_bytes: int = 100_000_000
    """Largest uploaded file."""
    tidy_every_s: float = 600.0
    """How often held texts that have outlived their retention are deleted."""
    log_requests: bool = True
    """Whether each request is a JSON line on standard error: route, status, time; never texts."""
    open_sign_up: bool = True
    """Whether strangers may file applications."""
    smtp: str = ""
    """Mail server for budget alerts, HOST or HOST:PORT; none: they are logged and shown only."""
    mail_from: str = "kuaibao@localhost"
    """Sender of those mails."""
    currency: str = "EUR"
    """Of the prices below."""
    prices: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict[str, Mapping[str, float]]
    )
    """By model: `prompt` and `completion`, per 1,000 tokens."""


def load_settings(
    file: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    **flags: Any,
) -> ServiceSettings:
    """Read the settings; later sources win, flags that are None do not count.

    Raises:
        InputError: Unknown name or a value of the wrong type; names the place.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values |= _from_file(Path(file))
    values |= _from_environment(os.environ if environment is None else environment)
    values |= {k: v for k, v in flags.items() if v is not None}
    return ServiceSettings(**values)


_TYPES: dict[str, type] = {
    f.name: {"str": str, "int": int, "float": float, "bool": bool}.get(str(f.type), dict)
    for f in fields(ServiceSettings)
}


_BOOLEANS = {
    "1": True, "true": True, "yes": True, "on": True,
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip
_PRICE_PARTS = ("prompt", "completion")
_RANGES: dict[str, tuple[float, float]] = {
    "port": (0, 65_535), "memory_gb": (0.001, 1e6), "n_slot": (0, 4096), "max_waiting": (1, 1e6),
    "timeout_s": (0.1, 1e6), "max_body_bytes": (1, 1e12), "max_file_bytes": (1, 1e12),
    "tidy_every_s": (0.1, 1e6),
}  # fmt: skip


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"can't read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    for name, value in values.items():
        place = _place(str(path), text, name)
        if name not in _TYPES:
            raise InputError(
                f"unknown setting '{name}'", place=place, hint=did_you_mean(name, _TYPES)
            )
        values[name] = _checked(name, value, place)
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        text = environment.get(f"KUAIBAO_{name.upper()}")
        if text is None:
            continue
        place = Place(file=f"KUAIBAO_{name.upper()}")
        values[name] = _checked(name, _parsed(name, kind, text, place), place)
    return values


def _parsed(name: str, kind: type, text: str, place: Place) -> Any:
    """What a variable says: `NAME=VALUE,…` for a table, `NAME=PROMPT:COMPLETION,…` for prices."""
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise InputError(f"{text!r} is neither true nor false", place=place)
        return _BOOLEANS[text.lower()]
    try:
        if kind is not dict:
            return kind(text)
        pairs = dict(part.split("=", 1) for part in text.split(",") if part.strip())
        if name != "prices":
            return pairs
        both = {model: price.split(":") for model, price in pairs.items()}
        return {m: {"prompt": float(p), "completion": float(c)} for m, (p, c) in both.items()}
    except ValueError as error:
        form = "NAME=PROMPT:COMPLETION,…" if name == "prices" else "NAME=VALUE,…"
        wanted = f"not of the form {form}" if kind is dict else f"no {kind.__name__}"
        raise InputError(f"{text!r} is {wanted}", place=place) from error


def _checked(name: str, value: Any, place: Place) -> Any:
    kind = _TYPES[name]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(
            f"{name} must be {kind.__name__}, got {type(value).__name__} {value!r}", place=place
        )
    least, most = _RANGES.get(name, (-math.inf, math.inf))
    if kind in (int, float) and not least <= value <= most:
        raise InputError(f"{name} lies between {least:g} and {most:g}, got {value!r}", place=place)
    if kind is dict:
        for key, entry in cast("Mapping[str, Any]", value).items():
            _check_entry(name, key, entry, place)
    return value


def _check_entry(name: str, key: str, entry: Any, place: Place) -> None:
    """One row of a table: a text, or for prices two numbers."""
    if name != "prices":
        if not isinstance(entry, str):
            raise InputError(f"{name}: '{key}' must be a text, got {entry!r}", place=place)
        return
    if not isinstance(entry, Mapping):
        raise InputError(
            f"prices: '{key}' must have prompt and completion, got {entry!r}", place=place
        )
    for part, price in cast("Mapping[str, Any]", entry).items():
        if part not in _PRICE_PARTS:
            raise InputError(
                f"prices: unknown part '{part}' of '{key}'", place=place,
                hint=did_you_mean(part, _PRICE_PARTS),
            )  # fmt: skip
        is_number = isinstance(price, int | float) and not isinstance(price, bool)
        if not is_number or not 0 <= price < math.inf:
            raise InputError(
                f"prices: {part} of '{key}' is a number from 0, got {price!r}", place=place
            )


def _place(file: str, text: str, name: str) -> Place:
    for number, line in enumerate(text.splitlines(), 1):
        column = line.find(name)
        if column >= 0:
            return Place(
                file=file, line=number, column=column + 1, source_line=line, length=len(name)
            )
    return Place(file=file)
