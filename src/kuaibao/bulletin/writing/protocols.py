"""What the bulletin wants from engines, and how they are found.

An engine fits a shape without knowing the bulletin; an entry point names a function without
arguments that makes it. A new one is one line in some package's `pyproject.toml`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Protocol

from kuaibao.errors import InputError, did_you_mean

__all__ = [
    "GROUPS",
    "Illustrator",
    "Summarizer",
    "Translator",
    "find_illustrator",
    "find_summarizer",
    "find_translator",
    "installed",
]

GROUPS = {
    "summarizer": "kuaibao.summarizers",
    "illustrator": "kuaibao.illustrators",
    "translator": "kuaibao.translators",
}


class Summarizer(Protocol):
    """Writes a summary in its own words."""

    def summarize(self, document: str, *, n_sentence: int, language: str) -> Sequence[str]:
        """At most `n_sentence` sentences, in the document's language (`en`, `zh`, …)."""
        ...


class Illustrator(Protocol):
    """Draws a program."""

    def illustrate(self, program: str) -> str:
        """An SVG document; raises `kuaibao.errors.KuaibaoError` for a program that is wrong."""
        ...


class Translator(Protocol):
    """Translates sentence by sentence."""

    def translate(self, sentences: Sequence[str], *, source: str, target: str) -> Sequence[str]:
        """One sentence for each, in order."""
        ...


def installed(role: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Every installed engine of a role (`summarizer`, `illustrator`, `translator`) by name."""
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUPS[role])}


def find_summarizer(name: str, model: str = "") -> Summarizer:
    """The summariser of that name.

    Args:
        name: Of an entry point.
        model: What it loads, if it is told.

    Raises:
        InputError: None is installed under it, or it does not find its model.
    """
    return _make("summarizer", name, *([model] if model else []))


def find_illustrator(name: str) -> Illustrator | None:
    """The illustrator for fenced blocks of that language, or None."""
    return _make("illustrator", name) if name in installed("illustrator") else None


def find_translator(name: str) -> Translator:
    """The translator of that name.

    Raises:
        InputError: None is installed under it.
    """
    return _make("translator", name)


def _make(role: str, name: str, *arguments: str) -> Any:
    points = installed(role)
    if name not in points:
        raise InputError(f"no {role} '{name}' is installed", hint=did_you_mean(name, points))
    return points[name].load()(*arguments)
