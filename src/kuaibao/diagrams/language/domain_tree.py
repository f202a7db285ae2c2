"""The syntax tree of a Domain program."""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Source, Span

__all__ = [
    "Argument",
    "ConstructorDeclaration",
    "DomainProgram",
    "DomainStatement",
    "FunctionDeclaration",
    "NotationDeclaration",
    "PredicateDeclaration",
    "Quoted",
    "Subtyping",
    "TypeDeclaration",
]


@dataclass(frozen=True, slots=True)
class TypeDeclaration:
    """`type T <: A, B`."""

    name: Name
    supertypes: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Subtyping:
    """`A <: B`."""

    subtype: Name
    supertype: Name


@dataclass(frozen=True, slots=True)
class Argument:
    """`T a`; the name may be missing."""

    type: Name
    name: Name | None


@dataclass(frozen=True, slots=True)
class PredicateDeclaration:
    """`symmetric predicate P(T, T)`."""

    name: Name
    arguments: tuple[Argument, ...]
    is_symmetric: bool


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """`function f(T a) -> U`."""

    name: Name
    arguments: tuple[Argument, ...]
    output: Name


@dataclass(frozen=True, slots=True)
class ConstructorDeclaration:
    """`constructor C(T a) -> U`; without an arrow the output is the type named C."""

    name: Name
    arguments: tuple[Argument, ...]
    output: Name


@dataclass(frozen=True, slots=True)
class Quoted:
    """What stands between double quotes, and where, quotes left out."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class NotationDeclaration:
    """`notation "a ⊂ b", "a <= b" ~ "Subset(a, b)" precedence 40 chain`."""

    spellings: tuple[Quoted, ...]
    target: Quoted
    precedence: int | None
    grouping: str
    """`left`, `right`, `chain` or nothing."""


DomainStatement = (
    TypeDeclaration
    | Subtyping
    | PredicateDeclaration
    | FunctionDeclaration
    | ConstructorDeclaration
    | NotationDeclaration
)


@dataclass(frozen=True, slots=True)
class DomainProgram:
    """All statements in order, and the text that they came from."""

    source: Source
    statements: tuple[DomainStatement, ...]

    def span_of(self, statement: DomainStatement) -> Span:
        """Where a statement's name stands."""
        if isinstance(statement, Subtyping):
            return Span(statement.subtype.span.start, statement.supertype.span.end)
        if isinstance(statement, NotationDeclaration):
            return statement.spellings[0].span
        return statement.name.span
