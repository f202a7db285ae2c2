"""First pass: run the statements of every match and keep, for every field, its last expression.

Fields belong to Substance objects, so blocks share them; nothing is evaluated yet, hence an
`override` in a later block changes what earlier blocks see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kuaibao.diagrams.checking.domain import Domain
from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.checking.matching import (
    MAX_MATCHES,
    Match,
    TooManyMatchesError,
    match_header,
)
from kuaibao.diagrams.checking.selectors import check_header
from kuaibao.diagrams.checking.substance import Substance
from kuaibao.diagrams.compiling.paths import (
    CollectionTarget,
    CompileProblem,
    FieldTarget,
    Frame,
    NamespaceTarget,
    ObjectTarget,
    locate,
    paths_in,
)
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.source import NOWHERE, Span
from kuaibao.diagrams.library import SHAPE_KINDS

__all__ = ["MAX_FIELDS", "Fields", "ShapeSource", "Source", "gather_fields"]

MAX_FIELDS = 1_000_000
"""Fields and properties of all matches together; the largest known program has about 30,000."""


class Source(NamedTuple):
    """An expression and the match that it runs in."""

    value: tree.Value
    frame: Frame


@dataclass(slots=True)
class ShapeSource:
    """A shape: the expressions of the properties that the program sets."""

    kind: str
    properties: dict[str, Source]
    span: Span


class Fields:
    """All fields by scope: namespaces, locals of matches, Substance objects, in this order."""

    def __init__(self) -> None:
        self.namespaces: dict[str, dict[str, Source | ShapeSource]] = {}
        self.locals: dict[str, dict[str, Source | ShapeSource]] = {}
        self.objects: dict[str, dict[str, Source | ShapeSource]] = {}
        self.n_insert = 0

    def scope(self, name: str) -> dict[str, Source | ShapeSource]:
        """The fields of a scope, which comes into being when it is first named."""
        if name.startswith("`"):
            return self.objects.setdefault(name, {})
        if ":" in name:
            return self.locals.setdefault(name, {})
        return self.namespaces.setdefault(name, {})

    def items(self) -> Iterator[tuple[str, Source | ShapeSource]]:
        """Every field's key and source, in order of evaluation."""
        for group in (self.namespaces, self.locals, self.objects):
            for scope, fields in group.items():
                for field, source in fields.items():
                    yield f"{scope}.{field}", source


def gather_fields(
    program: tree.StyleProgram, domain: Domain, substance: Substance, findings: Findings
) -> Fields:
    """Match every header and run every statement of its block.

    What is wrong goes to `findings`; the fields are then incomplete.
    """
    gatherer = _Gatherer(domain, substance, findings)
    for index, block in enumerate(program.blocks):
        gatherer.block(index, block)
    return gatherer.fields


