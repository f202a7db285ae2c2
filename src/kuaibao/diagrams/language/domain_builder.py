"""From lark's reductions to the Domain tree."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer

from kuaibao.diagrams.language.domain_tree import (
    Argument,
    ConstructorDeclaration,
    FunctionDeclaration,
    NotationDeclaration,
    PredicateDeclaration,
    Quoted,
    Subtyping,
    TypeDeclaration,
)
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Span

__all__ = ["DomainBuilder"]


class DomainBuilder(Transformer[Token, Any]):
    """One method a rule of `domain.lark`; children come in order, missing ones as None."""

    def NAME(self, token: Token) -> Name:  # noqa: D102
        return Name(str(token), Span(token.start_pos or 0, token.end_pos or 0))

    def STRING(self, token: Token) -> Quoted:  # noqa: D102
        start = token.start_pos or 0
        return Quoted(str(token)[1:-1], Span(start + 1, start + len(token) - 1))

    def start(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    def names(self, children: list[Name]) -> tuple[Name, ...]:  # noqa: D102
        return tuple(children)

    def arguments(self, children: list[Argument]) -> tuple[Argument, ...]:  # noqa: D102
        return tuple(children)

    def argument(self, children: list[Any]) -> Argument:  # noqa: D102
        return Argument(children[0], children[1])

    def type_decl(self, children: list[Any]) -> TypeDeclaration:  # noqa: D102
        return TypeDeclaration(children[0], children[1] or ())

    def subtype(self, children: list[Any]) -> Subtyping:  # noqa: D102
        return Subtyping(children[0], children[1])

    def predicate(self, children: list[Any]) -> PredicateDeclaration:  # noqa: D102
        symmetric, name, arguments = children
        return PredicateDeclaration(name, arguments or (), symmetric is not None)

    def function(self, children: list[Any]) -> FunctionDeclaration:  # noqa: D102
        name, arguments, output = children
        return FunctionDeclaration(name, arguments or (), output.type)

    def constructor(self, children: list[Any]) -> ConstructorDeclaration:  # noqa: D102
        name, arguments, output = children
        return ConstructorDeclaration(name, arguments or (), output.type if output else name)

    def spellings(self, children: list[Quoted]) -> tuple[Quoted, ...]:  # noqa: D102
        return tuple(children)

    def notation(self, children: list[Any]) -> NotationDeclaration:  # noqa: D102
        spellings, target, _, number, grouping = children
        precedence = None if number is None else int(number)
        return NotationDeclaration(spellings, target, precedence, str(grouping or ""))
