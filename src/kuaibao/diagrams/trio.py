"""Program files: a trio file names Substance, Style and Domain, or each is given by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kuaibao.diagrams.domains import shipped_path
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.language.source import MAX_SOURCE_CHARS
from kuaibao.errors import Place

__all__ = ["ProgramFiles", "read_files", "read_trio"]


@dataclass(frozen=True, kw_only=True)
class ProgramFiles:
    """The texts of a program with the names of their files."""

    name: str
    substance: tuple[str, str]
    style: tuple[tuple[str, str], ...]
    domain: tuple[str, str]
    folders: tuple[Path, ...]
    """Where the pictures of the Style are looked for."""
    variation: str = ""
    excluded_warnings: tuple[str, ...] = ()


def read_trio(path: Path) -> ProgramFiles:
    """A trio file and the files that it names, relative to it.

    Raises:
        DiagramError: The file is not a trio (`TrioError`), or one that it names cannot be read.
    """
    text = _read(path)
    try:
        data: Any = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        place = Place(file=str(path), line=line, column=column)
        raise DiagramError("TrioError", f"not JSON: {error}", place=place) from error
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    substance, domain = _one(fields, "substance", path), _one(fields, "domain", path)
    styles = _many(fields.get("style"), "style", path)
    if not styles:
        raise _wrong(path, "'style' must be a list of file names")
    excluded = _many(fields.get("excludeWarnings", []), "excludeWarnings", path)
    variation = fields.get("variation", "")
    if not isinstance(variation, str):
        raise _wrong(path, "'variation' must be a string")
    name = path.name.removesuffix(".json").removesuffix(".trio")
    files = read_files(
        _beside(path, substance), [_beside(path, one) for one in styles], _beside(path, domain)
    )
    return ProgramFiles(
        name=name,
        substance=files.substance,
        style=files.style,
        domain=files.domain,
        folders=(*files.folders, path.parent),
        variation=variation,
        excluded_warnings=tuple(excluded),
    )


def read_files(substance: Path, styles: Sequence[Path], domain: Path) -> ProgramFiles:
    """Three kinds of files, read; `kuaibao:sets/euler.style` is one of the package's own.

    Raises:
        DiagramError: A file cannot be read (`FileError`).
    """
    substance = shipped_path(str(substance)) or substance
    styles = [shipped_path(str(style)) or style for style in styles]
    domain = shipped_path(str(domain)) or domain
    return ProgramFiles(
        name=substance.stem,
        substance=(str(substance), _read(substance)),
        style=tuple((str(style), _read(style)) for style in styles),
        domain=(str(domain), _read(domain)),
        folders=tuple(dict.fromkeys(style.parent for style in styles)),
    )


def _beside(path: Path, name: str) -> Path:
    """A file named in a trio: relative to it, or one that comes with the package."""
    return shipped_path(name) or path.parent / name


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > 4 * MAX_SOURCE_CHARS:
            raise DiagramError("FileError", f"{path} is larger than a program can be")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiagramError("FileError", f"cannot read {path}: {reason}") from error
    except UnicodeDecodeError as error:
        raise DiagramError("FileError", f"{path} is not UTF-8 text: {error.reason}") from error


def _wrong(path: Path, message: str) -> DiagramError:
    return DiagramError(
        "TrioError",
        message,
        place=Place(file=str(path)),
        hint='A trio is {"substance": "a.substance", "style": ["b.style"], "domain": "c.domain"}.',
    )


def _one(fields: dict[str, Any], key: str, path: Path) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise _wrong(path, f"'{key}' must be a file name")
    return value


def _many(value: Any, key: str, path: Path) -> list[str]:
    if isinstance(value, str):
        return [value]
    names = cast("list[Any]", value) if isinstance(value, list) else [None]
    if any(not isinstance(name, str) for name in names):
        raise _wrong(path, f"'{key}' must be a list of strings")
    return cast("list[str]", names)
