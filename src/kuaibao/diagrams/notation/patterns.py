"""What the notations of a Domain say: patterns of words and holes, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lark.exceptions import UnexpectedInput

from kuaibao.diagrams.checking.domain import Domain, Signature
from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.domain_tree import DomainProgram, NotationDeclaration, Quoted
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.parser import parse_substance
from kuaibao.diagrams.language.source import Source, Span
from kuaibao.diagrams.notation.tokens import SEPARATORS, Word, words_of_pattern

__all__ = ["Meaning", "Notation", "Notations", "read_notations"]

HOLE = None
"""Stands for a hole in a pattern's shape."""


@dataclass(frozen=True)
class Meaning:
    """What one declaration stands for."""

    statements: tuple[tree.Statement, ...]
    """With the names of holes; a single one for an expression: the call as a `Predicate`."""
    is_expression: bool
    holes: tuple[str, ...]
    """Names of the holes in the order of the pattern."""
    types: tuple[frozenset[str], ...]
    """What the Domain wants at each hole: every type must fit; empty when it does not say."""
    output: str = ""
    """The type of an expression."""


@dataclass
class Notation:
    """One pattern; several declarations may share it and differ in types."""

    shape: tuple[str | None, ...]
    """Words and signs; None is a hole."""
    precedence: int | None
    grouping: str
    is_expression: bool
    meanings: list[Meaning] = field(default_factory=list[Meaning])

    @property
    def text(self) -> str:
        """The pattern with `_` for its holes."""
        return " ".join("_" if word is None else word for word in self.shape)

    @property
    def n_hole(self) -> int:
        """How many holes there are."""
        return sum(word is None for word in self.shape)


@dataclass
class Notations:
    """All notations of a Domain."""

    patterns: list[Notation] = field(default_factory=list[Notation])

    @property
    def literals(self) -> frozenset[str]:
        """Every word and sign of a pattern."""
        return frozenset(word for one in self.patterns for word in one.shape if word is not None)

    @property
    def signs(self) -> list[str]:
        """The signs to cut a line by, the longest first."""
        found = {word for word in self.literals if not word[0].isalnum() and word[0] not in '_\\"'}
        return sorted(found | set(SEPARATORS), key=lambda sign: (-len(sign), sign))


def read_notations(program: DomainProgram, domain: Domain) -> Notations:
    """Read and check the notations of a Domain.

    Raises:
        ProgramErrors: Tag `NotationError`: a pattern without words, a name that is not in the
            pattern, two holes at its beginning; and what is wrong in a target.
    """
    reader = _Reader(program.source, domain)
    for statement in program.statements:
        if isinstance(statement, NotationDeclaration):
            reader.read(statement)
    reader.findings.raise_if_any()
    return reader.notations


