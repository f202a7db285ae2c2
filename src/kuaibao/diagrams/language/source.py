"""Program texts and places in them: one text may be joined from several files.

A trio file lists several Style files; the parser sees them as one text, and a `Source` leads an
offset of that text back to file, line and column.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kuaibao.errors import Place

__all__ = ["MAX_SOURCE_CHARS", "NOWHERE", "Source", "Span", "join_sources"]

MAX_SOURCE_CHARS = 4_000_000
"""Longest program text that is read, in characters; the largest known is a tenth of it."""


class Span(NamedTuple):
    """Half-open range of offsets in a `Source`."""

    start: int
    end: int


NOWHERE = Span(-1, -1)
"""The place of what the compiler adds by itself (`label`, `match_id`, `onCanvas`)."""


@dataclass(frozen=True)
class Source:
    """The text of one language's program, and the files that it was joined from."""

    text: str
    language: str
    """`Domain`, `Substance` or `Style`: the name of the file when it has none."""
    pieces: tuple[tuple[int, str], ...] = ()
    """Offset at which each file begins, and its name."""
    _line_starts: list[int] = field(default_factory=list, repr=False, compare=False)

    def place(self, span: Span) -> Place | None:
        """File, line and column of a span, with the line's text for the caret."""
        if span.start < 0:
            return None
        starts = self._starts()
        offset = min(span.start, len(self.text))
        row = bisect.bisect_right(starts, offset) - 1
        end = self.text.find("\n", starts[row])
        line = self.text[starts[row] : end if end >= 0 else len(self.text)].rstrip("\r")
        name, first = self._piece(offset)
        first_row = bisect.bisect_right(starts, first) - 1
        return Place(
            file=name,
            line=row - first_row + 1,
            column=offset - starts[row] + 1,
            source_line=line,
            length=max(1, span.end - span.start),
        )

    def _piece(self, offset: int) -> tuple[str, int]:
        if not self.pieces:
            return self.language, 0
        at = bisect.bisect_right([start for start, _ in self.pieces], offset) - 1
        start, name = self.pieces[max(at, 0)]
        return name, start

    def _starts(self) -> list[int]:
        if not self._line_starts:
            starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._line_starts.extend(starts)
        return self._line_starts


def join_sources(language: str, named_texts: Sequence[tuple[str, str]]) -> Source:
    """One source from files in order; each begins on a new line.

    Args:
        language: `Domain`, `Substance` or `Style`.
        named_texts: Name and text of each file.
    """
    pieces: list[tuple[int, str]] = []
    parts: list[str] = []
    length = 0
    for name, text in named_texts:
        pieces.append((length, name))
        parts.append(text if text.endswith("\n") else text + "\n")
        length += len(parts[-1])
    return Source("".join(parts), language, tuple(pieces))
