"""From a text to the same text with figures: find statements, draw each, put it beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from kuaibao.diagrams.drawing import compile_with
from kuaibao.diagrams.errors import DiagramError, LayoutError
from kuaibao.diagrams.illustrating.documents import (
    Paragraph,
    Placed,
    paragraphs_of,
    with_figures,
)
from kuaibao.diagrams.illustrating.formulas import (
    CONTEXT_WORDS,
    Reading,
    is_claim,
    read_formula,
)
from kuaibao.diagrams.illustrating.names import NAME
from kuaibao.diagrams.illustrating.phrases import Found, find_phrases
from kuaibao.diagrams.layout import Settings
from kuaibao.diagrams.program import Layout
from kuaibao.errors import KuaibaoError
from kuaibao.text import split_sentences

__all__ = ["Figure", "Illustrated", "NotDrawn", "Proposer", "illustrate"]

MAX_DOCUMENT_CHARS = 2_000_000
MAX_FIGURES = 200
HELD = 0.1
"""Largest violation of a figure that is shown."""


class Proposer(Protocol):
    """Somebody who proposes a program for a sentence that the grammar cannot read."""

    @property
    def name(self) -> str:
        """What it is called in captions: the model."""
        ...

    def propose(self, sentence: str) -> tuple[str, str] | None:
        """The name of a shipped domain and a Substance text, or None."""
        ...


@dataclass(frozen=True)
class Figure:
    """A drawn statement."""

    number: int
    line: int
    statement: str
    domain: str
    substance: str
    layout: Layout
    proposed_by: str = ""
    """The model that proposed the Substance; empty for what the grammar read."""
    paragraph: int = 0


@dataclass(frozen=True)
class NotDrawn:
    """A statement that was seen but not drawn, and why."""

    line: int
    statement: str
    reason: str


@dataclass(frozen=True)
class Illustrated:
    """A text, its figures, and what was seen but not drawn."""

    document: str
    kind: str
    paragraphs: Sequence[Paragraph]
    figures: Sequence[Figure]
    not_drawn: Sequence[NotDrawn]

    def text(self, file_of: Callable[[Figure], str]) -> str:
        """The document with its figures.

        Args:
            file_of: The address of a figure's file, for Markdown and LaTeX; HTML holds the SVG.
        """
        placed: dict[int, list[Placed]] = {}
        for one in self.figures:
            svg = one.layout.svg(crop=True, prefix=f"f{one.number}-", title=one.statement)
            by = f" (drawn by {one.proposed_by})" if one.proposed_by else ""
            caption = one.layout.program.description + by
            placed.setdefault(one.paragraph, []).append(
                Placed(one.number, svg, file_of(one), caption)
            )
        return with_figures(self.document, self.kind, self.paragraphs, placed)


@dataclass
class _Claims:
    """What one paragraph says in one domain."""

    types: dict[str, str] = field(default_factory=dict[str, str])
    lines: list[str] = field(default_factory=list[str])
    labels: dict[str, str] = field(default_factory=dict[str, str])
    sentences: list[str] = field(default_factory=list[str])

    def add(self, types: Mapping[str, str], lines: Sequence[str], labels: Mapping[str, str],
            sentence: str) -> None:  # fmt: skip
        self.types.update(types)
        self.labels.update(labels)
        self.lines += [line for line in lines if line not in self.lines]
        if lines and sentence not in self.sentences:
            self.sentences.append(sentence)

    def substance(self) -> str:
        """Declarations of the names that the lines use, the lines, the labels."""
        text = "\n".join(self.lines)
        used = [name for name in self.types if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
        head = [f"{self.types[name]} {name}" for name in used]
        tail = [f"Label {name} ${self.labels.get(name, name)}$" for name in used]
        made = re.findall(r"(?m)^\w+ (e\d+) := \w+\((.*)\)$", text)
        tail += [f"Label {name} ${_joined(text, name)}$" for name, _ in made]
        return "\n".join([*head, *self.lines, *tail]) + "\n"


def illustrate(
    document: str, kind: str, *, proposer: Proposer | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Illustrated:  # fmt: skip
    """Draw the statements of a text that the shipped domains understand.

    Nothing is guessed: a phrase or a formula that could belong to several domains is listed, and
    so is what contradicts itself.

    Args:
        document: The text.
        kind: `markdown`, `latex` or `html`.
        proposer: Proposes Substance for what is not understood; what does not compile or
            violates its constraints is never shown.
        progress: Called with the numbers of done paragraphs and of all.

    Raises:
        DiagramError: `TooLong`: the document has more than `MAX_DOCUMENT_CHARS` characters.
    """
    if len(document) > MAX_DOCUMENT_CHARS:
        raise DiagramError("TooLong", f"a text has at most {MAX_DOCUMENT_CHARS} characters")
    paragraphs = paragraphs_of(document, kind)
    reader = _Reader(proposer)
    for number, paragraph in enumerate(paragraphs):
        reader.read(number, paragraph)
        if progress is not None:
            progress(number + 1, len(paragraphs))
    return Illustrated(document, kind, paragraphs, reader.figures, reader.not_drawn)


class _Reader:
    def __init__(self, proposer: Proposer | None) -> None:
        self.proposer = proposer
        self.figures: list[Figure] = []
        self.not_drawn: list[NotDrawn] = []
        self.known: dict[str, tuple[str, str]] = {}
        self._drawn: set[tuple[str, str]] = set()

    def read(self, number: int, paragraph: Paragraph) -> None:
        claims: dict[str, _Claims] = {}
        missed: list[NotDrawn] = []
        for sentence in split_sentences(paragraph.text):
            for found in self._in_sentence(sentence.text, paragraph):
                if isinstance(found, NotDrawn):
                    missed.append(found)
                    continue
                mine = claims.setdefault(found.domain, _Claims())
                mine.add(found.types, found.lines, found.labels, sentence.text)
        for domain, mine in claims.items():
            if not mine.lines:
                continue
            missed += [
                NotDrawn(paragraph.line, " ".join(mine.sentences), problem)
                for problem in self._draw(number, paragraph, domain, mine)
            ]
        for one in dict.fromkeys(missed):
            if not self._proposed(number, paragraph, one):
                self.not_drawn.append(one)

    def _in_sentence(
        self, sentence: str, paragraph: Paragraph
    ) -> Iterator[Found | Reading | NotDrawn]:
        marked = _marked(sentence)
        waiting: list[Found] = []
        for found in find_phrases(marked):
            types, unknown = self._settled(found)
            if unknown:
                waiting.append(found)
                continue
            self._learn(found.domain, types)
            yield replace(found, types=types)
        for formula in re.findall(r"⟨([^⟩]*)⟩", marked):
            if is_claim(formula) and not list(find_phrases(f"⟨{formula}⟩")):
                read = self._formula(formula, sentence, paragraph)
                if isinstance(read, Reading):
                    self._learn(read.domain, read.types)
                yield read
        # what a formula of the same sentence may have told: `f : X → Y`, and `f` is injective
        for found in waiting:
            types, unknown = self._settled(found)
            if not unknown:
                yield replace(found, types=types)
            elif not self._is_read_otherwise(found, marked):
                kinds = ", ".join(f"{name} ({kind})" for name, kind in unknown.items())
                reason = f"it was not said before what this is: {kinds}"
                yield NotDrawn(paragraph.line, sentence, reason)

    def _learn(self, domain: str, types: Mapping[str, str]) -> None:
        self.known.update((name, (domain, kind)) for name, kind in types.items())

    def _settled(self, found: Found) -> tuple[dict[str, str], dict[str, str]]:
        """Types without their marks, and those that had to be known but are not."""
        types: dict[str, str] = {}
        unknown: dict[str, str] = {}
        for name, kind in found.types.items():
            wanted = kind.rstrip("!")
            types[name] = wanted
            if kind.endswith("!") and self.known.get(name, ("", ""))[1] != wanted:
                unknown[name] = wanted
        return types, unknown

    def _is_read_otherwise(self, found: Found, marked: str) -> bool:
        """Whether another phrase at the same place is understood."""
        return any(
            other is not found and other.start <= found.start and other.end >= found.end
            and other.lines != found.lines and not self._settled(other)[1]
            for other in find_phrases(marked)
        )  # fmt: skip

    def _formula(self, formula: str, sentence: str, paragraph: Paragraph) -> Reading | NotDrawn:
        readings = read_formula(formula, self.known)
        for text in (sentence, paragraph.text):
            if len(readings) > 1:
                spoken = [one for one in readings if _speaks_of(text, one.domain)]
                readings = spoken if spoken else readings
        if len(readings) > 1:
            mine = [one for one in readings if any(
                self.known.get(name, ("",))[0] == one.domain for name in one.types)]  # fmt: skip
            readings = mine if len(mine) == 1 else readings
        if len(readings) == 1:
            return readings[0]
        reason = "no shipped domain has this notation"
        if readings:
            reason = f"it could belong to {' or '.join(one.domain for one in readings)}"
        return NotDrawn(paragraph.line, f"${formula}$", reason)

    def _draw(
        self, number: int, paragraph: Paragraph, domain: str, claims: _Claims, by: str = ""
    ) -> Iterator[str]:
        """Draw, or say why not."""
        try:
            claims.lines = [line for one in claims.lines for line in _at_corners(one, claims.lines)]
            substance = claims.substance()
        except DiagramError as error:
            yield error.message
            return
        yield from self._draw_substance(
            number, paragraph, domain, substance, " ".join(claims.sentences), by
        )

    def _draw_substance(
        self,
        number: int,
        paragraph: Paragraph,
        domain: str,
        substance: str,
        statement: str,
        by: str,
    ) -> Iterator[str]:
        if (domain, substance) in self._drawn:
            return
        if len(self.figures) >= MAX_FIGURES:
            yield f"there are {MAX_FIGURES} figures already"
            return
        try:
            program = compile_with(substance, domain=domain, name=statement[:120])
            layout = program.layouts(8, settings=Settings(time_limit_s=10))[0]
            layout.check()
        except (DiagramError, LayoutError) as error:
            yield f"it does not compile: {error.message}"
            return
        if layout.violation > HELD:
            worst = layout.result.blame[0] if layout.result.blame else "a constraint is violated"
            yield f"no picture satisfies it: {worst}"
            return
        self._drawn.add((domain, substance))
        self.figures.append(
            Figure(len(self.figures) + 1, paragraph.line, statement, domain, substance, layout, by,
                   number)
        )  # fmt: skip

    def _proposed(self, number: int, paragraph: Paragraph, missed: NotDrawn) -> bool:
        """Whether a model's proposal was drawn in its place."""
        if self.proposer is None:
            return False
        sentence = next(
            (one.text for one in split_sentences(paragraph.text) if missed.statement in one.text),
            missed.statement,
        )
        try:
            proposal = self.proposer.propose(sentence)
        except KuaibaoError as error:
            self.not_drawn.append(replace(missed, reason=f"{missed.reason}; {error.message}"))
            return True
        if proposal is None:
            return False
        domain, substance = proposal
        try:
            problems = list(
                self._draw_substance(
                    number, paragraph, domain, substance, missed.statement, self.proposer.name
                )
            )
        except KuaibaoError as error:  # a domain that is not shipped
            problems = [error.message]
        if problems:
            reason = f"{missed.reason}; the proposal of {self.proposer.name}: {problems[0]}"
            self.not_drawn.append(replace(missed, reason=reason))
        return True