class _Reader:
    def __init__(self, source: Source, domain: Domain) -> None:
        self.source = source
        self.domain = domain
        self.findings = Findings(source)
        self.notations = Notations()
        self.by_shape: dict[tuple[str | None, ...], Notation] = {}

    def read(self, statement: NotationDeclaration) -> None:
        target = self._target(statement.target)
        if target is None:
            return
        used = {name.text: name for one in target for name in _free_names(one)}
        for spelling in statement.spellings:
            words = words_of_pattern(spelling.text, spelling.span.start)
            holes = tuple(word.text for word in words if word.text in used)
            if self._fits(spelling, words, holes, used):
                shape = tuple(None if word.text in used else word.text for word in words)
                self._add(statement, spelling, shape, holes, target)

    def _fits(
        self, spelling: Quoted, words: list[Word], holes: Sequence[str], used: dict[str, Name]
    ) -> bool:
        problem = ""
        missing = [name for name in used if name not in holes]
        if missing:
            problem = f"{missing[0]} stands on the right but not in the pattern '{spelling.text}'"
        elif len(set(holes)) < len(holes):
            problem = f"a name stands twice in the pattern '{spelling.text}'"
        elif len(holes) == len(words):
            problem = f"the pattern '{spelling.text}' has no word or sign of its own"
        elif len(words) > 1 and all(word.text in used for word in words[:2]):
            problem = f"the pattern '{spelling.text}' begins with two names side by side"
        elif any(word.kind in ("string", "tex") for word in words):
            problem = "a pattern cannot hold quotes or dollars"
        elif any(sign in spelling.text for sign in ("--", "/*")):
            problem = f"the pattern '{spelling.text}' holds what begins a comment"
        if problem:
            self.findings.error("NotationError", problem, spelling.span)
        return not problem

    def _add(
        self, statement: NotationDeclaration, spelling: Quoted, shape: tuple[str | None, ...],
        holes: tuple[str, ...], target: tuple[tree.Statement, ...],
    ) -> None:  # fmt: skip
        meaning = self._meaning(target, holes, statement.target.span)
        if meaning is None:
            return
        notation = self.by_shape.get(shape)
        if notation is None:
            notation = Notation(
                shape, statement.precedence, statement.grouping, meaning.is_expression
            )
            self.by_shape[shape] = notation
            self.notations.patterns.append(notation)
        same = (statement.precedence, statement.grouping, meaning.is_expression)
        if same != (notation.precedence, notation.grouping, notation.is_expression):
            self.findings.error(
                "NotationError",
                f"the pattern '{spelling.text}' is declared twice with another precedence, "
                "grouping or kind",
                spelling.span,
            )
        if notation.grouping == "chain" and (
            meaning.is_expression
            or shape[0] is not HOLE
            or shape[-1] is not HOLE
            or len(holes) != 2
        ):
            self.findings.error(
                "NotationError",
                f"only a statement between two names can be a chain, not '{spelling.text}'",
                spelling.span,
            )
        notation.meanings.append(meaning)

    def _target(self, target: Quoted) -> tuple[tree.Statement, ...] | None:
        """The statements of a target, `;` between them, with places in the Domain."""
        text = " " * target.span.start + target.text.replace(";", "\n")
        inner = Source(text, "Substance", self.source.pieces)
        try:
            statements = parse_substance(inner).statements
        except (DiagramError, UnexpectedInput) as error:
            message = getattr(error, "message", str(error))
            self.findings.error(
                "NotationError",
                f"'{target.text}' is not Substance: {message}",
                target.span,
                hint="Write a call such as \"Subset(a, b)\", or statements with ';' between them.",
            )
            return None
        allowed = (tree.Declaration, tree.Bind, tree.DeclareBind, tree.Predicate)
        if not statements or not all(isinstance(one, allowed) for one in statements):
            self.findings.error(
                "NotationError",
                "a notation stands for declarations, bindings, predicates or one function call",
                target.span,
            )
            return None
        return statements

    def _meaning(
        self, target: tuple[tree.Statement, ...], holes: tuple[str, ...], span: Span
    ) -> Meaning | None:
        only = target[0]
        if len(target) == 1 and isinstance(only, tree.Predicate):
            signature = self.domain.predicates.get(only.name.text)
            called = self.domain.callable_named(only.name.text)
            if signature is None and called is not None:
                types = _types_wanted(holes, [(only.arguments, called)])
                return Meaning((only,), True, holes, types, called.output)
        wanted: list[tuple[Sequence[object], Signature]] = []
        kinds: dict[str, set[str]] = {}
        for one in target:
            match one:
                case tree.Predicate(name, arguments):
                    signature = self.domain.predicates.get(name.text)
                    if signature is None:
                        self._unknown(name, self.domain.predicates)
                        return None
                    wanted.append((arguments, signature))
                case tree.Bind(_, tree.Call() as call) | tree.DeclareBind(
                    _, _, tree.Call() as call
                ):
                    signature = self.domain.callable_named(call.name.text)
                    if signature is None:
                        known = (*self.domain.functions, *self.domain.constructors)
                        self._unknown(call.name, known)
                        return None
                    wanted.append((call.arguments, signature))
                case _:
                    pass
            if isinstance(one, tree.Declaration):
                for name in one.names:
                    kinds.setdefault(name.text, set()).add(one.type.text)
            if isinstance(one, tree.DeclareBind):
                kinds.setdefault(one.variable.text, set()).add(one.type.text)
        wrong = [(a, s) for a, s in wanted if len(a) != len(s.arguments)]
        if wrong:
            signature = wrong[0][1]
            self.findings.error(
                "ArgLengthMismatch",
                f"{signature.name.text} takes {len(signature.arguments)} arguments, "
                f"not {len(wrong[0][0])}",
                span,
            )
            return None
        types = _types_wanted(holes, wanted)
        both = tuple(
            wanted_types | frozenset(kinds.get(hole, ()))
            for hole, wanted_types in zip(holes, types, strict=True)
        )
        return Meaning(target, False, holes, both)

    def _unknown(self, name: Name, known: Iterable[str]) -> None:
        self.findings.error(
            "TypeNotFound",
            f"the Domain declares no {name.text}",
            name.span,
            known=known,
            word=name.text,
        )


def _free_names(statement: tree.Statement) -> list[Name]:
    """The names in a target that the pattern must give."""
    match statement:
        case tree.Declaration(_, names):
            return list(names)
        case tree.Predicate(_, arguments):
            return [one for one in arguments if isinstance(one, Name)]
        case tree.Bind(variable, value) | tree.DeclareBind(_, variable, value):
            arguments = value.arguments if isinstance(value, tree.Call) else (value,)
            return [variable, *(one for one in arguments if isinstance(one, Name))]
        case _:
            return []


def _types_wanted(
    holes: Sequence[str], calls: Sequence[tuple[Sequence[object], Signature]]
) -> tuple[frozenset[str], ...]:
    wanted: dict[str, set[str]] = {hole: set() for hole in holes}
    for arguments, signature in calls:
        for argument, kind in zip(arguments, signature.arguments, strict=False):
            if isinstance(argument, Name) and argument.text in wanted:
                wanted[argument.text].add(kind)
    return tuple(frozenset(wanted[hole]) for hole in holes)
