"""The syntax tree of a Style program.

Every node keeps a `span`, so that a finding in the fifth pass still points at its text.
"""

from __future__ import annotations

from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.records import Record
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


class Binding(Record):
    """A header variable: a style variable `x`, or the Substance object named in backticks."""

    text: str
    is_substance: bool
    span: Span

    @property
    def key(self) -> str:
        """The name under which a match holds its object: backticks are part of it."""
        return f"`{self.text}`" if self.is_substance else self.text


class Staging(Record):
    """`in s`, `in [s, t]` or `except s`."""

    is_exclusion: bool
    stages: tuple[Name, ...]


# Expressions.


class Number(Record):
    """`3.14`."""

    value: float
    span: Span


class Text(Record):
    """A string; backslashes are kept."""

    value: str
    span: Span


class Boolean(Record):
    """`true` or `false`."""

    value: bool
    span: Span


class Color(Record):
    """`#rrggbb` and its three brothers, not yet checked."""

    text: str
    span: Span


class Unknown(Record):
    """`?`, with a start value and stages if they are given."""

    start: float | None
    staging: Staging | None
    span: Span


class ListLiteral(Record):
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


class VectorLiteral(Record):
    """`(a, b)`, two items or more."""

    items: tuple[Expression, ...]
    span: Span


class TupleLiteral(Record):
    """`{a, b}`."""

    items: tuple[Expression, Expression]
    span: Span


class Call(Record):
    """`f(a, b)`, a function of the library."""

    name: Name
    arguments: tuple[Expression, ...]
    span: Span


class Path(Record):
    """`x.field.property[0][1]`."""

    root: Binding
    members: tuple[Name, ...]
    indices: tuple[Expression, ...]
    span: Span


class Binary(Record):
    """`left operator right`; `A then B` is already `B * A`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


class Negative(Record):
    """`-x`."""

    operand: Expression
    span: Span


class Transpose(Record):
    """`m'`."""

    operand: Expression
    span: Span


class ListOf(Record):
    """`listof field from collection`."""

    field: Name
    collection: Path
    span: Span


class NumberOf(Record):
    """`numberof collection`."""

    collection: Path
    span: Span


class NameOf(Record):
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


class Property(Record):
    """`name: value` in a shape."""

    name: Name
    value: Expression | ShapeLiteral


class ShapeLiteral(Record):
    """`Circle { r: 3 }`."""

    kind: Name
    properties: tuple[Property, ...]
    span: Span


class Term(Record):
    """`ensure f(a, b) in s` or `encourage a < b`; comparisons already carry their function."""

    is_constraint: bool
    name: Name
    arguments: tuple[Expression, ...]
    staging: Staging | None
    span: Span


class Layering(Record):
    """`left above right, ...` or `below`."""

    left: Path
    is_above: bool
    right: tuple[Path, ...]
    span: Span


Value = Expression | ShapeLiteral | Term | Layering


# Statements.


class Assign(Record):
    """`path = value`, or `override path = value`."""

    path: Path
    value: Value
    is_override: bool
    span: Span


class Delete(Record):
    """`delete path`."""

    path: Path
    span: Span


class Anonymous(Record):
    """A shape, term or layering without a name."""

    value: ShapeLiteral | Term | Layering
    span: Span


Statement = Assign | Delete | Anonymous


# Headers.


class Declaration(Record):
    """`T x` in a header."""

    type: Name
    binding: Binding


class SelectorLiteral(Record):
    """A number or string in a `where` clause."""

    value: float | str
    span: Span


SelectorArgument = Binding | SelectorLiteral


class SelectorCall(Record):
    """`f(a)` on the right of `:=`."""

    name: Name
    arguments: tuple[SelectorArgument, ...]


class PredicateRelation(Record):
    """`P(a, b) as r`."""

    name: Name
    arguments: tuple[SelectorArgument, ...]
    alias: Name | None


class BindRelation(Record):
    """`v := f(a)` or `v := w`."""

    binding: Binding
    value: SelectorCall | SelectorArgument


class FieldRelation(Record):
    """`a has math label`."""

    binding: Binding
    kind: str
    """`math`, `text` or empty."""
    field: Name


Relation = PredicateRelation | BindRelation | FieldRelation


class Selector(Record):
    """`forall ... where ... with ...`."""

    is_repeatable: bool
    head: tuple[Declaration, ...]
    where: tuple[Relation, ...]
    with_: tuple[Declaration, ...]


class Collector(Record):
    """`collect T a into as where ... with ... foreach ...`."""

    is_repeatable: bool
    head: Declaration
    into: Binding
    where: tuple[Relation, ...]
    with_: tuple[Declaration, ...]
    foreach: tuple[Declaration, ...]


class Namespace(Record):
    """`name { ... }`."""

    name: Name


Header = Selector | Collector | Namespace


class Block(Record):
    """A header and its statements."""

    header: Header
    statements: tuple[Statement, ...]


class StageList(Record):
    """`layout = [s1, s2]`."""

    stages: tuple[Name, ...]
    span: Span


class StyleProgram(Record):
    """Blocks and stage lists in order, and the text that they came from."""

    source: Source
    blocks: tuple[Block, ...]
    layouts: tuple[StageList, ...]
