"""The syntax tree of a Style program.

Every node keeps a `span`, so that a finding in the fifth pass still points at its text.
"""

from __future__ import annotations

from dataclasses import dataclass

from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Source, Span

__all__ = [
    "Anonymous",
    "Assign",
    "Binary",
    "BindRelation",
    "Binding",
    "Block",
    "Boolean",
    "Call",
    "Collector",
    "Color",
    "Declaration",
    "Delete",
    "Expression",
    "FieldRelation",
    "Header",
    "Layering",
    "ListLiteral",
    "ListOf",
    "NameOf",
    "Namespace",
    "Negative",
    "Number",
    "NumberOf",
    "Path",
    "PredicateRelation",
    "Property",
    "Relation",
    "Selector",
    "SelectorArgument",
    "SelectorCall",
    "SelectorLiteral",
    "ShapeLiteral",
    "StageList",
    "Staging",
    "Statement",
    "StyleProgram",
    "Term",
    "Text",
    "Transpose",
    "TupleLiteral",
    "Unknown",
    "Value",
    "VectorLiteral",
]


@dataclass(frozen=True, slots=True)
class Binding:
    """A header variable: a style variable `x`, or the Substance object named in backticks."""

    text: str
    is_substance: bool
    span: Span

    @property
    def key(self) -> str:
        """The name under which a match holds its object: backticks are part of it."""
        return f"`{self.text}`" if self.is_substance else self.text


@dataclass(frozen=True, slots=True)
class Staging:
    """`in s`, `in [s, t]` or `except s`."""

    is_exclusion: bool
    stages: tuple[Name, ...]


# Expressions.


@dataclass(frozen=True, slots=True)
class Number:
    """`3.14`."""

    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A string; backslashes are kept."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Color:
    """`#rrggbb` and its three brothers, not yet checked."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Unknown:
    """`?`, with a start value and stages if they are given."""

    start: float | None
    staging: Staging | None
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class VectorLiteral:
    """`(a, b)`, two items or more."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class TupleLiteral:
    """`{a, b}`."""

    items: tuple[Expression, Expression]
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b)`, a function of the library."""

    name: Name
    arguments: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
    """`x.field.property[0][1]`."""

    root: Binding
    members: tuple[Name, ...]
    indices: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; `A then B` is already `B * A`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Transpose:
    """`m'`."""

    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """`listof field from collection`."""

    field: Name
    collection: Path
    span: Span


@dataclass(frozen=True, slots=True)
class NumberOf:
    """`numberof collection`."""

    collection: Path
    span: Span


@dataclass(frozen=True, slots=True)
class NameOf:
    """`nameof variable`."""

    variable: Path
    span: Span


Expression = (
    Number
    | Text
    | Boolean
    | Color
    | Unknown
    | ListLiteral
    | VectorLiteral
    | TupleLiteral
    | Call
    | Path
    | Binary
    | Negative
    | Transpose
    | ListOf
    | NumberOf
    | NameOf
)


# What may stand on the right side of an assignment besides an expression.


@dataclass(frozen=True, slots=True)
class Property:
    """`name: value` in a shape."""

    name: Name
    value: Expression | ShapeLiteral


@dataclass(frozen=True, slots=True)
class ShapeLiteral:
    """`Circle { r: 3 }`."""

    kind: Name
    properties: tuple[Property, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Term:
    """`ensure f(a, b) in s` or `encourage a < b`; comparisons already carry their function."""

    is_constraint: bool
    name: Name
    arguments: tuple[Expression, ...]
    staging: Staging | None
    span: Span


@dataclass(frozen=True, slots=True)
class Layering:
    """`left above right, ...` or `below`."""

    left: Path
    is_above: bool
    right: tuple[Path, ...]
    span: Span


Value = Expression | ShapeLiteral | Term | Layering


# Statements.


@dataclass(frozen=True, slots=True)
class Assign:
    """`path = value`, or `override path = value`."""

    path: Path
    value: Value
    is_override: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Delete:
    """`delete path`."""

    path: Path
    span: Span


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A shape, term or layering without a name."""

    value: ShapeLiteral | Term | Layering
    span: Span


Statement = Assign | Delete | Anonymous


# Headers.


@dataclass(frozen=True, slots=True)
class Declaration:
    """`T x` in a header."""

    type: Name
    binding: Binding


@dataclass(frozen=True, slots=True)
class SelectorLiteral:
    """A number or string in a `where` clause."""

    value: float | str
    span: Span


SelectorArgument = Binding | SelectorLiteral


@dataclass(frozen=True, slots=True)
class SelectorCall:
    """`f(a)` on the right of `:=`."""

    name: Name
    arguments: tuple[SelectorArgument, ...]


@dataclass(frozen=True, slots=True)
class PredicateRelation:
    """`P(a, b) as r`."""

    name: Name
    arguments: tuple[SelectorArgument, ...]
    alias: Name | None


@dataclass(frozen=True, slots=True)
class BindRelation:
    """`v := f(a)` or `v := w`."""

    binding: Binding
    value: SelectorCall | SelectorArgument


@dataclass(frozen=True, slots=True)
class FieldRelation:
    """`a has math label`."""

    binding: Binding
    kind: str
    """`math`, `text` or empty."""
    field: Name


Relation = PredicateRelation | BindRelation | FieldRelation


@dataclass(frozen=True, slots=True)
class Selector:
    """`forall ... where ... with ...`."""

    is_repeatable: bool
    head: tuple[Declaration, ...]
    where: tuple[Relation, ...]
    with_: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class Collector:
    """`collect T a into as where ... with ... foreach ...`."""

    is_repeatable: bool
    head: Declaration
    into: Binding
    where: tuple[Relation, ...]
    with_: tuple[Declaration, ...]
    foreach: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class Namespace:
    """`name { ... }`."""

    name: Name


Header = Selector | Collector | Namespace


@dataclass(frozen=True, slots=True)
class Block:
    """A header and its statements."""

    header: Header
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class StageList:
    """`layout = [s1, s2]`."""

    stages: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StyleProgram:
    """Blocks and stage lists in order, and the text that they came from."""

    source: Source
    blocks: tuple[Block, ...]
    layouts: tuple[StageList, ...]
