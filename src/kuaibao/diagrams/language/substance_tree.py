"""The syntax tree of a Substance program."""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.diagrams.language.names import Name
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


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a string that stands as an argument."""

    value: float | str
    span: Span


SubstanceArgument = Name | Literal


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, 3)`: a constructor or a function; which one, the Domain says."""

    name: Name
    arguments: tuple[SubstanceArgument, ...]


SubstanceExpression = Name | Literal | Call


@dataclass(frozen=True, slots=True)
class Declaration:
    """`T a, b`."""

    type: Name
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """`a := f(x)`."""

    variable: Name
    value: SubstanceExpression


@dataclass(frozen=True, slots=True)
class DeclareBind:
    """`T a := f(x)`; `Let a := C(x)` is one with the type named C."""

    type: Name
    variable: Name
    value: SubstanceExpression


@dataclass(frozen=True, slots=True)
class Predicate:
    """`P(a, "s", 3)`."""

    name: Name
    arguments: tuple[SubstanceArgument, ...]


@dataclass(frozen=True, slots=True)
class AutoLabel:
    """`AutoLabel All` (names is None) or `AutoLabel a, b`."""

    names: tuple[Name, ...] | None


@dataclass(frozen=True, slots=True)
class Label:
    """`Label a $x$` (math) or `Label a "x"` (text)."""

    variable: Name
    text: str
    is_math: bool


@dataclass(frozen=True, slots=True)
class NoLabel:
    """`NoLabel a, b`."""

    names: tuple[Name, ...]


# Conditions and arithmetic of indexed statements.


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`; a negative is `0 - right` with operator `negate`."""

    operator: str
    left: IndexExpression
    right: IndexExpression
    span: Span


IndexExpression = Arithmetic | Name | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left < right` and the like; equality within 1e-5."""

    operator: str
    left: IndexExpression
    right: IndexExpression


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or` (two parts) or `not` (one)."""

    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool


Condition = Comparison | Logic | Truth


@dataclass(frozen=True, slots=True)
class IndexRange:
    """`i in [low, high]`, both inclusive."""

    variable: Name
    low: Literal
    high: Literal


@dataclass(frozen=True, slots=True)
class Indexed:
    """A statement repeated `for i in [0, 3], ... where condition`."""

    statement: Declaration | Bind | DeclareBind | Predicate | AutoLabel | Label | NoLabel
    ranges: tuple[IndexRange, ...]
    condition: Condition | None


Statement = Declaration | Bind | DeclareBind | Predicate | AutoLabel | Label | NoLabel | Indexed


@dataclass(frozen=True, slots=True)
class SubstanceProgram:
    """All statements in order, and the text that they came from."""

    source: Source
    statements: tuple[Statement, ...]
