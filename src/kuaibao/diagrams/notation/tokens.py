"""Words and signs of a line in notation.

Names, numbers, strings and TeX commands are what they are everywhere. Signs are cut by the longest
one that a notation declares, so `u+v`, `f:A->B` and `‖u‖=1` need no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kuaibao.diagrams.language.source import Span

__all__ = ["SEPARATORS", "Word", "words_of", "words_of_pattern"]

SEPARATORS = (":=", "(", ")", ",")
"""Signs of Substance itself; a notation may use them between its own."""

_WORD = re.compile(
    r"""(?P<string>"[^"\n]*")
      | (?P<tex>\$[^$\n]*\$)
      | (?P<command>\\[A-Za-z]+|\\.)
      | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<space>\s+)""",
    re.VERBOSE,
)
_SIGNS = re.compile(r"[()\[\]{},]|[^\w\s()\[\]{},\\\"$]+")


class Word(NamedTuple):
    """One word or sign and where it stands."""

    kind: str
    """`name`, `number`, `string`, `tex`, `command` or `sign`."""
    text: str
    span: Span


def words_of_pattern(text: str, start: int) -> list[Word]:
    """The words of a pattern; a run of sign characters is one sign, a bracket always one."""
    words: list[Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at) or _SIGNS.match(text, at)
        end = match.end() if match else at + 1
        kind = (match.lastgroup if match else None) or "sign"
        if kind != "space":
            words.append(Word(kind, text[at:end], Span(start + at, start + end)))
        at = end
    return words


def words_of(text: str, start: int, signs: Sequence[str]) -> list[Word]:
    """The words of a line of Substance.

    Args:
        text: The line, comments blanked.
        start: Its offset in the program.
        signs: All declared signs, the longest first.
    """
    words: list[Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is not None:
            end, kind = match.end(), match.lastgroup or ""
        else:
            sign = next((one for one in signs if text.startswith(one, at)), text[at])
            end, kind = at + len(sign), "sign"
        if kind != "space":
            words.append(Word(kind, text[at:end], Span(start + at, start + end)))
        at = end
    return words
