"""What the bulletin wants from engines, and how they are found.

An engine fits a shape without knowing the bulletin; an entry point names a function without
arguments that makes it. A new one is one line in some package's `pyproject.toml`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kuaibao.errors import InputError, MissingExtraError, did_you_mean

__all__ = [
    "GROUPS",
    "Answerer",
    "CoverArtist",
    "FigureSorter",
    "Headliner",
    "Illustrator",
    "Summarizer",
    "Translator",
    "find_answerer",
    "find_cover_artist",
    "find_figure_sorter",
    "find_headliner",
    "find_illustrator",
    "find_summarizer",
    "find_translator",
    "installed",
]

GROUPS = {
    "summarizer": "kuaibao.summarizers",
    "illustrator": "kuaibao.illustrators",
    "translator": "kuaibao.translators",
    "figure sorter": "kuaibao.figure_sorters",
    "cover artist": "kuaibao.cover_artists",
    "headliner": "kuaibao.headliners",
    "answerer": "kuaibao.answerers",
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


class SortedFigure(Protocol):
    """One picture of an item, as a sorter sees it."""

    @property
    def file(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> str:
        """Such as `chart`; one of the sorter's kinds."""
        ...

    @property
    def probability(self) -> float:
        """How sure the sorter is of the kind."""
        ...

    @property
    def width(self) -> int:
        """In pixels."""
        ...

    @property
    def height(self) -> int:
        """In pixels."""
        ...

    @property
    def same_as(self) -> str:
        """Name of the picture that it repeats, or empty."""
        ...


class SortedFigures(Protocol):
    """An item's pictures, the best lead first."""

    @property
    def figures(self) -> Sequence[SortedFigure]:
        """All that could be read."""
        ...

    @property
    def lead(self) -> str:
        """Name of the one that should lead, or empty."""
        ...

    @property
    def reason(self) -> str:
        """Why, in words."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """What could not be read, and why."""
        ...


class FigureSorter(Protocol):
    """Knows pictures: kinds, repetitions, which one leads; learns from editors."""

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds that it tells apart."""
        ...

    def sort(self, pictures: Mapping[str, bytes], told: Mapping[str, str]) -> SortedFigures:
        """Sort files by name; `told` are kinds that an editor told."""
        ...

    def learn(self, picture: bytes, kind: str) -> int:
        """Take an editor's word to heart; gives how many there were."""
        ...

    def prefer(self, chosen: str, over: str) -> int:
        """An editor let a picture of one kind lead over another kind's; gives how many times."""
        ...

    def shown(self, picture: bytes) -> tuple[str, bytes]:
        """Media type and bytes of a picture as it may be printed."""
        ...


class CoverArtist(Protocol):
    """Draws the strip at the head of an issue."""

    @property
    def credit(self) -> str:
        """Who drew it."""
        ...

    def draw(self, seed: int) -> bytes:
        """A PNG; the same for the same seed."""
        ...


class Headliner(Protocol):
    """Writes headlines for an editor to choose from."""

    def headline(self, text: str, *, language: str) -> str:
        """One line, in the text's language."""
        ...


class Answerer(Protocol):
    """Answers questions from passages."""

    def answer(self, question: str, passages: Sequence[str], *, language: str) -> str:
        """An answer that cites the passages it rests on as `[1]`."""
        ...


def installed(role: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Every installed engine of a role (`summarizer`, `figure sorter`, …) by name."""
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


def find_translator(name: str, folder: str = "") -> Translator:
    """The translator of that name.

    Args:
        name: Of an entry point.
        folder: Of its models, if it takes one.

    Raises:
        InputError: None is installed under it, or the folder is wrong.
        MissingExtraError: It lacks what it needs.
    """
    return _make("translator", name, *([folder] if folder else []))


def find_figure_sorter(name: str, model: str, folder: str) -> FigureSorter:
    """The sorter of that name.

    Args:
        name: Of an entry point.
        model: What it loads; its own choice if empty.
        folder: Where it keeps what editors told it.

    Raises:
        InputError: None is installed under it, or it does not find its model.
        MissingExtraError: It lacks what it needs.
    """
    return _make("figure sorter", name, model, folder)


def find_cover_artist(name: str, model: str) -> CoverArtist:
    """The artist of that name; raises as `find_figure_sorter` does."""
    return _make("cover artist", name, model)


def find_headliner(name: str) -> Headliner:
    """The writer of headlines of that name.

    Raises:
        InputError: None is installed under it.
    """
    return _make("headliner", name)


def find_answerer(name: str) -> Answerer:
    """The answerer of that name.

    Raises:
        InputError: None is installed under it.
    """
    return _make("answerer", name)


def _make(role: str, name: str, *arguments: str) -> Any:
    points = installed(role)
    if name not in points:
        raise InputError(f"no {role} '{name}' is installed", hint=did_you_mean(name, points))
    try:
        return points[name].load()(*arguments)
    except ModuleNotFoundError as error:
        raise MissingExtraError("models", needed_for=f"the {role} '{name}'") from error
