"""Which line ends count: comments and the line ends that do not end a statement become spaces.

Offsets stay what they are (every character is replaced by one), so that places in the prepared
text are places in the program. A line end counts only where statements stand in a row: inside a
Style block or shape, and everywhere in Domain and Substance; never inside round or square brackets,
nor next to an operator that wants more on its other side.
"""

from __future__ import annotations

import re

from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.language.source import Source, Span

__all__ = ["MAX_DEPTH", "prepare"]

MAX_DEPTH = 60
"""Deepest nesting of brackets that is parsed; people's programs stay below ten."""

_PIECE = re.compile(
    r"""(?P<string>"[^"\n]*")
      | (?P<tex>\$[^$\n]*\$)
      | (?P<comment>--[^\r\n]*|/\*.*?\*/)
      | (?P<newline>\r\n|\r|\n)
      | (?P<open>[\[({])
      | (?P<close>[\])}])
      | (?P<word>[^"$\-/\r\n\[\](){}]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_CONTINUES_AFTER = frozenset("=+*^:<>")  # not the comma: lists may end with one
_CONTINUES_BEFORE = re.compile(r"\s*(?:[{)\]+*^=]|/(?!\*)|\.[*/])")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def prepare(source: Source, *, top_level_lines: bool) -> str:
    """The text with comments and idle line ends blanked, of the same length.

    Args:
        source: The program.
        top_level_lines: Whether line ends outside of all brackets end statements (Domain and
            Substance) or not (Style, whose top level is headers and blocks).

    Raises:
        DiagramError: `ParseError` for brackets that do not pair; `TooDeep` beyond `MAX_DEPTH`.
    """
    text = source.text
    with_tex = source.language == "Substance"
    out: list[str] = []
    opened: list[tuple[str, int]] = []
    last = ""  # the last significant character
    position = 0
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:  # pragma: no cover - the last alternative takes any character
            break
        kind, piece = match.lastgroup or "word", match.group()
        if kind == "tex" and not with_tex:
            kind, piece = "word", piece[0]
        position = match.start() + len(piece)
        if kind == "comment":
            out.append(" " * len(piece))
            continue
        if kind == "newline":
            counts = _counts(opened, last, text, position, top_level_lines)
            out.append("\n" * counts + " " * (len(piece) - counts))
            last = "\n" if counts else last
            continue
        if kind == "open":
            opened.append((piece, match.start()))
            if len(opened) > MAX_DEPTH:
                span = Span(match.start(), match.start() + 1)
                raise DiagramError(
                    "TooDeep",
                    f"brackets are nested more than {MAX_DEPTH} deep",
                    place=source.place(span),
                )
        elif kind == "close":
            _close(source, opened, piece, match.start())
        stripped = piece.rstrip()
        last = stripped[-1] if stripped else last
        out.append(piece)
    if opened:
        bracket, at = opened[-1]
        raise DiagramError(
            "ParseError",
            f"'{bracket}' is never closed",
            place=source.place(Span(at, at + 1)),
            hint=f"Expected a '{_PAIRS[bracket]}' before the end of the program.",
        )
    return "".join(out)


def _counts(
    opened: list[tuple[str, int]], last: str, text: str, after: int, top_level_lines: bool
) -> bool:
    if opened:
        if opened[-1][0] != "{":
            return False
    elif not top_level_lines:
        return False
    if last in _CONTINUES_AFTER:
        return False
    return _CONTINUES_BEFORE.match(text, after) is None


def _close(source: Source, opened: list[tuple[str, int]], bracket: str, at: int) -> None:
    if opened and _PAIRS[opened[-1][0]] == bracket:
        opened.pop()
        return
    expected = f"'{_PAIRS[opened[-1][0]]}'" if opened else "no closing bracket"
    raise DiagramError(
        "ParseError",
        f"unexpected '{bracket}'",
        place=source.place(Span(at, at + 1)),
        hint=f"Expected {expected} here.",
    )
