"""From a table in bulletin.toml to a source: kinds by entry point, settings by type."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kuaibao.bulletin.sources.errors import SourceSettingError
from kuaibao.bulletin.sources.protocol import Source, SourceType
from kuaibao.errors import did_you_mean

__all__ = ["make_source", "source_kinds"]

GROUP = "kuaibao.sources"


def source_kinds() -> dict[str, importlib.metadata.EntryPoint]:
    """Every installed kind of source by name."""
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def make_source(
    source_id: str, kind: str, settings: Mapping[str, Any], base_dir: str | Path = "."
) -> Source:
    """Make the source that a `[[sources]]` table describes.

    Args:
        source_id: The source's name, unique in a bulletin.
        kind: The name of an entry point in `kuaibao.sources`.
        settings: The other keys of the table.
        base_dir: Where relative paths in the settings start.

    Raises:
        SourceSettingError: The kind is unknown or settings are wrong; all of them are named.
    """
    kinds = source_kinds()
    if kind not in kinds:
        raise SourceSettingError(
            f"source '{source_id}': unknown source kind '{kind}'", hint=did_you_mean(kind, kinds)
        )
    source_type: SourceType = kinds[kind].load()
    return source_type(source_id, _read_settings(source_id, source_type, settings), Path(base_dir))


def _read_settings(source_id: str, source_type: SourceType, settings: Mapping[str, Any]) -> Any:
    known = [field.name for field in dataclasses.fields(source_type.settings_type)]
    try:
        return TypeAdapter(source_type.settings_type).validate_python(dict(settings))
    except ValidationError as error:
        found = [_sentence(problem, known) for problem in error.errors(include_url=False)]
        raise SourceSettingError(f"source '{source_id}': " + "; ".join(found)) from error


def _sentence(problem: Any, known: list[str]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown setting '{name}' ({did_you_mean(name, known)})"
    if problem["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"setting '{name}' is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    return f"setting '{name}' is {problem['input']!r}: {message[:1].lower()}{message[1:]}"
