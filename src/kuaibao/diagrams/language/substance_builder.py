"""From lark's reductions to the Substance tree."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer

from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Span

__all__ = ["SubstanceBuilder"]


def _span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


class SubstanceBuilder(Transformer[Token, Any]):
    """One method a rule of `substance.lark`; children come in order, missing ones as None."""

    def NAME(self, token: Token) -> Name:  # noqa: D102
        return Name(str(token), _span(token))

    def start(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    def names(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    arguments = names
    ranges = names

    def indexed(self, children: list[Any]) -> tree.Indexed | Any:  # noqa: D102
        statement, ranges, condition = children
        if ranges is None:
            return statement
        return tree.Indexed(statement, ranges, condition)

    def range(self, children: list[Any]) -> tree.IndexRange:  # noqa: D102
        name, low, high = children
        return tree.IndexRange(name, self.number([low]), self.number([high]))

    def declaration(self, children: list[Any]) -> tree.Declaration:  # noqa: D102
        return tree.Declaration(children[0], children[1])

    def bind(self, children: list[Any]) -> tree.Bind:  # noqa: D102
        return tree.Bind(children[0], children[1])

    def declare_bind(self, children: list[Any]) -> tree.DeclareBind:  # noqa: D102
        return tree.DeclareBind(children[0], children[1], children[2])

    def let(self, children: list[Any]) -> tree.DeclareBind:  # noqa: D102
        variable, value = children
        # The type has the name of whatever stands on the right; the checker says if it is none.
        kind = value.name if isinstance(value, tree.Call) else value
        if isinstance(kind, tree.Literal):
            kind = Name(str(kind.value), kind.span)
        return tree.DeclareBind(kind, variable, value)

    def predicate(self, children: list[Any]) -> tree.Predicate:  # noqa: D102
        return tree.Predicate(children[0], children[1] or ())

    def auto_label_all(self, children: list[Any]) -> tree.AutoLabel:  # noqa: D102
        return tree.AutoLabel(None)

    def auto_label(self, children: list[Any]) -> tree.AutoLabel:  # noqa: D102
        return tree.AutoLabel(children[0])

    def label_math(self, children: list[Any]) -> tree.Label:  # noqa: D102
        return tree.Label(children[0], str(children[1])[1:-1], is_math=True)

    def label_text(self, children: list[Any]) -> tree.Label:  # noqa: D102
        return tree.Label(children[0], str(children[1])[1:-1], is_math=False)

    def no_label(self, children: list[Any]) -> tree.NoLabel:  # noqa: D102
        return tree.NoLabel(children[0])

    def call(self, children: list[Any]) -> tree.Call:  # noqa: D102
        return tree.Call(children[0], children[1] or ())

    def name(self, children: list[Any]) -> Name:  # noqa: D102
        return children[0]

    index = name

    def number(self, children: list[Any]) -> tree.Literal:  # noqa: D102
        return tree.Literal(float(children[0]), _span(children[0]))

    def string(self, children: list[Any]) -> tree.Literal:  # noqa: D102
        return tree.Literal(str(children[0])[1:-1], _span(children[0]))

    def or_(self, children: list[Any]) -> tree.Logic:  # noqa: D102
        return tree.Logic("or", tuple(children))

    def and_(self, children: list[Any]) -> tree.Logic:  # noqa: D102
        return tree.Logic("and", tuple(children))

    def not_(self, children: list[Any]) -> tree.Logic:  # noqa: D102
        return tree.Logic("not", tuple(children))

    def true(self, children: list[Any]) -> tree.Truth:  # noqa: D102
        return tree.Truth(True)

    def false(self, children: list[Any]) -> tree.Truth:  # noqa: D102
        return tree.Truth(False)

    def comparison(self, children: list[Any]) -> tree.Comparison:  # noqa: D102
        left, operator, right = children
        return tree.Comparison(str(operator), left, right)

    def arithmetic(self, children: list[Any]) -> tree.Arithmetic:  # noqa: D102
        left, operator, right = children
        symbol = "%" if operator == "mod" else str(operator)
        return tree.Arithmetic(symbol, left, right, Span(left.span.start, right.span.end))

    def negative(self, children: list[Any]) -> tree.Arithmetic:  # noqa: D102
        minus, operand = children
        zero = tree.Literal(0.0, _span(minus))
        return tree.Arithmetic("-", zero, operand, Span(zero.span.start, operand.span.end))
