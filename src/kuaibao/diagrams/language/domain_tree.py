"""The syntax tree of a Domain program."""

from __future__ import annotations

from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.records import Record
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


class TypeDeclaration(Record):
    """`type T <: A, B`."""

    name: Name
    supertypes: tuple[Name, ...]


class Subtyping(Record):
    """`A <: B`."""

    subtype: Name
    supertype: Name


class Argument(Record):
    """`T a`; the name may be missing."""

    type: Name
    name: Name | None


class PredicateDeclaration(Record):
    """`symmetric predicate P(T, T)`."""

    name: Name
    arguments: tuple[Argument, ...]
    is_symmetric: bool


class FunctionDeclaration(Record):
    """`function f(T a) -> U`."""

    name: Name
    arguments: tuple[Argument, ...]
    output: Name


class ConstructorDeclaration(Record):
    """`constructor C(T a) -> U`; without an arrow the output is the type named C."""

    name: Name
    arguments: tuple[Argument, ...]
    output: Name


class Quoted(Record):
    """What stands between double quotes, and where, quotes left out."""

    text: str
    span: Span


class NotationDeclaration(Record):
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


class DomainProgram(Record):
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
