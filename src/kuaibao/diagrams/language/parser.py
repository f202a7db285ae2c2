"""Text to trees: the three grammars through lark (LALR), and findings that teach.

A syntax error does not end the run: the line is taken out and the rest is read again, so that one
run names every wrong line (up to `MAX_SYNTAX_ERRORS`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import sys
from typing import Any

import lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from kuaibao.diagrams.caching import cache_folder
from kuaibao.diagrams.errors import DiagramError, ProgramErrors
from kuaibao.diagrams.language.domain_builder import DomainBuilder
from kuaibao.diagrams.language.domain_tree import DomainProgram
from kuaibao.diagrams.language.lines import prepare
from kuaibao.diagrams.language.source import MAX_SOURCE_CHARS, Source, Span
from kuaibao.diagrams.language.style_builder import StyleBuilder
from kuaibao.diagrams.language.style_tree import Block, StageList, StyleProgram
from kuaibao.diagrams.language.substance_builder import SubstanceBuilder
from kuaibao.diagrams.language.substance_tree import SubstanceProgram
from kuaibao.errors import did_you_mean

__all__ = ["MAX_SYNTAX_ERRORS", "is_substance", "parse_domain", "parse_style", "parse_substance"]

MAX_SYNTAX_ERRORS = 10
"""Syntax errors named in one run."""

_BUILDERS: dict[str, type[Any]] = {
    "domain": DomainBuilder,
    "substance": SubstanceBuilder,
    "style": StyleBuilder,
}
_WORDS = {
    "_NL": "the end of the line",
    "$END": "the end of the program",
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string in double quotes",
    "COLOR": "a colour such as #ff8800",
    "TEX": "TeX between dollars",
    "_LIST": "'[]'",
    "_SUBTYPE": "'<:'",
}
_OPERATORS = frozenset(("+", "-", "*", "/", ".*", "./", "^", "'", "then", "mod", "%", "comparison"))


def parse_domain(source: Source) -> DomainProgram:
    """The tree of a Domain program.

    Raises:
        ProgramErrors: Every line that is not Domain, with the tag `ParseError`.
    """
    return DomainProgram(source, _parse("domain", source))


def parse_substance(source: Source, *, text: str = "") -> SubstanceProgram:
    """The tree of a Substance program.

    Args:
        source: The program.
        text: What to read in its place, of the same length: some lines may be others.

    Raises:
        ProgramErrors: Every line that is not Substance, with the tag `ParseError`.
    """
    return SubstanceProgram(source, _parse("substance", source, text))


def parse_style(source: Source) -> StyleProgram:
    """The tree of a Style program.

    Raises:
        ProgramErrors: Every line that is not Style, with the tag `ParseError`.
    """
    items = _parse("style", source)
    return StyleProgram(
        source,
        tuple(item for item in items if isinstance(item, Block)),
        tuple(item for item in items if isinstance(item, StageList)),
    )


@functools.cache
def _grammar(name: str) -> tuple[lark.Lark, Any]:
    """The parser of a language; its tables, a tenth of a second's work, lie in the user's cache."""
    builder = _BUILDERS[name]()
    file = importlib.resources.files("kuaibao.diagrams.language").joinpath(f"{name}.lark")
    text = file.read_text(encoding="utf-8")
    digest = hashlib.sha256(f"{lark.__version__} {sys.version} {text}".encode()).hexdigest()
    folder = cache_folder("grammars")
    cache: str | bool = str(folder / f"{name}-{digest[:24]}.tables")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # with a read-only home each process builds them anew
        cache = False
    parser = lark.Lark(
        text, parser="lalr", maybe_placeholders=True, transformer=builder, cache=cache
    )
    return parser, builder


def is_substance(line: str) -> bool:
    """Whether a line, comments blanked, is plain Substance."""
    try:
        _grammar("substance")[0].parse(line)
    except (UnexpectedInput, VisitError, DiagramError):
        return False
    return True


def _parse(name: str, source: Source, given: str = "") -> tuple[Any, ...]:
    if len(source.text) > MAX_SOURCE_CHARS:
        raise ProgramErrors(
            [DiagramError("TooLong", f"the program is longer than {MAX_SOURCE_CHARS} characters")]
        )
    parser, builder = _grammar(name)
    builder.source = source
    errors: list[DiagramError] = []
    try:
        text = given or prepare(source, top_level_lines=name != "style")
    except DiagramError as error:
        raise ProgramErrors([error]) from None
    while True:
        try:
            tree: Any = parser.parse(text)
        except VisitError as error:
            if not isinstance(error.orig_exc, DiagramError):
                raise
            errors.append(error.orig_exc)
            break
        except DiagramError as error:
            errors.append(error)
            break
        except UnexpectedInput as error:
            errors.append(_explain(parser, source, text, error))
            text, was_mended = _without_line(text, _offset(text, error))
            if not was_mended or len(errors) >= MAX_SYNTAX_ERRORS:
                break
        else:
            if errors:
                break
            return tree
    raise ProgramErrors(errors)


def _offset(text: str, error: UnexpectedInput) -> int:
    position = error.pos_in_stream
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        position = len(text.rstrip())
    return len(text) if position is None or position < 0 else position


def _without_line(text: str, offset: int) -> tuple[str, bool]:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    line = text[start:end]
    if not line.strip():
        # The parser stumbled over the line end: the culprit is the line before it.
        end = len(text[:offset].rstrip())
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
    if not line.strip() or any(bracket in line for bracket in "{}"):
        return text, False
    return text[:start] + " " * (end - start) + text[end:], True


def _explain(parser: lark.Lark, source: Source, text: str, error: UnexpectedInput) -> DiagramError:
    offset = _offset(text, error)
    if isinstance(error, UnexpectedToken):
        found = str(error.token)
        length = max(1, len(found.strip()))
        what = _WORDS.get(error.token.type, f"'{found}'")
        if error.token.type in ("NAME", "NUMBER", "STRING"):
            what = f"'{found}'" if error.token.type != "STRING" else found
        expected = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        found, length = error.char, 1
        word = _word_at(text, offset)
        what = f"'{word or found}'"
        length = len(word) or 1
        found = word or found
        expected = error.allowed or set()
    else:
        found, length, what, expected = "", 1, "the end of the program", set[str]()
    names = sorted({_describe(parser, name) for name in expected})
    hint = f"Expected {_listed(names)} here." if names else ""
    keywords = [name[1:-1] for name in names if name.startswith("'") and name[1:-1].isalpha()]
    guess = did_you_mean(found, keywords) if found.isalpha() and keywords else ""
    if guess.startswith("Did"):
        hint = f"{guess.split('? ')[0]}? {hint}"
    return DiagramError(
        "ParseError",
        f"unexpected {what}",
        place=source.place(Span(offset, offset + length)),
        hint=hint,
    )


def _word_at(text: str, offset: int) -> str:
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[offset:end]


def _describe(parser: lark.Lark, terminal: str) -> str:
    if terminal in _WORDS:
        return _WORDS[terminal]
    pattern = parser.get_terminal(terminal).pattern
    text = pattern.value if pattern.type == "str" else terminal.lower()
    return "an operator" if text in _OPERATORS else f"'{text}'"


def _listed(names: list[str]) -> str:
    if len(names) > 8:
        names = [*names[:8], "…"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
