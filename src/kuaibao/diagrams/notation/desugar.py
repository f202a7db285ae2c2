"""Lines in notation become plain Substance, with the places of what the person wrote."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kuaibao.diagrams.checking.domain import Domain
from kuaibao.diagrams.errors import DiagramError, ProgramErrors
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.domain_tree import DomainProgram, NotationDeclaration
from kuaibao.diagrams.language.lines import prepare
from kuaibao.diagrams.language.parser import is_substance, parse_substance
from kuaibao.diagrams.language.source import Source, Span
from kuaibao.diagrams.notation.grammar import (
    AmbiguousError,
    LineParser,
    Node,
    UnreadableError,
    span_of,
)
from kuaibao.diagrams.notation.lowering import Lowering
from kuaibao.diagrams.notation.patterns import Notations, read_notations
from kuaibao.diagrams.notation.printing import print_statement
from kuaibao.diagrams.notation.tokens import Word, words_of
from kuaibao.errors import Place

__all__ = ["MAX_WORDS", "Desugared", "desugar"]

MAX_WORDS = 200
"""Words of one line in notation; a reading costs up to their cube."""
_MAX_ERRORS = 10
_REPEATED = re.compile(r"\bfor\s+\w+\s+in\s*\[")
_QUOTED = re.compile(r'"[^"\n]*"|\$[^$\n]*\$')
_HELD = "p()"
"""Stands in the text for a line in notation while the plain lines are read."""


@dataclass(frozen=True)
class Desugared:
    """A Substance program without notation."""

    program: tree.SubstanceProgram
    text: str
    """Plain Substance, for `--desugar`; untouched lines as they were, comments too."""


def desugar(source: Source, domain_program: DomainProgram, domain: Domain) -> Desugared:
    """Read a Substance program by the notations of its Domain.

    Raises:
        ProgramErrors: `NotationError` for what is wrong in the declarations, `ParseError` for a
            line that is neither Substance nor notation, `AmbiguousNotation` for a line that can
            be read in two ways, and the errors of plain lines.
    """
    if not any(isinstance(one, NotationDeclaration) for one in domain_program.statements):
        return Desugared(parse_substance(source), source.text)
    notations = read_notations(domain_program, domain)
    return _Desugarer(source, notations, domain).run()


@dataclass(frozen=True)
class _Found:
    """A line in notation."""

    start: int
    end: int
    words: list[Word]
    node: Node
    repeats: str
    """`for i in [...]` with spaces before it to the line's start; empty without."""