class _Gatherer:
    def __init__(self, domain: Domain, substance: Substance, findings: Findings) -> None:
        self.domain = domain
        self.substance = substance
        self.findings = findings
        self.fields = Fields()
        self.namespaces: frozenset[str] = frozenset()
        nothing = Frame("", {}, None, frozenset())
        for name in substance.objects:
            text = substance.labels[name].text
            self.fields.scope(f"`{name}`")["label"] = Source(tree.Text(text, NOWHERE), nothing)

    def block(self, index: int, block: tree.Block) -> None:
        header = block.header
        if isinstance(header, tree.Namespace):
            name = header.name.text
            if name in self.namespaces:
                self.findings.error(
                    "RedeclareNamespaceError",
                    f"the namespace {name} is declared twice",
                    header.name.span,
                )
                return
            self.namespaces |= {name}
            matches = [Match({})]
            scopes = [name]
        else:
            types = check_header(header, self.domain, self.findings)
            if types is None:
                return
            first = header.head if isinstance(header, tree.Collector) else header.head[0]
            try:
                matches = match_header(header, types, self.domain, self.substance)
            except TooManyMatchesError:
                self.findings.error(
                    "TooManyMatches",
                    f"this header matches more than {MAX_MATCHES} times",
                    first.type.span,
                    hint="Ask for fewer combinations, for example by a predicate in 'where'.",
                )
                return
            scopes = [f"{index}:{number}" for number in range(len(matches))]
        for number, (match, scope) in enumerate(zip(matches, scopes, strict=True)):
            frame = Frame(scope, match.objects, match.collection, self.namespaces)
            self._run(block, frame, number, len(matches))
            if self.fields.n_insert > MAX_FIELDS:
                span = block.statements[0].span
                self.findings.error(
                    "TooLarge", f"the program sets more than {MAX_FIELDS} fields", span
                )
                return

    def _run(self, block: tree.Block, frame: Frame, number: int, total: int) -> None:
        own = self.fields.scope(frame.scope)
        own["match_id"] = Source(tree.Number(number + 1.0, NOWHERE), frame)
        own["match_total"] = Source(tree.Number(float(total), NOWHERE), frame)
        for position, statement in enumerate(block.statements):
            try:
                if number == 0:
                    self._check_paths(statement, frame)
                self._statement(statement, position, frame)
            except CompileProblem as problem:
                self.findings.error(
                    problem.tag, problem.message, problem.span, hint=problem.hint,
                    word=problem.word, known=problem.known,
                )  # fmt: skip

    def _check_paths(self, statement: tree.Statement, frame: Frame) -> None:
        if isinstance(statement, tree.Delete):
            return
        for path in paths_in(statement.value):
            locate(path.collection if isinstance(path, tree.ListOf) else path, frame)

    def _statement(self, statement: tree.Statement, position: int, frame: Frame) -> None:
        match statement:
            case tree.Assign(path, value, is_override, _):
                target = self._left_side(path, frame, "Assign")
                if is_override:
                    self._delete(target, path)
                self._insert(target, value, frame, path)
            case tree.Delete(path, _):
                self._delete(self._left_side(path, frame, "Delete"), path)
            case tree.Anonymous(value, _):
                target = FieldTarget(frame.scope, f"$ANON_{position}", "")
                self._insert(target, value, frame, None)

    def _left_side(self, path: tree.Path, frame: Frame, verb: str) -> FieldTarget:
        if path.indices:
            raise CompileProblem(
                "AssignAccessError",
                "an element of a vector or list cannot be assigned or deleted by itself",
                path.span,
                hint="Assign the whole vector.",
            )
        target = locate(path, frame)
        match target:
            case FieldTarget():
                return target
            case NamespaceTarget(name):
                raise CompileProblem(
                    f"{verb}GlobalError",
                    f"{name} is a namespace",
                    path.span,
                    hint=f"Name one of its fields, as in '{name}.field'.",
                )
            case ObjectTarget() | CollectionTarget():
                raise CompileProblem(
                    f"{verb}SubstanceError",
                    f"{path.root.key} stands for Substance objects and cannot be set itself",
                    path.span,
                    hint=f"Name one of its fields, as in '{path.root.key}.field'.",
                )

    def _insert(
        self, target: FieldTarget, value: tree.Value, frame: Frame, path: tree.Path | None
    ) -> None:
        self.fields.n_insert += 1
        scope = self.fields.scope(target.scope)
        if target.part:
            self._insert_property(scope, target, value, frame, path)
            return
        if path is not None and target.field in scope:
            self._warn_override(target, path)
        scope[target.field] = self._source(value, frame)

    def _insert_property(
        self,
        scope: dict[str, Source | ShapeSource],
        target: FieldTarget,
        value: tree.Value,
        frame: Frame,
        path: tree.Path | None,
    ) -> None:
        if isinstance(value, tree.ShapeLiteral):
            raise CompileProblem(
                "NestedShapeError", "a shape cannot be a property of a shape", value.span
            )
        span = path.span if path else value.span
        shape = self._shape(scope, target, span)
        if path is not None and target.part in shape.properties:
            self._warn_override(target, path)
        shape.properties[target.part] = Source(value, frame)

    def _shape(
        self, scope: dict[str, Source | ShapeSource], target: FieldTarget, span: Span
    ) -> ShapeSource:
        found = scope.get(target.field)
        if found is None:
            shapes = tuple(name for name, one in scope.items() if isinstance(one, ShapeSource))
            raise CompileProblem(
                "MissingShapeError",
                f"there is no shape {target.field} to set a property of",
                span,
                word=target.field,
                known=shapes,
            )
        if isinstance(found, Source):
            raise CompileProblem("NotShapeError", f"{target.field} is not a shape", span)
        return found

    def _source(self, value: tree.Value, frame: Frame) -> Source | ShapeSource:
        if not isinstance(value, tree.ShapeLiteral):
            return Source(value, frame)
        kind = value.kind
        if kind.text not in SHAPE_KINDS:
            raise CompileProblem(
                "InvalidGPITypeError",
                f"there is no shape {kind.text}",
                kind.span,
                word=kind.text,
                known=SHAPE_KINDS,
            )
        properties: dict[str, Source] = {}
        for one in value.properties:
            if isinstance(one.value, tree.ShapeLiteral):
                raise CompileProblem(
                    "NestedShapeError", "a shape cannot be a property of a shape", one.value.span
                )
            properties[one.name.text] = Source(one.value, frame)
        self.fields.n_insert += len(properties)
        return ShapeSource(kind.text, properties, kind.span)

    def _warn_override(self, target: FieldTarget, path: tree.Path) -> None:
        self.findings.warn(
            "ImplicitOverrideWarning",
            f"{target.key} was set before; write 'override' if that is meant",
            path.span,
        )

    def _delete(self, target: FieldTarget, path: tree.Path) -> None:
        scope = self.fields.scope(target.scope)
        if target.part:
            self._shape(scope, target, path.span).properties.pop(target.part, None)
        elif scope.pop(target.field, None) is None:
            self.findings.warn(
                "NoopDeleteWarning", f"there is no {target.key} to delete", path.span
            )
