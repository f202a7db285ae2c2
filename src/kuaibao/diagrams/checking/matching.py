"""Which Substance objects a header matches: relations first, then joins, in Penrose's order.

Order is part of the meaning (it gives `match_id` and the order of random draws): the relations in
order, then the variables that no relation mentions, folded from the left, the left varying
slowest. Of two matches of the same statements and the same objects the first is kept.

The fold is a hash join, so that cost follows the matches. Two facts keep it from enumerating what
would fall out later: whether a match maps two variables to one object shows as soon as both are
there; and of the orders of variables that differ in nothing, the ascending one comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kuaibao.diagrams.checking.domain import LITERAL_TYPES, Domain
from kuaibao.diagrams.checking.objects import literal_name
from kuaibao.diagrams.checking.substance import Application, Substance
from kuaibao.diagrams.language import style_tree as tree

__all__ = ["MAX_MATCHES", "Collection", "Match", "TooManyMatchesError", "match_header"]

MAX_MATCHES = 300_000
"""Matches (also partial ones) of one header; beyond this the program is stopped."""

Substitution = dict[str, str]
"""Variable (aliases too; Substance variables with their backticks) to unique object name."""


class TooManyMatchesError(Exception):
    """A header matches more often than `MAX_MATCHES`."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The objects that a collector gathered, under its `into` name."""

    name: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One way in which a header holds; the block runs once for it."""

    objects: Substitution
    collection: Collection | None = None


@dataclass(frozen=True, slots=True)
class _Partial:
    objects: Substitution
    statements: frozenset[int] = frozenset()
    rank: tuple[int, ...] = ()
    """Positions of interchangeable variables in their lists of candidates."""


def match_header(
    header: tree.Selector | tree.Collector,
    types: dict[str, str],
    domain: Domain,
    substance: Substance,
) -> list[Match]:
    """All matches of a checked header, in order.

    Raises:
        TooManyMatchesError: There are more than `MAX_MATCHES`.
    """
    matcher = _Matcher(header, types, domain, substance)
    found = matcher.match()
    if isinstance(header, tree.Selector):
        return [Match(objects) for objects in found]
    return _collect(header, found)


def _collect(header: tree.Collector, found: Iterable[Substitution]) -> list[Match]:
    keys = [declaration.binding.key for declaration in header.foreach]
    groups: dict[tuple[str, ...], list[str]] = {}
    for objects in found:
        group = groups.setdefault(tuple(objects[key] for key in keys), [])
        group.append(objects[header.head.binding.key])
    return [
        Match(dict(zip(keys, values, strict=True)), Collection(header.into.text, tuple(collected)))
        for values, collected in groups.items()
    ]


class _Matcher:
    def __init__(
        self,
        header: tree.Selector | tree.Collector,
        types: dict[str, str],
        domain: Domain,
        substance: Substance,
    ) -> None:
        self.header = header
        self.types = types
        self.domain = domain
        self.substance = substance
        self.is_repeatable = header.is_repeatable
        self._fits: dict[tuple[str, str], bool] = {}

    def match(self) -> list[Substitution]:
        current: list[_Partial] | None = None
        used: set[str] = set()
        for relation in self.header.where:
            used |= _mentioned(relation)
            step = [p for p in self._relation(relation) if self._is_allowed(p.objects)]
            current = step if current is None else self._join(current, step)
        lists: dict[str, int] = {}
        for declaration in self._declarations():
            if declaration.binding.text in used:
                continue
            key = declaration.binding.key
            candidates = self._candidates(declaration)
            group = (
                -1
                if declaration.binding.is_substance
                else lists.setdefault(declaration.type.text, len(lists))
            )
            current = self._extend(current, key, candidates, group, len(lists))
        return self._deduplicated(current or [])

    def _declarations(self) -> tuple[tree.Declaration, ...]:
        header = self.header
        if isinstance(header, tree.Selector):
            return (*header.head, *header.with_)
        return (*header.with_, header.head, *header.foreach)

    def _is_allowed(self, objects: Substitution) -> bool:
        return self.is_repeatable or len(set(objects.values())) == len(objects)

    def _fits_type(self, name: str, expected: str) -> bool:
        kind = self.substance.type_of(name)
        known = self._fits.get((kind, expected))
        if known is None:
            known = self._fits[kind, expected] = self.domain.is_subtype(kind, expected)
        return known

    # Relations.

    def _relation(self, relation: tree.Relation) -> Iterable[_Partial]:
        match relation:
            case tree.PredicateRelation():
                return self._facts(relation)
            case tree.BindRelation():
                return self._bindings(relation)
            case tree.FieldRelation():
                return self._labelled(relation)

    def _facts(self, relation: tree.PredicateRelation) -> Iterable[_Partial]:
        name = relation.name.text
        arguments = relation.arguments
        orders = [arguments]
        if self.domain.predicates[name].is_symmetric:
            orders.append((arguments[1], arguments[0]))
        for fact in self.substance.facts:
            if fact.predicate != name:
                continue
            for order in orders:
                objects = self._arguments(order, fact.arguments)
                if objects is None:
                    continue
                if relation.alias is not None:
                    objects[relation.alias.text] = "_".join((name, *fact.names))
                yield _Partial(objects, frozenset((fact.index,)))

    def _bindings(self, relation: tree.BindRelation) -> Iterable[_Partial]:
        for binding in self.substance.bindings:
            objects: Substitution | None
            value, wanted = binding.value, relation.value
            if isinstance(wanted, tree.SelectorCall):
                if not isinstance(value, Application) or value.name != wanted.name.text:
                    continue
                objects = self._arguments(wanted.arguments, value.arguments)
            elif isinstance(value, str) and isinstance(wanted, tree.Binding):
                objects = self._arguments((wanted,), (value,))
            else:
                continue
            bound = self._arguments((relation.binding,), (binding.variable,))
            if objects is None or bound is None:
                continue
            if all(objects.get(key, name) == name for key, name in bound.items()):
                yield _Partial({**objects, **bound}, frozenset((binding.index,)))

    def _labelled(self, relation: tree.FieldRelation) -> Iterable[_Partial]:
        for name in self.substance.objects:
            label = self.substance.labels[name]
            has = label.kind == relation.kind if relation.kind else bool(label.text)
            if has:
                objects = self._arguments((relation.binding,), (name,))
                if objects is not None:
                    yield _Partial(objects)

    def _arguments(
        self, wanted: Sequence[tree.SelectorArgument], given: Sequence[str]
    ) -> Substitution | None:
        objects: Substitution = {}
        for one, name in zip(wanted, given, strict=True):
            if isinstance(one, tree.SelectorLiteral):
                if literal_name(one.value) != name:
                    return None
                continue
            if one.is_substance and one.text != name:
                return None
            if not self._fits_type(name, self.types[one.text]):
                return None
            if objects.setdefault(one.key, name) != name:
                return None
        return objects

    # Joins.

    def _join(self, left: list[_Partial], right: list[_Partial]) -> list[_Partial]:
        if not left or not right:
            return []
        shared = [key for key in left[0].objects if key in right[0].objects]
        index: dict[tuple[str, ...], list[_Partial]] = {}
        for one in right:
            index.setdefault(tuple(one.objects[key] for key in shared), []).append(one)
        joined: list[_Partial] = []
        for a in left:
            for b in index.get(tuple(a.objects[key] for key in shared), ()):
                objects = {**a.objects, **b.objects}
                if self._is_allowed(objects):
                    joined.append(_Partial(objects, a.statements | b.statements))
            _check_size(joined)
        return joined

    def _candidates(self, declaration: tree.Declaration) -> list[str]:
        binding, kind = declaration.binding, declaration.type.text
        if kind in LITERAL_TYPES and not binding.is_substance:
            return [name for name, found in self.substance.literals.items() if found == kind]
        names = self.substance.objects
        if binding.is_substance:
            names = [binding.text] if binding.text in names else []
        return [name for name in names if self._fits_type(name, kind)]

    def _extend(
        self,
        current: list[_Partial] | None,
        key: str,
        candidates: list[str],
        group: int,
        n_group: int,
    ) -> list[_Partial]:
        """Every partial match with every candidate for one more variable.

        Variables of one group have the same candidates; only ascending ranks are kept.
        """
        start = [_Partial({})] if current is None else current
        extended: list[_Partial] = []
        for one in start:
            rank = one.rank + (-1,) * (n_group - len(one.rank))
            least = 0
            if group >= 0 and rank[group] >= 0:
                least = rank[group] if self.is_repeatable else rank[group] + 1
            taken: frozenset[str] = frozenset()
            if not self.is_repeatable:
                taken = frozenset(one.objects.values())
            for position in range(least, len(candidates)):
                name = candidates[position]
                if name in taken:
                    continue
                ranked = rank
                if group >= 0:
                    ranked = (*rank[:group], position, *rank[group + 1 :])
                extended.append(_Partial({**one.objects, key: name}, one.statements, ranked))
            _check_size(extended)
        return extended

    def _deduplicated(self, found: list[_Partial]) -> list[Substitution]:
        seen: set[tuple[frozenset[int], frozenset[str]]] = set()
        kept: list[Substitution] = []
        for one in found:
            record = (one.statements, frozenset(one.objects.values()))
            if record not in seen:
                seen.add(record)
                kept.append(one.objects)
        return kept


def _check_size(matches: list[_Partial]) -> None:
    if len(matches) > MAX_MATCHES:
        raise TooManyMatchesError


def _mentioned(relation: tree.Relation) -> set[str]:
    match relation:
        case tree.PredicateRelation(_, arguments, _):
            return {one.text for one in arguments if isinstance(one, tree.Binding)}
        case tree.BindRelation(binding, tree.SelectorCall(_, arguments)):
            names = {one.text for one in arguments if isinstance(one, tree.Binding)}
            return names | {binding.text}
        case tree.BindRelation(binding, value):
            return {binding.text} | ({value.text} if isinstance(value, tree.Binding) else set())
        case tree.FieldRelation(binding, _, _):
            return {binding.text}