def _marked(sentence: str) -> str:
    """Formulas between `⟨` and `⟩`; a formula that is a list of names becomes several."""

    def mark(match: re.Match[str]) -> str:
        inner = match[1].strip()
        names = [part.strip() for part in re.split(r",|，", inner)]
        if len(names) > 1 and all(re.fullmatch(NAME, f"⟨{name}⟩") for name in names):
            return ", ".join(f"⟨{name}⟩" for name in names)
        parts = [inner]
        if "," in inner and not re.search(r"[(\[{][^)\]}]*,", inner):
            parts = names  # `A \subset B, C \subset D`
        return ", ".join(f"⟨{part}⟩" for part in parts)

    return re.sub(r"\$([^$]+)\$", mark, sentence)


def _speaks_of(text: str, domain: str) -> bool:
    lowered = text.lower()
    return any(
        word in lowered if ord(word[0]) > 0x2E80 else re.search(rf"\b{word}\b", lowered)
        for word in CONTEXT_WORDS[domain]
    )


def _at_corners(line: str, lines: Sequence[str]) -> list[str]:
    """`@right(C)` becomes the right angle at C of the triangle that was spoken of."""
    match = re.fullmatch(r"@right\((\w+)\)", line)
    if match is None:
        return [line]
    for other in lines:
        triangle = re.fullmatch(r"Triangle t\w+ := Triangle\((\w+), (\w+), (\w+)\)", other)
        if triangle is not None and match[1] in triangle.groups():
            first, second = (one for one in triangle.groups() if one != match[1])
            return [f"RightAngle({first}, {match[1]}, {second})"]
    raise DiagramError("TypeMismatch", f"no triangle with the corner {match[1]} was spoken of")


_SIGNS = {"Union": r"\cup", "Intersection": r"\cap", "Add": "+", "Subtract": "-", "Scale": r"\cdot"}


def _joined(text: str, name: str) -> str:
    """A name for what has none: its parts with the sign between them."""
    match = re.search(rf"(?m)^\w+ {name} := (\w+)\(([^)]*)\)$", text)
    assert match is not None
    sign = _SIGNS.get(match[1])
    parts = [_joined(text, one) if re.fullmatch(r"e\d+", one) else one
             for one in match[2].split(", ")]  # fmt: skip
    if sign is None or len(parts) != 2:
        return f"\\mathrm{{{match[1]}}}({', '.join(parts)})"
    return f"{parts[0]} {sign} {parts[1]}"
