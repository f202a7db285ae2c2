r"""TeX as people write it in labels, made fit for the typesetter.

What MathJax knows and the typesetter does not is rewritten (`\textsc`, `\lt`, `\bm`, ...) or
named in an error; a command that nobody knows is an error too, and not drawn letter by letter.
"""

from __future__ import annotations

import functools
import re

__all__ = ["FormulaError", "prepare_tex", "wide_characters"]


class FormulaError(ValueError):
    """TeX that cannot be set."""


_RENAMED = {
    r"\lt": "<",
    r"\gt": ">",
    r"\bm": r"\boldsymbol",
    r"\pmb": r"\boldsymbol",
    r"\textsc": r"\text",
    r"\textnormal": r"\text",
    r"\mbox": r"\text",
    r"\hbox": r"\text",
    r"\mathds": r"\mathbb",
    r"\dfrac": r"\frac",
    r"\dots": r"\ldots",
    r"\dotsc": r"\ldots",
    r"\dotsb": r"\cdots",
    r"\coloneqq": ":=",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\lparen": "(",
    r"\rparen": ")",
}
_DROPPED = frozenset(
    (r"\displaystyle", r"\textstyle", r"\scriptstyle", r"\limits", r"\nolimits", r"\notag",
     r"\mathstrut", r"\strut", r"\nonumber")
)  # fmt: skip
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
_MACRO = re.compile(r"\\(?:new|renew|provide)command\s*\{?(\\[A-Za-z]+)\}?(?:\[(\d)\])?\s*")
MAX_EXPANSIONS = 200
"""How often macros of one formula are replaced, so that a macro of itself ends."""


def prepare_tex(tex: str) -> str:
    """The same formula in the commands that the typesetter knows.

    Raises:
        FormulaError: A command is unknown, braces do not pair, or a macro never ends.
    """
    _check_braces(tex)
    tex = _expand_macros(tex)
    return _mark_wide(_COMMAND.sub(_rename, tex.replace("~", r"\ ")))


def wide_characters(tex: str) -> str:
    """The full-width characters of a formula, in order."""
    return "".join(_WIDE_RUN.findall(tex))


_WIDE_RUN = re.compile(
    "[\u1100-\u115f\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd]+"
)
_TEXT = re.compile(r"(\\(?:text|mathrm|textbf|mathbf|textit|mathit|textsf|texttt))\{([^{}]*)\}")


def _mark_wide(tex: str) -> str:
    def split(match: re.Match[str]) -> str:
        parts = re.split(f"({_WIDE_RUN.pattern})", match[2])
        return "".join(
            part if number % 2 else f"{match[1]}{{{part}}}"
            for number, part in enumerate(parts)
            if part
        )

    def squares(run: re.Match[str]) -> str:
        # The typesetter has no such font: squares keep the places.
        return len(run[0]) * r"{\square}"

    if not _WIDE_RUN.search(tex):
        return tex
    return _WIDE_RUN.sub(squares, _TEXT.sub(split, tex))


def _check_braces(tex: str) -> None:
    depth = 0
    for piece in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if depth < 0:
            break
    if depth:
        raise FormulaError(f"the braces of ${tex}$ do not pair")


def _expand_macros(tex: str) -> str:
    macros: dict[str, tuple[int, str]] = {}
    while match := _MACRO.search(tex):
        body, end = _group(tex, match.end())
        macros[match[1]] = (int(match[2] or 0), body)
        tex = tex[: match.start()] + tex[end:]
    for _ in range(MAX_EXPANSIONS if macros else 0):
        name = next((m for m in _COMMAND.finditer(tex) if m[0] in macros), None)
        if name is None:
            return tex
        n_argument, body = macros[name[0]]
        end = name.end()
        for number in range(1, n_argument + 1):
            argument, end = _group(tex, end)
            body = body.replace(f"#{number}", argument)
        tex = f"{tex[: name.start()]}{{{body}}}{tex[end:]}"
        if len(tex) > 20_000:
            break
    if macros and any(m[0] in macros for m in _COMMAND.finditer(tex)):
        raise FormulaError("a macro of this formula never ends")
    return tex


def _group(tex: str, at: int) -> tuple[str, int]:
    """The braced group (or single character) at a position, and the position after it."""
    while at < len(tex) and tex[at].isspace():
        at += 1
    if at >= len(tex):
        raise FormulaError("a command of this formula lacks its argument")
    if tex[at] != "{":
        return tex[at], at + 1
    depth = 0
    for end in range(at, len(tex)):
        if tex[end] in "{}" and tex[end - 1] != "\\":
            depth += 1 if tex[end] == "{" else -1
            if depth == 0:
                return tex[at + 1 : end], end + 1
    raise FormulaError("the braces of this formula do not pair")


def _rename(match: re.Match[str]) -> str:
    command = match[0]
    if command in _RENAMED:
        return _RENAMED[command] + (" " if _RENAMED[command][0] != "\\" else "")
    if command in _DROPPED:
        return " "
    if len(command) > 2 and command not in _known_commands():
        raise FormulaError(f"the TeX command {command} is not known")
    return command


@functools.cache
def _known_commands() -> frozenset[str]:
    from latex2mathml import commands
    from latex2mathml.symbols_parser import parse_symbols

    names: set[str] = set(parse_symbols())
    for value in vars(commands).values():
        if isinstance(value, str):
            names.add(value)
        elif isinstance(value, dict | tuple | list | set | frozenset):
            names.update(one for one in value if isinstance(one, str))
    return frozenset(name for name in names if name.startswith("\\"))
