"""Headers of Style blocks checked against the Domain: every variable gets its type."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.diagrams.checking.domain import LITERAL_TYPES, NUMBER, STRING, Domain, Signature
from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.language import style_tree as tree
from kuaibao.diagrams.language.names import Name

__all__ = ["check_header"]


def check_header(
    header: tree.Selector | tree.Collector, domain: Domain, findings: Findings
) -> dict[str, str] | None:
    """The type of every variable of a header, or None if something is wrong with it.

    Tags: `SelectorVarMultipleDecl`, `SelectorAliasNamingError`, `SelectorFieldNotSupported`, and
    those of Substance (`TypeNotFound`, `VarNotFound`, `TypeMismatch`, `ArgLengthMismatch`).
    """
    n_error = len(findings.errors)
    checker = _HeaderChecker(domain, findings)
    if isinstance(header, tree.Selector):
        declarations = (*header.head, *header.with_)
    else:
        declarations = (header.head, *header.with_, *header.foreach)
    for declaration in declarations:
        checker.declare(declaration)
    for relation in header.where:
        checker.relation(relation)
    return checker.types if len(findings.errors) == n_error else None


class _HeaderChecker:
    def __init__(self, domain: Domain, findings: Findings) -> None:
        self.domain = domain
        self.findings = findings
        self.types: dict[str, str] = {}

    def declare(self, declaration: tree.Declaration) -> None:
        kind, binding = declaration.type, declaration.binding
        if kind.text not in self.domain.types:
            self.findings.error(
                "TypeNotFound",
                f"type {kind.text} does not exist",
                kind.span,
                known=self.domain.types,
                word=kind.text,
            )
        if binding.text in self.types:
            self.findings.error(
                "SelectorVarMultipleDecl",
                f"{binding.text} is declared twice in this header",
                binding.span,
            )
        self.types[binding.text] = kind.text

    def relation(self, relation: tree.Relation) -> None:
        match relation:
            case tree.PredicateRelation(name, arguments, alias):
                if alias is not None:
                    self._alias(alias)
                signature = self.domain.predicates.get(name.text)
                if signature is None:
                    self._unknown("predicate", name, tuple(self.domain.predicates))
                else:
                    self._arguments(name, arguments, signature)
            case tree.BindRelation(binding, value):
                self._bind(binding, value)
            case tree.FieldRelation(binding, _, field):
                if field.text != "label":
                    self.findings.error(
                        "SelectorFieldNotSupported",
                        f"headers can ask for a label, not for {field.text}",
                        field.span,
                        hint="Write 'x has label', 'x has math label' or 'x has text label'.",
                    )
                self._variable(binding)

    def _alias(self, alias: Name) -> None:
        if alias.text in self.types or alias.text in self.domain.words():
            self.findings.error(
                "SelectorAliasNamingError",
                f"the alias {alias.text} is already a name of the Domain or of this header",
                alias.span,
            )

    def _unknown(self, what: str, name: Name, known: Sequence[str]) -> None:
        self.findings.error(
            "TypeNotFound",
            f"there is no {what} {name.text}",
            name.span,
            known=known,
            word=name.text,
        )

    def _variable(self, binding: tree.Binding) -> str | None:
        kind = self.types.get(binding.text)
        if kind is None:
            self.findings.error(
                "VarNotFound",
                f"{binding.key} is not declared in this header",
                binding.span,
                known=self.types,
                word=binding.text,
            )
        return kind

    def _bind(
        self, binding: tree.Binding, value: tree.SelectorCall | tree.SelectorArgument
    ) -> None:
        expected = self._variable(binding)
        if isinstance(value, tree.SelectorCall):
            signature = self.domain.callable_named(value.name.text)
            if signature is None:
                known = (*self.domain.constructors, *self.domain.functions)
                self._unknown("function or constructor", value.name, known)
                return
            self._arguments(value.name, value.arguments, signature)
            kind, span = signature.output, value.name.span
        else:
            found = self._type_of(value)
            if found is None:
                return
            kind, span = found, value.span
        if expected is not None and not self.domain.is_subtype(kind, expected):
            self.findings.error(
                "TypeMismatch",
                f"{binding.key} is of type {expected}, but what it is bound to is of type {kind}",
                span,
            )

    def _type_of(self, argument: tree.SelectorArgument) -> str | None:
        if isinstance(argument, tree.SelectorLiteral):
            return STRING if isinstance(argument.value, str) else NUMBER
        return self._variable(argument)

    def _arguments(
        self, name: Name, given: Sequence[tree.SelectorArgument], signature: Signature
    ) -> None:
        if len(given) != len(signature.arguments):
            self.findings.error(
                "ArgLengthMismatch",
                f"{name.text} takes {len(signature.arguments)} arguments, not {len(given)}",
                name.span,
                hint=f"It is declared as {name.text}({', '.join(signature.arguments)}).",
            )
            return
        for argument, expected in zip(given, signature.arguments, strict=True):
            if (
                isinstance(argument, tree.Binding)
                and argument.text not in self.types
                and expected in LITERAL_TYPES
            ):
                # A variable that nobody declared takes the number or string it meets.
                self.types[argument.text] = expected
                continue
            kind = self._type_of(argument)
            if kind is not None and not self.domain.is_subtype(kind, expected):
                shown = argument.key if isinstance(argument, tree.Binding) else argument.value
                self.findings.error(
                    "TypeMismatch",
                    f"{name.text} wants {expected} here, but {shown} is of type {kind}",
                    argument.span,
                )
