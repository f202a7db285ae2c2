"""Diagrams for people who want no language: objects and facts as Python calls.

    d = Builder("sets")
    A, B = d.Set("A", "B")
    d.Subset(B, A)
    U = d.Union(A, B, name="U", label="A + B")
    d.draw().svg()

Names of types make objects, names of predicates state facts, names of functions and constructors
make the object that they give. A wrong name, number or type of arguments is told at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kuaibao.diagrams.checking.domain import LITERAL_TYPES, NUMBER, Domain, Signature, check_domain
from kuaibao.diagrams.checking.objects import number_text
from kuaibao.diagrams.domains import shipped_domain
from kuaibao.diagrams.drawing import compile_with
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.galleries import Gallery, gallery
from kuaibao.diagrams.language.parser import parse_domain
from kuaibao.diagrams.language.source import join_sources
from kuaibao.diagrams.program import Layout, Program
from kuaibao.errors import did_you_mean

__all__ = ["Builder", "Thing"]


@dataclass(frozen=True)
class Thing:
    """An object of a diagram."""

    name: str
    type: str

    def __str__(self) -> str:
        """The name."""
        return self.name


class Builder:
    """Gathers objects and facts; `draw` and `gallery` lay them out."""

    def __init__(self, domain: str, *, style: str | Sequence[str] = "") -> None:
        """Begin a diagram.

        Args:
            domain: The name of a shipped domain, or a Domain text.
            style: The name of one of its Styles, or Style texts.

        Raises:
            DiagramError: No such domain.
            ProgramErrors: What is wrong in a Domain text.
        """
        self._domain_given = domain
        self._style = style
        is_text = "\n" in domain or " " in domain.strip()
        text = domain if is_text else shipped_domain(domain).path.read_text(encoding="utf-8")
        self._domain: Domain = check_domain(parse_domain(join_sources("Domain", [("", text)])))
        self._lines: list[str] = []
        self._types: dict[str, str] = {}

    @property
    def substance(self) -> str:
        """What has been said, as Substance."""
        return "".join(f"{line}\n" for line in self._lines)

    def __dir__(self) -> list[str]:
        """Everything that the Domain declares can be called."""
        return [*super().__dir__(), *(w for w in self._domain.words() if w not in LITERAL_TYPES)]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A type, predicate, function or constructor of the Domain."""
        if name.startswith("_"):
            raise AttributeError(name)
        domain = self._domain
        if name in domain.predicates:
            return functools.partial(self._state, domain.predicates[name])
        signature = domain.callable_named(name)
        if signature is not None:
            return functools.partial(self._make, signature)
        if name in domain.types and name not in LITERAL_TYPES:
            return functools.partial(self._declare, name)
        known = [word for word in domain.words() if word not in LITERAL_TYPES]
        raise DiagramError(
            "TypeNotFound", f"the domain declares no {name}", hint=did_you_mean(name, known)
        )

    def objects(self, type: str, *names: str) -> list[Thing]:
        """Objects of a type, also of one that shares its name with a constructor.

        Raises:
            DiagramError: No such type, or a name that is taken or is none.
        """
        if type not in self._domain.types or type in LITERAL_TYPES:
            raise DiagramError("TypeNotFound", f"type {type} does not exist",
                               hint=did_you_mean(type, self._domain.types))  # fmt: skip
        for name in names:
            self._new(name, type)
        self._lines.append(f"{type} {', '.join(names)}")
        return [Thing(name, type) for name in names]

    def label(self, thing: Thing, tex: str = "", *, text: str = "") -> None:
        """Write a formula (TeX) or a plain text at an object.

        Raises:
            DiagramError: The text holds a line end or its own delimiter.
        """
        delimiter, content = ('"', text) if text else ("$", tex)
        if delimiter in content or "\n" in content:
            raise DiagramError("ParseError", f"a label cannot hold {delimiter} or a line end")
        self._lines.append(f"Label {thing.name} {delimiter}{content}{delimiter}")

    def auto_label(self) -> None:
        """Label every object by its own name."""
        self._lines.append("AutoLabel All")

    def say(self, line: str) -> None:
        """Add a line of Substance or of the domain's notation: `A ⊂ B`."""
        self._lines.append(line)

    def program(self, *, name: str = "diagram") -> Program:
        """The compiled program.

        Raises:
            ProgramErrors: Everything that is wrong, with places in the Substance that was built.
        """
        return compile_with(self.substance, domain=self._domain_given, style=self._style, name=name)

    def draw(self, *, seed: int | str | None = None, candidates: int = 8) -> Layout:
        """The best of several layouts."""
        best = self.program().layouts(candidates, seed=seed)[0]
        best.check()
        return best

    def gallery(self, n: int = 16, *, seed: int | str | None = None) -> Gallery:
        """Layouts to choose from."""
        return gallery(self.program(), n, seed=seed)

    def _repr_svg_(self) -> str:
        return self.draw().svg(crop=True)

    def _declare(self, type: str, *names: str, label: str = "") -> Thing | list[Thing]:
        if not names:
            raise DiagramError("ArgLengthMismatch", f"{type} needs a name: {type}('x')")
        made = self.objects(type, *names)
        for thing in made:
            if label:
                self.label(thing, label)
        return made[0] if len(made) == 1 else made

    def _state(self, signature: Signature, *arguments: Thing | float | str) -> None:
        self._lines.append(f"{signature.name.text}({self._written(signature, arguments)})")

    def _make(
        self, signature: Signature, *arguments: Thing | float | str, name: str, label: str = ""
    ) -> Thing:
        written = self._written(signature, arguments)
        thing = Thing(name, signature.output)
        self._new(name, signature.output)
        self._lines.append(f"{signature.output} {name} := {signature.name.text}({written})")
        if label:
            self.label(thing, label)
        return thing

    def _new(self, name: str, type: str) -> None:
        if not name.isidentifier():
            raise DiagramError(
                "ParseError", f"{name!r} is no name",
                hint="A name has letters, digits and '_'; write anything else with label().",
            )  # fmt: skip
        if name in self._types:
            raise DiagramError("DuplicateName", f"{name} is already there, a {self._types[name]}")
        self._types[name] = type

    def _written(self, signature: Signature, arguments: Sequence[Thing | float | str]) -> str:
        wanted, name = signature.arguments, signature.name.text
        if len(arguments) != len(wanted):
            raise DiagramError(
                "ArgLengthMismatch",
                f"{name} takes {len(wanted)} arguments, not {len(arguments)}",
                hint=f"It is declared as {name}({', '.join(wanted)}).",
            )
        parts: list[str] = []
        for argument, kind in zip(arguments, wanted, strict=True):
            given, text = _literal(argument)
            if not self._domain.is_subtype(given, kind):
                raise DiagramError(
                    "TypeMismatch", f"{name} wants {kind} here, but {argument} is of type {given}"
                )
            parts.append(text)
        return ", ".join(parts)


def _literal(argument: Thing | float | str) -> tuple[str, str]:
    """The type of an argument and how it is written."""
    if isinstance(argument, Thing):
        return argument.type, argument.name
    if isinstance(argument, str):
        if '"' in argument or "\n" in argument:
            raise DiagramError("ParseError", "a string cannot hold a double quote or a line end")
        return "String", f'"{argument}"'
    return NUMBER, number_text(float(argument))
