"""What supports a sentence of a draft, and what it claims that its source lacks."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.bulletin.model import DraftSentence, Evidence
from kuaibao.text import Sentence, align, unsupported_names, unsupported_numbers

__all__ = ["check_sentence", "find_evidence", "quote"]


def quote(sentence: Sentence, index: int) -> Evidence:
    """A source sentence as evidence."""
    return Evidence(sentence=index, start=sentence.start, end=sentence.end, text=sentence.text)


def find_evidence(text: str, source: Sequence[Sentence]) -> tuple[Evidence, ...]:
    """The source sentences that share most of a sentence's words, the best first."""
    return tuple(quote(source[i], i) for i in align(text, [s.text for s in source]))


def check_sentence(sentence: DraftSentence, source_text: str) -> DraftSentence:
    """The sentence with a warning for every number and name that its source lacks.

    Numbers are compared by value ("175 billion" and 1750 亿 are one), names by their words.
    """
    warnings = [
        *(
            f"number not in the source: {n}"
            for n in unsupported_numbers(sentence.text, source_text)
        ),
        *(f"name not in the source: {n}" for n in unsupported_names(sentence.text, source_text)),
    ]
    if not warnings:
        return sentence
    return DraftSentence(
        text=sentence.text,
        evidence=sentence.evidence,
        warnings=(*sentence.warnings, *warnings),
    )
