"""Formulas read by the notations of the shipped domains, names typed by what the Domain wants."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kuaibao.diagrams.checking.domain import LITERAL_TYPES, Domain, check_domain
from kuaibao.diagrams.domains import shipped_domain
from kuaibao.diagrams.errors import ProgramErrors
from kuaibao.diagrams.illustrating.names import plain_formula
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.domain_tree import DomainProgram
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.parser import parse_domain
from kuaibao.diagrams.language.source import join_sources
from kuaibao.diagrams.notation import desugar, print_statement

__all__ = ["CONTEXT_WORDS", "Reading", "is_claim", "read_formula"]

CONTEXT_WORDS: Mapping[str, tuple[str, ...]] = {
    "sets": ("set", "sets", "subset", "subsets", "集合", "子集"),
    "functions": ("function", "functions", "map", "maps", "mapping", "函数", "映射"),
    "linear_algebra": ("vector", "vectors", "向量"),
    "categories": ("morphism", "morphisms", "commutes", "category", "态射", "交换图", "范畴"),
    "graphs": ("vertex", "vertices", "graph", "edge", "edges", "顶点", "图论"),
    "probability": ("random", "variables", "conditional", "随机变量"),
}
"""Domains whose notation is looked for in formulas, and words that speak for each."""

_CLAIM = re.compile(
    r"[=<>≤≥≠∈∉⊂⊆⊃⊇→↦⟂⊥∥≅~∼]|\\(?:in|notin|subset|subseteq|supset|supseteq|to|mapsto|perp|parallel"
    r"|cong|sim|le|leq|ge|geq|neq|equiv|approx|iff|implies|rightarrow|hookrightarrow)(?![A-Za-z])"
)
_SYNONYMS = ((r"\colon", ":"), (r"\rightarrow", r"\to"), (r"\varnothing", r"\emptyset"),
             (r"\lVert", r"\|"), (r"\rVert", r"\|"), (r"\Vert", r"\|"),
             (r"\ne ", r"\neq "))  # fmt: skip
MAX_FORMULA_CHARS = 300


@dataclass(frozen=True)
class Reading:
    """A formula as plain Substance of one domain."""

    domain: str
    types: dict[str, str]
    lines: tuple[str, ...]
    labels: dict[str, str]


def is_claim(formula: str) -> bool:
    """Whether a formula says that something is so."""
    return _CLAIM.search(formula) is not None


def read_formula(formula: str, known: Mapping[str, tuple[str, str]]) -> list[Reading]:
    """Every way in which a shipped domain can read a formula.

    Args:
        formula: TeX or Unicode, without dollars.
        known: Domain and type of names that were spoken of before.
    """
    if len(formula) > MAX_FORMULA_CHARS:
        return []
    for spelling, meant in _SYNONYMS:
        formula = formula.replace(spelling, meant)
    text, labels = plain_formula(formula.rstrip(" .,;，。；"))
    return [
        Reading(name, types, lines, labels)
        for name in CONTEXT_WORDS
        for types, lines in _read_in(name, text, known)
    ]


@functools.cache
def _domain(name: str) -> tuple[DomainProgram, Domain]:
    path = shipped_domain(name).path
    program = parse_domain(join_sources("Domain", [(path.name, path.read_text(encoding="utf-8"))]))
    return program, check_domain(program)


def _read_in(
    name: str, text: str, known: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    program, domain = _domain(name)
    try:
        read = desugar(join_sources("Substance", [("formula", text + "\n")]), program, domain)
        types = _types_of(read.program, domain, name, known)
    except (ProgramErrors, _UntypedError):
        return
    statements = [one for one in read.program.statements if not isinstance(one, tree.Declaration)]
    if statements:
        yield types, tuple(print_statement(one) for one in statements)


class _UntypedError(Exception):
    """The names of a formula have no types that agree."""


def _types_of(
    program: tree.SubstanceProgram, domain: Domain, name: str,
    known: Mapping[str, tuple[str, str]],
) -> dict[str, str]:  # fmt: skip
    types: dict[str, str] = {}

    def note(word: str, kind: str) -> None:
        if kind in LITERAL_TYPES:
            raise _UntypedError
        before = types.get(word)
        if before is None or domain.is_subtype(kind, before):
            types[word] = kind
        elif not domain.is_subtype(before, kind):
            raise _UntypedError

    for statement in program.statements:
        match statement:
            case tree.Declaration(kind, names):
                for one in names:
                    note(one.text, kind.text)
            case tree.Predicate(called, arguments):
                signature = domain.predicates.get(called.text)
                if signature is None or len(signature.arguments) != len(arguments):
                    raise _UntypedError
                for argument, kind in zip(arguments, signature.arguments, strict=True):
                    if isinstance(argument, Name):
                        note(argument.text, kind)
            case tree.DeclareBind(_, _, tree.Call(called, arguments)):
                signature = domain.callable_named(called.text)
                if signature is None or len(signature.arguments) != len(arguments):
                    raise _UntypedError
                for argument, kind in zip(arguments, signature.arguments, strict=True):
                    if isinstance(argument, Name):
                        note(argument.text, kind)
            case _:
                raise _UntypedError  # only what a formula alone can say
    for word, kind in types.items():
        if word in known and not _agrees(known[word], name, kind, domain):
            raise _UntypedError
    made = {one.variable.text for one in program.statements if isinstance(one, tree.DeclareBind)}
    return {word: kind for word, kind in types.items() if word not in made}


def _agrees(known: tuple[str, str], name: str, kind: str, domain: Domain) -> bool:
    if known[0] != name:
        return known[1] == kind  # a set is one in both `sets` and `functions`
    return domain.is_subtype(known[1], kind)
