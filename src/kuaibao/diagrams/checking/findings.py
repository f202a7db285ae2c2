"""Findings with their places, gathered before the run ends: one error a place and tag."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from kuaibao.diagrams.errors import DiagramError, DiagramWarning, ProgramErrors
from kuaibao.diagrams.language.source import Source, Span
from kuaibao.errors import did_you_mean

__all__ = ["MAX_FINDINGS", "Findings", "loop_text"]

MAX_FINDINGS = 50
"""Errors kept in one run; the first are the ones worth reading."""


def loop_text(names: Sequence[str], arrow: str) -> str:
    """A circle of names, its middle left out where it is long."""
    if len(names) <= 9:
        return arrow.join(names)
    hidden = f"({len(names) - 8} more)"
    return arrow.join([*names[:5], hidden, *names[-3:]])


class Findings:
    """Collects errors and warnings of one program text.

    The same mistake shows once for every match of a block; it is kept once.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[DiagramError] = []
        self.warnings: list[DiagramWarning] = []
        self._seen: set[tuple[str, Span]] = set()

    def error(
        self, tag: str, message: str, span: Span, *, known: Iterable[str] = (), word: str = "",
        hint: str = "",
    ) -> None:  # fmt: skip
        """Keep an error, unless the same one at the same place is kept already.

        Args:
            tag: Penrose's name of the mistake.
            message: What was wrong.
            span: Where.
            known: Names that would have been right, for a misspelt `word`.
            word: The misspelt name.
            hint: What to do, if there is no misspelt word; where a long list of names stands,
                if there are too many to show.
        """
        if (tag, span) in self._seen or len(self.errors) >= MAX_FINDINGS:
            return
        self._seen.add((tag, span))
        if word:
            hint = _nearest(word, tuple(known), hint)
        self.errors.append(DiagramError(tag, message, place=self.source.place(span), hint=hint))

    def warn(self, tag: str, message: str, span: Span) -> None:
        """Keep a warning, unless the same one at the same place is kept already."""
        if (tag, span) in self._seen:
            return
        self._seen.add((tag, span))
        self.warnings.append(DiagramWarning(tag, message, self.source.place(span)))

    def raise_if_any(self) -> None:
        """End the run if anything is wrong.

        Raises:
            ProgramErrors: With all errors so far.
        """
        if self.errors:
            raise ProgramErrors(self.errors)


def _nearest(word: str, known: Sequence[str], hint: str) -> str:
    """The nearest names; of few names all, of many only where they are listed."""
    if len(known) <= 20 or not hint:
        return did_you_mean(word, known) or hint
    near = difflib.get_close_matches(word, known, n=4, cutoff=0.6)
    guess = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    return guess + hint
