"""The syntax tree of a Substance program."""

from __future__ import annotations

from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.records import Record
from kuaibao.diagrams.language.source import Source, Span

__all__ = [
    "Arithmetic",
    "AutoLabel",
    "Bind",
    "Call",
    "Comparison",
    "Condition",
    "Declaration",
    "DeclareBind",
    "IndexExpression",
    "IndexRange",
    "Indexed",
    "Label",
    "Literal",
    "Logic",
    "NoLabel",
    "Predicate",
    "Statement",
    "SubstanceArgument",
    "SubstanceExpression",
    "SubstanceProgram",
    "Truth",
]


class Literal(Record):
    """A number or a string that stands as an argument."""

    value: float | str
    span: Span


SubstanceArgument = Name | Literal


class Call(Record):
    """`f(a, 3)`: a constructor or a function; which one, the Domain says."""

    name: Name
    arguments: tuple[SubstanceArgument, ...]


SubstanceExpression = Name | Literal | Call


class Declaration(Record):
    """`T a, b`."""

    type: Name
    names: tuple[Name, ...]


class Bind(Record):
    """`a := f(x)`."""

    variable: Name
    value: SubstanceExpression


class DeclareBind(Record):
    """`T a := f(x)`; `Let a := C(x)` is one with the type named C."""

    type: Name
    variable: Name
    value: SubstanceExpression


class Predicate(Record):
    """`P(a, "s", 3)`."""

    name: Name
    arguments: tuple[SubstanceArgument, ...]


class AutoLabel(Record):
    """`AutoLabel All` (names is None) or `AutoLabel a, b`."""

    names: tuple[Name, ...] | None


class Label(Record):
    """`Label a $x$` (math) or `Label a "x"` (text)."""

    variable: Name
    text: str
    is_math: bool


class NoLabel(Record):
    """`NoLabel a, b`."""

    names: tuple[Name, ...]


# Conditions and arithmetic of indexed statements.


class Arithmetic(Record):
    """`left operator right`; a negative is `0 - right` with operator `negate`."""

    operator: str
    left: IndexExpression
    right: IndexExpression
    span: Span


IndexExpression = Arithmetic | Name | Literal


class Comparison(Record):
    """`left < right` and the like; equality within 1e-5."""

    operator: str
    left: IndexExpression
    right: IndexExpression


class Logic(Record):
    """`and`, `or` (two parts) or `not` (one)."""

    operator: str
    parts: tuple[Condition, ...]


class Truth(Record):
    """`true` or `false`."""

    value: bool


Condition = Comparison | Logic | Truth


class IndexRange(Record):
    """`i in [low, high]`, both inclusive."""

    variable: Name
    low: Literal
    high: Literal


class Indexed(Record):
    """A statement repeated `for i in [0, 3], ... where condition`."""

    statement: Declaration | Bind | DeclareBind | Predicate | AutoLabel | Label | NoLabel
    ranges: tuple[IndexRange, ...]
    condition: Condition | None


Statement = Declaration | Bind | DeclareBind | Predicate | AutoLabel | Label | NoLabel | Indexed


class SubstanceProgram(Record):
    """All statements in order, and the text that they came from."""

    source: Source
    statements: tuple[Statement, ...]
