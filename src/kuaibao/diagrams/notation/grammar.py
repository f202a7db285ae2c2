"""The grammar that a Domain's notations make, and the one reading of a line, if there is one.

An Earley parser (lark) reads lines, so that any notation goes with any other; its forest tells
when a line can be read in two ways, and both are shown.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.lexer import Lexer, Token
from lark.parsers.earley_forest import ForestNode, PackedNode, SymbolNode, TokenNode

from kuaibao.diagrams.language.source import Span
from kuaibao.diagrams.notation.patterns import Notation, Notations
from kuaibao.diagrams.notation.tokens import SEPARATORS, Word

__all__ = ["AmbiguousError", "Line", "LineParser", "Node", "UnreadableError", "span_of"]


@dataclass(frozen=True)
class Node:
    """One applied rule; its parts are nodes or words, separators left out."""

    rule: str
    """`n3` for the third notation, or a rule of Substance: `call`, `name`, `bind`, ..."""
    parts: tuple[Node | Word, ...]
    words: tuple[int, int]
    """Half-open range of words of the line."""


class UnreadableError(Exception):
    """No notation fits."""

    def __init__(self, word: Word | None, expected: Sequence[str]) -> None:
        super().__init__(word)
        self.word = word
        """The word at fault; None at the end of the line."""
        self.expected = expected


class AmbiguousError(Exception):
    """Two readings fit."""

    def __init__(self, words: tuple[int, int], readings: tuple[Node, Node]) -> None:
        super().__init__(words)
        self.words = words
        self.readings = readings


Line = Sequence[Word]


class LineParser:
    """Reads lines by the notations of a Domain."""

    def __init__(self, notations: Notations) -> None:
        self.notations = notations
        literals = sorted(notations.literals | {*SEPARATORS, "Let", "-"})
        self._terminal = {text: f"W{number}" for number, text in enumerate(literals)}
        self._text = {name: text for text, name in self._terminal.items()}
        self._parser = _earley(self._grammar())

    def read(self, words: Line) -> Node:
        """The one reading of a line.

        Raises:
            UnreadableError: There is none.
            AmbiguousError: There are several.
        """
        tokens = [self._token(number, word) for number, word in enumerate(words)]
        try:
            root: Any = self._parser.parse(tokens)  # type: ignore[arg-type]  # our lexer's input
        except UnexpectedToken as error:
            at = error.token.start_pos
            word = words[at] if isinstance(at, int) and at < len(words) else None
            raise UnreadableError(word, self._named(error.expected)) from error
        except UnexpectedEOF as error:
            raise UnreadableError(None, self._named(error.expected)) from error
        except UnexpectedCharacters as error:  # pragma: no cover - our lexer gives tokens only
            raise UnreadableError(None, []) from error
        doubtful = _first_ambiguous(root)
        if doubtful is not None:
            readings = tuple(_node(doubtful, words, {id(doubtful): k}) for k in (0, 1))
            raise AmbiguousError(readings[0].words, (readings[0], readings[1]))
        return _node(root, words, {})

    def _token(self, number: int, word: Word) -> Token:
        kind = self._terminal.get(word.text)
        if kind is None:
            kind = {"name": "NAME", "number": "NUMBER", "string": "STRING"}.get(word.kind, "OTHER")
        return Token(kind, word.text, start_pos=number)

    def _named(self, expected: Any) -> list[str]:
        plain = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string"}
        names = {plain.get(one, f"'{self._text.get(one, one)}'") for one in expected}
        if "a name" in names:  # words of patterns can be names too
            names = (
                {one for one in names if not one[1:2].isalnum()}
                | {"a name"}
                | (names & set(plain.values()))
            )
        return sorted(names - {"'OTHER'"})

    def _grammar(self) -> str:
        t = self._terminal
        comma, opening, closing, binds = t[","], t["("], t[")"], t[":="]
        words = [name for text, name in t.items() if text[0].isalpha() and text != "Let"]
        numbers = [name for text, name in t.items() if text[0].isdigit()]
        patterns = list(enumerate(self.notations.patterns))
        expressions = [(k, one) for k, one in patterns if one.is_expression]
        statements = [(k, one) for k, one in patterns if not one.is_expression]
        levels = sorted({one.precedence for _, one in expressions if one.precedence is not None})
        rank = {precedence: number for number, precedence in enumerate(levels, 1)}
        top = len(levels) + 1
        lines = [
            "start: statement",
            f"statement: name name {binds} e0 -> declare_bind",
            f"    | name {binds} e0 -> bind",
            f"    | {t['Let']} name {binds} e0 -> let",
            f"    | name {opening} {closing} -> predicate",
            f"    | name {opening} arguments {closing} -> predicate",
        ]
        lines += [f"    | {self._statement(one)} -> n{k}" for k, one in statements
                  if one.grouping != "chain"]  # fmt: skip
        chained = [(k, one) for k, one in statements if one.grouping == "chain"]
        if chained:
            lines += ["    | chain -> chained", "chain: several link several -> first_link"]
            lines += ["    | chain link several -> next_link"]
            for number, (k, one) in enumerate(chained):
                signs = " ".join(t[word] for word in one.shape if word is not None)
                lines.append(f"{'    |' if number else 'link:'} {signs} -> n{k}")
        lines += ["several: e0 -> one", f"    | several {comma} e0 -> more"]
        for level in range(top):
            lines.append(f"e{level}: e{level + 1} -> same")
            lines += [
                f"    | {self._expression(one, level)} -> n{k}"
                for k, one in expressions
                if rank.get(one.precedence or 0, 0) * (one.precedence is not None) == level
            ]
        lines += [
            f"e{top}: atom -> same",
            "atom: name -> same | STRING -> string",
            *(f"    | {one} -> number" for one in ("NUMBER", *numbers)),
            f"    | {opening} e0 {closing} -> bracketed",
            f"    | name {opening} {closing} -> call",
            f"    | name {opening} arguments {closing} -> call",
        ]
        if not any(one.shape[0] == "-" for one in self.notations.patterns):
            lines.append(f"    | {t['-']} NUMBER -> negative")
        lines += [
            f"arguments: e0 -> one | arguments {comma} e0 -> more",
            "name: NAME -> name" + "".join(f" | {word} -> name" for word in words),
            "%declare NAME NUMBER STRING OTHER " + " ".join(t.values()),
        ]
        return "\n".join(lines) + "\n"

    def _statement(self, notation: Notation) -> str:
        """Names at the rim of a statement may be lists: `x, y ∈ A`."""
        shape = notation.shape
        rims = ("several" if "," not in shape else "e0", "several" if "," not in shape else "e0")
        return self._parts(notation, rims)

    def _expression(self, notation: Notation, level: int) -> str:
        tight, same = f"e{level + 1}", f"e{level}"
        match notation.grouping:
            case "left":
                return self._parts(notation, (same, tight))
            case "right":
                return self._parts(notation, (tight, same))
            case _:
                return self._parts(notation, (same, same))

    def _parts(self, notation: Notation, rims: tuple[str, str]) -> str:
        shape, parts = notation.shape, list[str]()
        for number, word in enumerate(shape):
            if word is not None:
                parts.append(self._terminal[word])
            elif number == 0 and len(shape) > 1:
                parts.append(rims[0])
            elif None in (shape[number - 1], *shape[number + 1 : number + 2]):
                parts.append("atom")  # names side by side: `triangle A B C`
            else:
                parts.append(rims[1] if number == len(shape) - 1 else "e0")
        return " ".join(parts)


class _GivenTokens(Lexer):
    """Hands on the tokens that were made already."""

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """The tokens in order."""
        return iter(lexer_state)


@functools.lru_cache(maxsize=32)
def _earley(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="earley", lexer=_GivenTokens, ambiguity="forest")


def _first_ambiguous(root: Any) -> SymbolNode | None:
    """The first node with two derivations that a walk from the top meets."""
    seen: set[int] = set()
    waiting: list[ForestNode] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, TokenNode):
            continue
        seen.add(id(node))
        if isinstance(node, SymbolNode):
            children = _derivations(node)
            if len(children) > 1:
                return node
            waiting += children
        elif isinstance(node, PackedNode):
            waiting += [one for one in (node.left, node.right) if one is not None]
    return None


def _derivations(node: SymbolNode) -> list[PackedNode]:
    return sorted(node.children, key=lambda one: (one.start, str(one.rule)))


def _node(node: Any, words: Line, choice: dict[int, int]) -> Node:
    packed = _derivations(node)[choice.get(id(node), 0)]
    parts: list[Node | Word] = []
    for part in _gathered(packed, choice):
        if isinstance(part, Token):
            if _rule_name(packed) in ("name", "number", "string", "negative"):
                parts.append(words[part.start_pos or 0])
        else:
            parts.append(_node(part, words, choice))
    return Node(_rule_name(packed), tuple(parts), (int(node.start), int(node.end)))


def _gathered(packed: PackedNode, choice: dict[int, int]) -> list[Any]:
    """The parts of a derivation, intermediate nodes opened."""
    parts: list[Any] = []
    left = packed.left
    if left is not None:
        if isinstance(left, SymbolNode) and left.is_intermediate:
            parts += _gathered(_derivations(left)[choice.get(id(left), 0)], choice)
        else:
            parts.append(left.token if isinstance(left, TokenNode) else left)
    if packed.right is not None:
        right = packed.right
        parts.append(right.token if isinstance(right, TokenNode) else right)
    return parts


def _rule_name(packed: PackedNode) -> str:
    rule: Any = packed.rule
    return str(rule.alias or rule.origin.name)


def span_of(words: Line, node: Node) -> Span:
    """Where a node stands."""
    first, last = node.words
    return Span(words[first].span.start, words[max(last - 1, first)].span.end)
