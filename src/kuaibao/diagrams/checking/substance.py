"""The checked Substance: objects with their types, plain statements, literals and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kuaibao.diagrams.checking.domain import LITERAL_TYPES, NUMBER, STRING, Domain, Signature
from kuaibao.diagrams.checking.findings import Findings
from kuaibao.diagrams.checking.indexing import Plain, expand
from kuaibao.diagrams.checking.objects import literal_name
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.names import Name

__all__ = [
    "MAX_OBJECTS",
    "Application",
    "Binding",
    "Fact",
    "ObjectLabel",
    "Substance",
    "check_substance",
]

MAX_OBJECTS = 200_000
"""Objects and statements of one Substance program."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A predicate that was stated; arguments are unique names of objects."""

    index: int
    """The statement's number: repeated statements are different facts."""
    predicate: str
    arguments: tuple[str, ...]
    names: tuple[str, ...]
    """The arguments that are variables, as written; an alias is called after them."""


@dataclass(frozen=True, slots=True)
class Application:
    """`f(a, 3)`: a constructor or function applied to objects."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """`v := f(a)` or `v := w`."""

    index: int
    variable: str
    value: Application | str


@dataclass(frozen=True, slots=True)
class ObjectLabel:
    """The label of an object: `math` (TeX), `text`, or none (empty kind)."""

    text: str = ""
    kind: str = ""


@dataclass
class Substance:
    """All that a Substance program says, checked and flat."""

    objects: dict[str, str] = field(default_factory=dict[str, str])
    """Every variable and its type, in order of declaration."""
    facts: list[Fact] = field(default_factory=list[Fact])
    bindings: list[Binding] = field(default_factory=list[Binding])
    literals: dict[str, str] = field(default_factory=dict[str, str])
    """Unique names of the literals and their types, each once, in order."""
    labels: dict[str, ObjectLabel] = field(default_factory=dict[str, ObjectLabel])

    def type_of(self, name: str) -> str:
        """The type of an object by its unique name; empty if there is none."""
        return self.objects.get(name) or self.literals.get(name, "")


def check_substance(program: tree.SubstanceProgram, domain: Domain) -> Substance:
    """Check all statements of a Substance program against its Domain.

    Raises:
        ProgramErrors: Tags `TypeNotFound`, `VarNotFound`, `DuplicateName`, `TypeMismatch`,
            `ArgLengthMismatch`, `DeclLiteralError`, and those of indexed statements.
    """
    checker = _SubstanceChecker(program, domain)
    for statement in program.statements:
        plain: Sequence[Plain] = (
            expand(statement, checker.findings)
            if isinstance(statement, tree.Indexed)
            else (statement,)
        )
        for one in plain:
            checker.check(one)
            if checker.is_full():
                break
    checker.findings.raise_if_any()
    checker.label()
    return checker.substance


class _SubstanceChecker:
    def __init__(self, program: tree.SubstanceProgram, domain: Domain) -> None:
        self.domain = domain
        self.findings = Findings(program.source)
        self.substance = Substance()
        self.declared: dict[str, Name] = {}
        self.labelling: list[tree.AutoLabel | tree.Label | tree.NoLabel] = []
        self.n_statement = 0

    def is_full(self) -> bool:
        """Whether the program is too large; says so once."""
        if self.n_statement <= MAX_OBJECTS:
            return False
        span = next(iter(self.declared.values()), Name("")).span
        self.findings.error("TooLarge", f"more than {MAX_OBJECTS} statements", span)
        return True

    def check(self, statement: Plain) -> None:
        self.n_statement += 1
        match statement:
            case tree.Declaration(kind, names):
                self.n_statement += len(names) - 1
                for name in names:
                    self._declare(kind, name)
            case tree.Bind(variable, value):
                self._bind(variable, value)
            case tree.DeclareBind(kind, variable, value):
                self._declare(kind, variable)
                self._bind(variable, value)
            case tree.Predicate():
                self._predicate(statement)
            case tree.Label(variable):
                self._variable(variable)
                self.labelling.append(statement)
            case tree.AutoLabel(names) | tree.NoLabel(names):
                for name in names or ():
                    self._variable(name)
                self.labelling.append(statement)

    def label(self) -> None:
        labels = self.substance.labels
        labels.update((name, ObjectLabel()) for name in self.substance.objects)
        for statement in self.labelling:
            match statement:
                case tree.AutoLabel(names):
                    chosen = labels if names is None else [name.text for name in names]
                    labels.update([(name, ObjectLabel(name, "math")) for name in chosen])
                case tree.Label(variable, text, is_math):
                    labels[variable.text] = ObjectLabel(text, "math" if is_math else "text")
                case tree.NoLabel(names):
                    labels.update((name.text, ObjectLabel()) for name in names)

    def _declare(self, kind: Name, name: Name) -> None:
        if kind.text in LITERAL_TYPES:
            self.findings.error(
                "DeclLiteralError",
                f"objects of the built-in type {kind.text} are not declared, "
                "they come from the numbers and strings of the program",
                kind.span,
            )
        elif kind.text not in self.domain.types:
            self.findings.error(
                "TypeNotFound",
                f"type {kind.text} does not exist",
                kind.span,
                known=self.domain.types,
                word=kind.text,
            )
        first = self.declared.get(name.text)
        if first is not None:
            where = self.findings.source.place(first.span)
            self.findings.error(
                "DuplicateName", f"{name.text} is already there, first at {where}", name.span
            )
        self.declared[name.text] = name
        self.substance.objects[name.text] = kind.text

    def _variable(self, name: Name) -> str | None:
        """The type of a variable, or None after complaining that there is none."""
        kind = self.substance.objects.get(name.text)
        if kind is None:
            self.findings.error(
                "VarNotFound",
                f"{name.text} has not been declared",
                name.span,
                known=self.substance.objects,
                word=name.text,
            )
        return kind

    def _bind(self, variable: Name, value: tree.SubstanceExpression) -> None:
        expected = self._variable(variable)
        bound, kind = self._expression(value)
        if expected is None or kind is None or bound is None:
            return
        if not self.domain.is_subtype(kind, expected):
            place = value.name if isinstance(value, tree.Call) else value
            self.findings.error(
                "TypeMismatch",
                f"{variable.text} is of type {expected}, but what it is bound to is of type {kind}",
                place.span,
            )
        self.substance.bindings.append(Binding(self.n_statement, variable.text, bound))

    def _expression(
        self, value: tree.SubstanceExpression
    ) -> tuple[Application | str | None, str | None]:
        if not isinstance(value, tree.Call):
            return self._argument(value)
        signature = self.domain.callable_named(value.name.text)
        if signature is None:
            self.findings.error(
                "TypeNotFound",
                f"there is no function or constructor {value.name.text}",
                value.name.span,
                known=(*self.domain.constructors, *self.domain.functions),
                word=value.name.text,
            )
            return None, None
        arguments = self._arguments(value.name, value.arguments, signature)
        return Application(value.name.text, arguments), signature.output

    def _argument(self, argument: tree.SubstanceArgument) -> tuple[str | None, str | None]:
        """The unique name of an argument and its type."""
        if isinstance(argument, Name):
            kind = self._variable(argument)
            return (argument.text, kind) if kind is not None else (None, None)
        name = literal_name(argument.value)
        kind = STRING if isinstance(argument.value, str) else NUMBER
        self.substance.literals.setdefault(name, kind)
        return name, kind

    def _arguments(
        self, name: Name, given: tuple[tree.SubstanceArgument, ...], signature: Signature
    ) -> tuple[str, ...]:
        if len(given) != len(signature.arguments):
            self.findings.error(
                "ArgLengthMismatch",
                f"{name.text} takes {len(signature.arguments)} arguments, not {len(given)}",
                name.span,
                hint=f"It is declared as {name.text}({', '.join(signature.arguments)}).",
            )
            return ()
        result: list[str] = []
        for argument, expected in zip(given, signature.arguments, strict=True):
            unique, kind = self._argument(argument)
            if unique is None or kind is None:
                continue
            if not self.domain.is_subtype(kind, expected):
                shown = argument.text if isinstance(argument, Name) else str(argument.value)
                self.findings.error(
                    "TypeMismatch",
                    f"{name.text} wants {expected} here, but {shown} is of type {kind}",
                    argument.span,
                )
            result.append(unique)
        return tuple(result)

    def _predicate(self, statement: tree.Predicate) -> None:
        signature = self.domain.predicates.get(statement.name.text)
        if signature is None:
            self.findings.error(
                "TypeNotFound",
                f"there is no predicate {statement.name.text}",
                statement.name.span,
                known=self.domain.predicates,
                word=statement.name.text,
            )
            return
        arguments = self._arguments(statement.name, statement.arguments, signature)
        names = tuple(a.text for a in statement.arguments if isinstance(a, Name))
        self.substance.facts.append(Fact(self.n_statement, statement.name.text, arguments, names))
