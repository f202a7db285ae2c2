"""The checked Domain: which types, predicates, functions and constructors there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.language import domain_tree as tree
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import Span

__all__ = ["LITERAL_TYPES", "NUMBER", "STRING", "Domain", "Signature", "check_domain"]

NUMBER, STRING = "Number", "String"
LITERAL_TYPES = frozenset((NUMBER, STRING))
"""Built in; they stand for what is written in quotes or digits and have no subtypes."""


@dataclass(frozen=True)
class Signature:
    """What a predicate, function or constructor takes and gives."""

    name: Name
    arguments: tuple[str, ...]
    """Names of the argument types."""
    output: str = ""
    """Empty for a predicate."""
    is_symmetric: bool = False


@dataclass
class Domain:
    """All declarations of a Domain program, checked."""

    types: dict[str, Name] = field(default_factory=dict[str, Name])
    predicates: dict[str, Signature] = field(default_factory=dict[str, Signature])
    functions: dict[str, Signature] = field(default_factory=dict[str, Signature])
    constructors: dict[str, Signature] = field(default_factory=dict[str, Signature])
    supertypes: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Every type with all that it is a subtype of, itself included."""

    def is_subtype(self, subtype: str, supertype: str) -> bool:
        """Whether the one can stand for the other; reflexive and transitive."""
        return subtype == supertype or supertype in self.supertypes.get(subtype, ())

    def callable_named(self, name: str) -> Signature | None:
        """The constructor or, if there is none, the function of that name."""
        return self.constructors.get(name) or self.functions.get(name)

    def words(self) -> Iterable[str]:
        """Every name that the Domain declares."""
        return (*self.types, *self.predicates, *self.functions, *self.constructors)


def check_domain(program: tree.DomainProgram) -> Domain:
    """Check all statements of a Domain program.

    Raises:
        ProgramErrors: Tags `TypeDeclared`, `TypeNotFound`, `DuplicateName`, `CyclicSubtypes`,
            `SymmetricTypeMismatch`, `SymmetricArgLengthMismatch`, `OutputLiteralTypeError`,
            `SubOrSuperLiteralTypeError`.
    """
    return _DomainChecker(program).check()


class _DomainChecker:
    def __init__(self, program: tree.DomainProgram) -> None:
        self.program = program
        self.findings = Findings(program.source)
        self.domain = Domain(types={name: Name(name) for name in (STRING, NUMBER)})
        self.subtypings: list[tuple[Name, Name]] = []

    def check(self) -> Domain:
        for statement in self.program.statements:
            match statement:
                case tree.TypeDeclaration():
                    self._type(statement)
                case tree.Subtyping():
                    self._subtyping(statement.subtype, statement.supertype)
                case tree.PredicateDeclaration():
                    self._predicate(statement)
                case tree.FunctionDeclaration():
                    self._callable(statement, self.domain.functions)
                case tree.ConstructorDeclaration():
                    self._callable(statement, self.domain.constructors)
                case tree.NotationDeclaration():
                    pass  # read by `kuaibao.diagrams.notation` once the names are known
        self._close_subtypes()
        for statement in self.program.statements:
            if isinstance(statement, tree.PredicateDeclaration) and statement.is_symmetric:
                self._symmetric(statement)
        self.findings.raise_if_any()
        return self.domain

    def _type(self, statement: tree.TypeDeclaration) -> None:
        name = statement.name
        first = self.domain.types.get(name.text)
        if first is not None:
            where = self.program.source.place(first.span)
            origin = f"first declared at {where}" if where else "a built-in type"
            self.findings.error(
                "TypeDeclared", f"type {name.text} is already there, {origin}", name.span
            )
        self.domain.types[name.text] = name
        for supertype in statement.supertypes:
            self._subtyping(name, supertype)

    def _subtyping(self, subtype: Name, supertype: Name) -> None:
        for name in (subtype, supertype):
            if name.text in LITERAL_TYPES:
                self.findings.error(
                    "SubOrSuperLiteralTypeError",
                    f"the built-in type {name.text} has no subtypes and no supertypes",
                    name.span,
                )
            else:
                self._exists(name)
        self.subtypings.append((subtype, supertype))

    def _exists(self, name: Name) -> None:
        if name.text not in self.domain.types:
            self.findings.error(
                "TypeNotFound",
                f"type {name.text} does not exist",
                name.span,
                known=self.domain.types,
                word=name.text,
            )

    def _predicate(self, statement: tree.PredicateDeclaration) -> None:
        self._is_new(statement.name, self.domain.predicates)
        for argument in statement.arguments:
            self._exists(argument.type)
        self.domain.predicates[statement.name.text] = Signature(
            statement.name,
            tuple(argument.type.text for argument in statement.arguments),
            is_symmetric=statement.is_symmetric,
        )

    def _callable(
        self,
        statement: tree.FunctionDeclaration | tree.ConstructorDeclaration,
        table: dict[str, Signature],
    ) -> None:
        self._is_new(statement.name, table)
        for argument in statement.arguments:
            self._exists(argument.type)
            if isinstance(statement, tree.ConstructorDeclaration) and argument.name is None:
                self.findings.error(
                    "ParseError",
                    f"the arguments of a constructor need names: {argument.type.text} what?",
                    argument.type.span,
                    hint=f"Write for example '{argument.type.text} x'.",
                )
        output = statement.output
        if output.text in LITERAL_TYPES:
            self.findings.error(
                "OutputLiteralTypeError",
                f"the built-in type {output.text} cannot be the output of {statement.name.text}",
                output.span,
            )
        else:
            self._exists(output)
        table[statement.name.text] = Signature(
            statement.name,
            tuple(argument.type.text for argument in statement.arguments),
            output.text,
        )

    def _is_new(self, name: Name, table: dict[str, Signature]) -> None:
        first = table.get(name.text)
        if first is not None:
            where = self.program.source.place(first.name.span)
            self.findings.error(
                "DuplicateName", f"{name.text} is already there, first at {where}", name.span
            )

    def _close_subtypes(self) -> None:
        direct: dict[str, list[str]] = {name: [] for name in self.domain.types}
        for subtype, supertype in self.subtypings:
            direct.setdefault(subtype.text, []).append(supertype.text)
        for name in direct:
            seen = {name}
            stack = [name]
            while stack:
                for above in direct.get(stack.pop(), ()):
                    if above not in seen:
                        seen.add(above)
                        stack.append(above)
            self.domain.supertypes[name] = frozenset(seen)
        for subtype, supertype in self.subtypings:
            if self.domain.is_subtype(supertype.text, subtype.text):
                loop = f"{subtype.text} -> {supertype.text} -> … -> {subtype.text}"
                self.findings.error(
                    "CyclicSubtypes",
                    f"the subtype relations form a cycle: {loop}",
                    Span(subtype.span.start, supertype.span.end),
                )

    def _symmetric(self, statement: tree.PredicateDeclaration) -> None:
        name, arguments = statement.name, statement.arguments
        if len(arguments) != 2:
            self.findings.error(
                "SymmetricArgLengthMismatch",
                f"the symmetric predicate {name.text} must have two arguments, "
                f"it has {len(arguments)}",
                name.span,
            )
            return
        first, second = (argument.type.text for argument in arguments)
        mutual = self.domain.is_subtype(first, second) and self.domain.is_subtype(second, first)
        if not mutual:
            self.findings.error(
                "SymmetricTypeMismatch",
                f"the symmetric predicate {name.text} must have two arguments of one type, "
                f"not {first} and {second}",
                name.span,
            )
