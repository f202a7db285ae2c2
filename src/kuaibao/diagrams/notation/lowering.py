"""From the reading of a line to plain statements: meanings chosen by types, nests opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import cast

from kuaibao.diagrams.checking.domain import NUMBER, STRING, Domain
from kuaibao.diagrams.errors import DiagramError
from kuaibao.diagrams.language import substance_tree as tree
from kuaibao.diagrams.language.names import Name
from kuaibao.diagrams.language.source import NOWHERE, Source, Span
from kuaibao.diagrams.notation.grammar import Node, span_of
from kuaibao.diagrams.notation.patterns import Meaning, Notation, Notations
from kuaibao.diagrams.notation.tokens import Word

__all__ = ["Lowering"]

_NAME = re.compile(r"[^\W\d]\w*")
_TEX = {
    "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "×": r"\times ", "∘": r"\circ ",
    "·": r"\cdot ", "⊗": r"\otimes ", "⊕": r"\oplus ", "→": r"\to ", "∈": r"\in ",
    "⊂": r"\subset ", "⊆": r"\subseteq ", "‖": r"\|", "∅": r"\emptyset ", "∧": r"\wedge ",
    "∨": r"\vee ", "∠": r"\angle ", "△": r"\triangle ", "⟂": r"\perp ", "∥": r"\parallel ",
}  # fmt: skip


class Lowering:
    """Turns readings into statements; keeps what has been declared so far."""

    def __init__(self, source: Source, notations: Notations, domain: Domain) -> None:
        self.source = source
        self.notations = notations
        self.domain = domain
        self.errors: list[DiagramError] = []
        self._types: dict[str, str] = {}
        self._taken: set[str] = set()
        self._made: dict[str, Name] = {}
        self._shown: dict[str, str] = {}
        self._before: list[tree.Statement] = []
        self._index: tree.Indexed | None = None
        self._words: Sequence[Word] = ()

    def know_names(self, text: str) -> None:
        """Names that must not be given to what has none."""
        self._taken.update(_NAME.findall(text))

    def know(self, statement: tree.Statement) -> None:
        """Remember what a plain statement declares."""
        match statement:
            case tree.Declaration(kind, names):
                self._types.update((name.text, kind.text) for name in names)
            case tree.DeclareBind(kind, variable, value):
                self._types[variable.text] = kind.text
                self._remember(variable, value)
            case tree.Bind(variable, value):
                self._remember(variable, value)
            case tree.Indexed(tree.Declaration(kind, names)):
                self._types.update((name.text.rpartition("_")[0], kind.text) for name in names)
            case _:
                pass

    def statements(
        self, words: Sequence[Word], node: Node, repeats: tree.Indexed | None
    ) -> list[tree.Statement]:
        """The plain statements of a line."""
        self._words, self._index, self._before = words, repeats, []
        made = self._statement(_inner(node))
        for one in made:
            self.know(one)
        plain = [*self._before, *made]
        if repeats is None:
            return plain
        return [
            tree.Indexed(one, repeats.ranges, repeats.condition)  # type: ignore[arg-type]
            for one in plain
        ]

    def labels(self, statements: Sequence[tree.Statement]) -> list[tree.Statement]:
        """What has no name is labelled by what the person wrote, if all objects are labelled."""
        if not any(isinstance(one, tree.AutoLabel) and one.names is None for one in statements):
            return []
        return [tree.Label(Name(name), tex, is_math=True) for name, tex in self._shown.items()]

    def _statement(self, node: Node) -> list[tree.Statement]:
        parts = node.parts
        match node.rule:
            case "declare_bind":
                kind, variable, value = parts
                return [tree.DeclareBind(_name(kind), _name(variable), self._value(value))]
            case "bind":
                return [tree.Bind(_name(parts[0]), self._value(parts[1]))]
            case "let":
                value = self._value(parts[1])
                kind = self._type_of(value) or "?"
                return [tree.DeclareBind(Name(kind, self._span(parts[1])), _name(parts[0]), value)]
            case "predicate":
                return [tree.Predicate(_name(parts[0]), self._arguments(parts[1:]))]
            case "chained":
                return self._chained(_inner(_as_node(parts[0])))
            case _:
                notation = self._notation(node)
                made: list[tree.Statement] = []
                for chosen in product(*(self._several(part) for part in parts)):
                    made += self._stated(notation, chosen, node)
                return made

    def _chained(self, node: Node) -> list[tree.Statement]:
        """`A ⊂ B ⊂ C` says both."""
        if node.rule == "next_link":
            rest, link, right = (_as_node(part) for part in node.parts)
            made = self._chained(rest)
            left = _as_node(rest.parts[2])
        else:
            left, link, right = (_as_node(part) for part in node.parts)
            made = []
        notation = self._notation(_inner(link))
        for pair in product(self._several(left), self._several(right)):
            made += self._stated(notation, pair, node)
        return made

    def _stated(
        self, notation: Notation, given: Sequence[tree.SubstanceArgument], node: Node
    ) -> list[tree.Statement]:
        meaning = self._meaning(notation, given, node)
        filled = dict(zip(meaning.holes, given, strict=True))
        span = self._span(node)
        made: list[tree.Statement] = []
        for statement in meaning.statements:
            match statement:
                case tree.Declaration(kind, names):
                    chosen = [_as_name(filled[name.text]) for name in names]
                    fresh = [name for name in chosen if not self._known_type(name.text)]
                    if fresh:
                        made.append(tree.Declaration(Name(kind.text, span), tuple(fresh)))
                case tree.Predicate(name, arguments):
                    made.append(tree.Predicate(Name(name.text, span), _filled(arguments, filled)))
                case tree.Bind(variable, value):
                    name = _as_name(filled[variable.text])
                    made.append(tree.Bind(name, _filled_value(value, filled, span)))
                case tree.DeclareBind(kind, variable, value):
                    name = _as_name(filled[variable.text])
                    bound = _filled_value(value, filled, span)
                    if self._known_type(name.text):
                        made.append(tree.Bind(name, bound))
                    else:
                        made.append(tree.DeclareBind(Name(kind.text, span), name, bound))
                case _:
                    pass  # refused when the Domain was read
        return made

    def _several(self, part: Node | Word) -> list[tree.SubstanceArgument]:
        node = _as_node(part)
        if node.rule == "more":
            return [*self._several(node.parts[0]), self._argument(_as_node(node.parts[1]))]
        if node.rule == "one":
            return [self._argument(_as_node(node.parts[0]))]
        return [self._argument(node)]

    def _arguments(self, parts: Sequence[Node | Word]) -> tuple[tree.SubstanceArgument, ...]:
        return tuple(argument for part in parts for argument in self._several(part))

    def _argument(self, node: Node) -> tree.SubstanceArgument:
        """A name or a literal; an expression gets a name of its own first."""
        value = self._value(node)
        return self._named(value, node) if isinstance(value, tree.Call) else value

    def _value(self, part: Node | Word) -> tree.SubstanceExpression:
        node = _inner(_as_node(part))
        if node.rule in ("name", "number", "string", "negative"):
            word = node.parts[-1]
            assert isinstance(word, Word)
            if node.rule == "name":
                return Name(word.text, word.span)
            if node.rule == "string":
                return tree.Literal(word.text[1:-1], word.span)
            sign = -1.0 if node.rule == "negative" else 1.0
            return tree.Literal(sign * float(word.text), self._span(node))
        if node.rule == "call":
            return tree.Call(_name(node.parts[0]), self._arguments(node.parts[1:]))
        notation = self._notation(node)
        given = [self._argument(_as_node(part)) for part in node.parts]
        meaning = self._meaning(notation, given, node)
        call = cast("tree.Predicate", meaning.statements[0])
        filled = dict(zip(meaning.holes, given, strict=True))
        return tree.Call(Name(call.name.text, self._span(node)), _filled(call.arguments, filled))

    def _named(self, call: tree.Call, node: Node) -> Name:
        span = self._span(node)
        key = _key(call)
        if self._index is None and key in self._made:
            return Name(self._made[key].text, span)
        kind = self._type_of(call)
        number = 1
        while f"e{number}" in self._taken:
            number += 1
        text = f"e{number}"
        self._taken.add(text)
        if self._index is not None:
            index, *more = self._index.ranges
            if more:
                self._error(
                    "NotationError",
                    "an expression inside a line repeated by two indices needs a name",
                    span,
                    "Bind it first: T x_i := ...",
                )
            text = f"{text}_{index.variable.text}"
        name = Name(text, span)
        # an unknown function: the plain checker complains of the call itself
        made = tree.DeclareBind(Name(kind or call.name.text, span), name, call)
        self._before.append(made)
        self.know(made)
        if self._index is None:
            self._made[key] = name
            shown = self.source.text[span.start : span.end].replace("$", "")
            tex = "".join(_TEX.get(sign, sign) for sign in shown)
            self._shown[text] = " ".join(tex.split())
        return name

    def _remember(self, variable: Name, value: tree.SubstanceExpression) -> None:
        if isinstance(value, tree.Call):
            self._made.setdefault(_key(value), variable)

    def _notation(self, node: Node) -> Notation:
        return self.notations.patterns[int(node.rule[1:])]

    def _meaning(
        self, notation: Notation, given: Sequence[tree.SubstanceArgument], node: Node
    ) -> Meaning:
        """The meaning whose types fit, when one pattern has several."""
        meanings = notation.meanings
        if len(meanings) == 1:
            return meanings[0]
        kinds = [self._argument_type(one) for one in given]
        fitting = [one for one in meanings if self._fits(one, kinds)]
        if len(fitting) == 1:
            return fitting[0]
        shown = ", ".join(kind or "something undeclared" for kind in kinds)
        names = " and ".join(dict.fromkeys(_target(one) for one in fitting or meanings))
        verb = "all fit" if fitting else "none fits"
        self._error(
            "AmbiguousNotation" if fitting else "TypeMismatch",
            f"'{notation.text}' stands for {names}; {verb} {shown}",
            self._span(node),
            "Write the plain call, or declare the names first.",
        )
        return meanings[0]

    def _fits(self, meaning: Meaning, kinds: Sequence[str]) -> bool:
        return all(
            not kind or all(self.domain.is_subtype(kind, one) for one in wanted)
            for kind, wanted in zip(kinds, meaning.types, strict=True)
        )

    def _known_type(self, name: str) -> str:
        return self._types.get(name) or self._types.get(name.rpartition("_")[0], "")

    def _argument_type(self, argument: tree.SubstanceArgument) -> str:
        if isinstance(argument, Name):
            return self._known_type(argument.text)
        return STRING if isinstance(argument.value, str) else NUMBER

    def _type_of(self, value: tree.SubstanceExpression) -> str:
        if not isinstance(value, tree.Call):
            return self._argument_type(value)
        signature = self.domain.callable_named(value.name.text)
        return signature.output if signature else ""

    def _span(self, part: Node | Word) -> Span:
        return span_of(self._words, _as_node(part))

    def _error(self, tag: str, message: str, span: Span, hint: str) -> None:
        self.errors.append(DiagramError(tag, message, place=self.source.place(span), hint=hint))


def _inner(node: Node) -> Node:
    """The node below levels, brackets and the start."""
    while node.rule in ("start", "same", "bracketed") or (
        node.rule in ("statement", "link", "chain") and len(node.parts) == 1
    ):
        node = _as_node(node.parts[0])
    return node


def _as_node(part: Node | Word) -> Node:
    assert isinstance(part, Node)
    return part


def _name(part: Node | Word) -> Name:
    word = _inner(_as_node(part)).parts[0]
    assert isinstance(word, Word)
    return Name(word.text, word.span)


def _as_name(argument: tree.SubstanceArgument) -> Name:
    if isinstance(argument, Name):
        return argument
    return Name(str(argument.value), argument.span)


def _filled(
    arguments: Sequence[tree.SubstanceArgument], filled: dict[str, tree.SubstanceArgument]
) -> tuple[tree.SubstanceArgument, ...]:
    return tuple(filled[one.text] if isinstance(one, Name) else tree.Literal(one.value, NOWHERE)
                 for one in arguments)  # fmt: skip


def _filled_value(
    value: tree.SubstanceExpression, filled: dict[str, tree.SubstanceArgument], span: Span
) -> tree.SubstanceExpression:
    if isinstance(value, tree.Call):
        return tree.Call(Name(value.name.text, span), _filled(value.arguments, filled))
    return _filled((value,), filled)[0]


def _key(call: tree.Call) -> str:
    inner = ", ".join(
        one.text if isinstance(one, Name) else repr(one.value) for one in call.arguments
    )
    return f"{call.name.text}({inner})"


def _target(meaning: Meaning) -> str:
    first = meaning.statements[-1]
    return first.name.text if isinstance(first, tree.Predicate) else type(first).__name__
