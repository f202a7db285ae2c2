"""From lark's reductions to the Style tree."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer

from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Source, Span

__all__ = ["StyleBuilder"]

_COMPARISONS = {"<": "lessThan", "==": "equal", ">": "greaterThan"}


def _span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


class _Clause(tuple[Any, ...]):
    """`where`, `with` or `foreach`, until the header takes it apart."""

    kind: str = ""
    span: Span = Span(0, 0)


class StyleBuilder(Transformer[Token, Any]):
    """One method a rule of `style.lark`; children come in order, missing ones as None."""

    source: Source

    def NAME(self, token: Token) -> Name:  # noqa: D102
        return Name(str(token), _span(token))

    def start(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    # Headers.

    def layout(self, children: list[Any]) -> tree.StageList:  # noqa: D102
        stages: tuple[Name, ...] = children[0]
        return tree.StageList(stages, Span(stages[0].span.start, stages[-1].span.end))

    def header_block(self, children: list[Any]) -> tree.Block:  # noqa: D102
        return tree.Block(children[0], children[1])

    def selector(self, children: list[Any]) -> tree.Selector:  # noqa: D102
        repeatable, head, *clauses = children
        found = self._clauses(clauses, ("where", "with"))
        return tree.Selector(
            repeatable is not None, head, found.get("where", ()), found.get("with", ())
        )

    def collector(self, children: list[Any]) -> tree.Collector:  # noqa: D102
        repeatable, head, into, *clauses = children
        found = self._clauses(clauses, ("where", "with", "foreach"))
        return tree.Collector(
            repeatable is not None,
            head,
            into,
            found.get("where", ()),
            found.get("with", ()),
            found.get("foreach", ()),
        )

    def namespace(self, children: list[Any]) -> tree.Namespace:  # noqa: D102
        return tree.Namespace(children[0])

    def _clauses(self, clauses: list[Any], allowed: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for clause in clauses:
            if clause.kind in found or clause.kind not in allowed:
                again = "stands twice" if clause.kind in found else "does not belong to forall"
                raise DiagramError(
                    "ParseError",
                    f"'{clause.kind}' {again} in this header",
                    place=self.source.place(clause.span),
                )
            found[clause.kind] = tuple(clause)
        return found

    def _make_clause(self, kind: str, parts: Any) -> _Clause:
        clause = _Clause(parts)
        clause.kind = kind
        first = parts[0]
        anchor = (
            first.type
            if isinstance(first, tree.Declaration)
            else first.name
            if isinstance(first, tree.PredicateRelation)
            else first.binding
        )
        clause.span = anchor.span
        return clause

    def where(self, children: list[Any]) -> _Clause:  # noqa: D102
        return self._make_clause("where", children[0])

    def with_clause(self, children: list[Any]) -> _Clause:  # noqa: D102
        return self._make_clause("with", children[0])

    def foreach(self, children: list[Any]) -> _Clause:  # noqa: D102
        return self._make_clause("foreach", children[0])

    def declarations(self, children: list[Any]) -> tuple[tree.Declaration, ...]:  # noqa: D102
        return tuple(declaration for group in children for declaration in group)

    def declaration(self, children: list[Any]) -> list[tree.Declaration]:  # noqa: D102
        kind, *bindings = children
        return [tree.Declaration(kind, binding) for binding in bindings]

    def single_declaration(self, children: list[Any]) -> tree.Declaration:  # noqa: D102
        return tree.Declaration(children[0], children[1])

    def style_variable(self, children: list[Any]) -> tree.Binding:  # noqa: D102
        return tree.Binding(children[0].text, False, children[0].span)

    def substance_variable(self, children: list[Any]) -> tree.Binding:  # noqa: D102
        name: Name = children[0]
        return tree.Binding(name.text, True, Span(name.span.start - 1, name.span.end + 1))

    def relations(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    selector_arguments = relations

    def predicate_relation(self, children: list[Any]) -> tree.PredicateRelation:  # noqa: D102
        name, arguments, alias = children
        return tree.PredicateRelation(name, arguments or (), alias)

    def bind_relation(self, children: list[Any]) -> tree.BindRelation:  # noqa: D102
        return tree.BindRelation(children[0], children[1])

    def field_relation(self, children: list[Any]) -> tree.FieldRelation:  # noqa: D102
        binding, kind, field = children
        return tree.FieldRelation(binding, str(kind) if kind else "", field)

    def selector_call(self, children: list[Any]) -> tree.SelectorCall:  # noqa: D102
        return tree.SelectorCall(children[0], children[1] or ())

    # Statements.

    def block(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    def annotation(self, children: list[Any]) -> Name:  # noqa: D102
        return children[0]

    def assign(self, children: list[Any]) -> tree.Assign:  # noqa: D102
        _, path, value = children
        return tree.Assign(path, value, False, Span(path.span.start, value.span.end))

    def override(self, children: list[Any]) -> tree.Assign:  # noqa: D102
        path, value = children
        return tree.Assign(path, value, True, Span(path.span.start, value.span.end))

    def delete(self, children: list[Any]) -> tree.Delete:  # noqa: D102
        return tree.Delete(children[0], children[0].span)

    def anonymous(self, children: list[Any]) -> tree.Anonymous:  # noqa: D102
        return tree.Anonymous(children[0], children[0].span)

    def layering(self, children: list[Any]) -> tree.Layering:  # noqa: D102
        _, left, relation, right = children
        span = Span(left.span.start, right[-1].span.end)
        return tree.Layering(left, relation == "above", right, span)

    def paths(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    def term_statement(self, children: list[Any]) -> tree.Term:  # noqa: D102
        role, (name, arguments, end), staging = children
        span = Span(role.start_pos or 0, end)
        return tree.Term(role == "ensure", name, arguments, staging, span)

    def call_body(self, children: list[Any]) -> tuple[Name, tuple[Any, ...], int]:  # noqa: D102
        body = children[0]
        if not isinstance(body, tree.Call):
            raise DiagramError(
                "ParseError",
                "expected a function call or a comparison after ensure or encourage",
                place=self.source.place(body.span),
                hint="Write for example 'ensure disjoint(a, b)' or 'ensure x < y'.",
            )
        return body.name, body.arguments, body.span.end

    def comparison_body(  # noqa: D102
        self, children: list[Any]
    ) -> tuple[Name, tuple[Any, ...], int]:
        left, operator, right = children
        name = Name(_COMPARISONS[str(operator)], _span(operator))
        return name, (left, right), right.span.end

    def staging(self, children: list[Any]) -> tree.Staging:  # noqa: D102
        return tree.Staging(children[0] == "except", children[1])

    def stages(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    def shape(self, children: list[Any]) -> tree.ShapeLiteral:  # noqa: D102
        kind, *properties = children
        end = properties[-1].value.span.end if properties else kind.span.end
        return tree.ShapeLiteral(kind, tuple(properties), Span(kind.span.start, end))

    def property(self, children: list[Any]) -> tree.Property:  # noqa: D102
        return tree.Property(children[0], children[1])

    # Expressions.

    def members(self, children: list[Any]) -> tuple[Any, ...]:  # noqa: D102
        return tuple(children)

    indices = members
    arguments = members

    def path(self, children: list[Any]) -> tree.Path:  # noqa: D102
        root, members, indices = children
        last = indices[-1].span.end + 1 if indices else (members or (root,))[-1].span.end
        return tree.Path(root, members, indices, Span(root.span.start, last))

    def binary(self, children: list[Any]) -> tree.Binary:  # noqa: D102
        left, operator, right = children
        span = Span(left.span.start, right.span.end)
        if operator == "then":
            return tree.Binary("*", right, left, span)
        return tree.Binary(str(operator), left, right, span)

    def negative(self, children: list[Any]) -> tree.Negative:  # noqa: D102
        minus, operand = children
        return tree.Negative(operand, Span(minus.start_pos or 0, operand.span.end))

    def transpose(self, children: list[Any]) -> tree.Transpose:  # noqa: D102
        operand = children[0]
        return tree.Transpose(operand, Span(operand.span.start, operand.span.end + 1))

    def parenthesized(self, children: list[Any]) -> Any:  # noqa: D102
        return children[0]

    def vector(self, children: list[Any]) -> tree.VectorLiteral:  # noqa: D102
        first, rest = children
        items = (first, *(rest or ()))
        return tree.VectorLiteral(items, Span(first.span.start - 1, items[-1].span.end + 1))

    def list_(self, children: list[Any]) -> tree.ListLiteral:  # noqa: D102
        items: tuple[Any, ...] = children[0] or ()
        span = Span(items[0].span.start - 1, items[-1].span.end + 1) if items else Span(-1, -1)
        return tree.ListLiteral(items, span)

    def tuple_(self, children: list[Any]) -> tree.TupleLiteral:  # noqa: D102
        first, second = children
        span = Span(first.span.start - 1, second.span.end + 1)
        return tree.TupleLiteral((first, second), span)

    def call(self, children: list[Any]) -> tree.Call:  # noqa: D102
        name, arguments = children
        end = arguments[-1].span.end + 1 if arguments else name.span.end + 2
        return tree.Call(name, arguments or (), Span(name.span.start, end))

    def number(self, children: list[Any]) -> tree.Number:  # noqa: D102
        return tree.Number(float(children[0]), _span(children[0]))

    def string(self, children: list[Any]) -> tree.Text:  # noqa: D102
        return tree.Text(str(children[0])[1:-1], _span(children[0]))

    def selector_number(self, children: list[Any]) -> tree.SelectorLiteral:  # noqa: D102
        return tree.SelectorLiteral(float(children[0]), _span(children[0]))

    def selector_string(self, children: list[Any]) -> tree.SelectorLiteral:  # noqa: D102
        return tree.SelectorLiteral(str(children[0])[1:-1], _span(children[0]))

    def color(self, children: list[Any]) -> tree.Color:  # noqa: D102
        return tree.Color(str(children[0]), _span(children[0]))

    def boolean(self, children: list[Any]) -> tree.Boolean:  # noqa: D102
        return tree.Boolean(children[0] == "true", _span(children[0]))

    def unknown(self, children: list[Any]) -> tree.Unknown:  # noqa: D102
        mark, start, staging = children
        return tree.Unknown(None if start is None else float(start), staging, _span(mark))

    def list_of(self, children: list[Any]) -> tree.ListOf:  # noqa: D102
        field, collection = children
        return tree.ListOf(field, collection, Span(field.span.start, collection.span.end))

    def number_of(self, children: list[Any]) -> tree.NumberOf:  # noqa: D102
        return tree.NumberOf(children[0], children[0].span)

    def name_of(self, children: list[Any]) -> tree.NameOf:  # noqa: D102
        return tree.NameOf(children[0], children[0].span)