class _Desugarer:
    def __init__(self, source: Source, notations: Notations, domain: Domain) -> None:
        self.source = source
        self.notations = notations
        self.domain = domain
        self.errors: list[DiagramError] = []
        self.wrong: set[int] = set()
        """Offsets of the lines that are told of already."""

    @functools.cached_property
    def parser(self) -> LineParser:
        """Made for the first line in notation; a plain program needs none."""
        return LineParser(self.notations)

    def run(self) -> Desugared:
        try:
            text = prepare(self.source, top_level_lines=True)
        except DiagramError as error:
            raise ProgramErrors([error]) from None
        found: dict[int, _Found] = {}
        held: list[str] = []
        at = 0
        for line in text.split("\n"):
            one = self._line(line, at) if len(self.errors) < _MAX_ERRORS else None
            if one is not None:
                found[one.start] = one
                indent = one.start - at
                held.append(" " * indent + _HELD.ljust(len(line) - indent))
            elif at in self.wrong:
                held.append(" " * len(line))
            else:
                held.append(line)
            at += len(line) + 1
        try:
            plain = parse_substance(self.source, text="\n".join(held)).statements
        except ProgramErrors as error:
            self.errors.extend(error.errors)
            plain = ()
        if self.errors:
            raise ProgramErrors(sorted(self.errors, key=_by_place))
        return self._lowered(plain, found)

    def _line(self, line: str, at: int) -> _Found | None:
        """The reading of a line that is not plain Substance."""
        if not line.strip():
            return None
        text, repeats = _split_repeats(line)
        words = words_of(text, at, self.notations.signs)
        is_candidate = any(word.text in self.notations.literals for word in words)
        if not words or (not is_candidate and not _has_nested_call(words)) or is_substance(line):
            return None
        start = words[0].span.start
        if len(words) > MAX_WORDS:
            self._error("TooLong", f"a line in notation has at most {MAX_WORDS} words",
                        Span(start, words[-1].span.end), at)  # fmt: skip
            return None
        try:
            node = self.parser.read(words)
        except UnreadableError as error:
            if is_candidate:
                self._unreadable(words, error, at)
            return None
        except AmbiguousError as error:
            self._ambiguous(words, error, at)
            return None
        span = Span(start, words[-1].span.end)
        if span.end - span.start < len(_HELD):
            hint = "Put spaces around the sign."
            self._error(
                "ParseError", "the line is too short to hold a statement", span, at, hint=hint
            )
            return None
        return _Found(start, words[-1].span.end, words, node, repeats and " " * at + repeats)

    def _lowered(self, plain: tuple[tree.Statement, ...], found: dict[int, _Found]) -> Desugared:
        lowering = Lowering(self.source, self.notations, self.domain)
        lowering.know_names(self.source.text)
        statements: list[tree.Statement] = []
        replaced: list[tuple[int, int, str]] = []
        for statement in plain:
            one = found.get(_held_at(statement))
            if one is None:
                lowering.know(statement)
                statements.append(statement)
                continue
            made = lowering.statements(one.words, one.node, self._repeats(one))
            statements += made
            end = one.end if not one.repeats else self._end_of_line(one.end)
            replaced.append((one.start, end, "\n".join(map(print_statement, made))))
        extra = lowering.labels(statements)
        statements += extra
        if lowering.errors:
            raise ProgramErrors(sorted(lowering.errors, key=_by_place))
        text = "".join(_with_replaced(self.source.text, replaced))
        text += "".join(f"{print_statement(one)}\n" for one in extra)
        return Desugared(tree.SubstanceProgram(self.source, tuple(statements)), text)

    def _repeats(self, one: _Found) -> tree.Indexed | None:
        if not one.repeats:
            return None
        text = one.repeats
        held = text[: one.start] + _HELD + text[one.start + len(_HELD) :]
        statement = parse_substance(self.source, text=held).statements[0]
        assert isinstance(statement, tree.Indexed)
        return statement

    def _end_of_line(self, at: int) -> int:
        end = self.source.text.find("\n", at)
        comment = self.source.text.find("--", at)
        ends = [place for place in (end, comment) if place >= 0]
        end = min(ends, default=len(self.source.text))
        return at + len(self.source.text[at:end].rstrip())

    def _unreadable(self, words: list[Word], error: UnreadableError, at: int) -> None:
        word = error.word
        what = f"'{word.text}'" if word else "the end of the line"
        span = word.span if word else Span(words[-1].span.end, words[-1].span.end + 1)
        names = list(error.expected)
        if len(names) > 8:
            names = [*names[:8], "…"]
        known = ", ".join(sorted({one.text for one in self.notations.patterns})[:12])
        hint = f"Expected {' or '.join(names)} here. " if names else ""
        self._error("ParseError", f"unexpected {what}", span, at,
                    hint=f"{hint}The Domain knows the notations: {known}.")  # fmt: skip

    def _ambiguous(self, words: list[Word], error: AmbiguousError, at: int) -> None:
        span = span_of(words, error.readings[0])
        first, second = (_bracketed(words, one) for one in error.readings)
        if first == second:
            first, second = (self._named(one) for one in error.readings)
        self._error(
            "AmbiguousNotation",
            f"this can be read as {first} or as {second}",
            span,
            at,
            hint="Put brackets, or give the notations a precedence in the Domain.",
        )

    def _named(self, node: Node) -> str:
        rule = node.rule
        if rule[0] == "n" and rule[1:].isdigit():
            return f"'{self.notations.patterns[int(rule[1:])].text}'"
        inner = [one for one in node.parts if isinstance(one, Node)]
        return self._named(inner[0]) if len(inner) == 1 else f"a {rule.replace('_', ' ')}"

    def _error(self, tag: str, message: str, span: Span, at: int, *, hint: str = "") -> None:
        self.errors.append(DiagramError(tag, message, place=self.source.place(span), hint=hint))
        self.wrong.add(at)


def _split_repeats(line: str) -> tuple[str, str]:
    """The statement, and `for i in ...` behind as many spaces as the statement has characters."""
    hidden = _QUOTED.sub(lambda match: " " * len(match.group()), line)
    match = _REPEATED.search(hidden)
    if match is None or not line[: match.start()].strip():
        return line, ""
    return line[: match.start()], " " * match.start() + line[match.start() :]


def _has_nested_call(words: list[Word]) -> bool:
    """Whether a call stands in a call; plain Substance has none."""
    depth = 0
    for number, word in enumerate(words):
        if word.text == "(":
            depth += 1
            if depth > 1 and words[number - 1].kind == "name":
                return True
        elif word.text == ")":
            depth -= 1
    return False


def _held_at(statement: tree.Statement) -> int:
    """Where a statement that stands for a line in notation begins."""
    return statement.name.span.start if isinstance(statement, tree.Predicate) else -1


def _with_replaced(text: str, replaced: list[tuple[int, int, str]]) -> Iterator[str]:
    at = 0
    for start, end, plain in replaced:
        yield text[at:start]
        yield plain
        at = end
    yield text[at:]


def _bracketed(words: list[Word], node: Node) -> str:
    """A reading with brackets around what belongs together."""
    parts: list[str] = []
    at = node.words[0]
    for part in node.parts:
        if not isinstance(part, Node):
            continue
        start, end = part.words
        parts += [word.text for word in words[at:start]]
        inner = " ".join(word.text for word in words[start:end])
        is_bare = end - start == 1 or words[start].text == "("
        parts.append(inner if is_bare else f"({inner})")
        at = end
    parts += [word.text for word in words[at : node.words[1]]]
    return " ".join(parts)


def _by_place(error: DiagramError) -> tuple[str, int, int]:
    place = error.place or Place(file="")
    return place.file, place.line, place.column
