"""YAML from outside: plain values only, no tags that make objects, no aliases that multiply."""

from __future__ import annotations

from typing import Any

from kuaibao.errors import InputError, Place

__all__ = ["read_yaml"]

MAX_CHARS = 5_000_000
MAX_DEPTH = 40
MAX_ALIAS = 200


def read_yaml(text: str, file: str = "") -> Any:
    """Read one YAML document.

    Raises:
        InputError: It is ill-formed, too large, too deep, or uses aliases to grow.
    """
    import yaml

    if len(text) > MAX_CHARS:
        raise InputError(f"{file or 'this YAML'} is longer than {MAX_CHARS} characters")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check(yaml, text, loader, file)
        return yaml.load(text, Loader=loader)  # a safe loader: no code, no objects
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else None
        problem = getattr(error, "problem", None) or "ill-formed YAML"
        raise InputError(str(problem), place=place if file else None) from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{file or 'this YAML'} cannot be read: {error}") from error


def _check(yaml: Any, text: str, loader: Any, file: str) -> None:
    depth = n_alias = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        n_alias += isinstance(event, yaml.AliasEvent)
        if depth > MAX_DEPTH or n_alias > MAX_ALIAS:
            raise InputError(f"{file or 'this YAML'} is nested too deeply or has too many aliases")
