"""A summary held against its source: what supports a sentence, what it claims beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.text import (
    Sentence,
    align,
    sentence_texts,
    split_sentences,
    unsupported_names,
    unsupported_numbers,
)

__all__ = ["SupportedSentence", "SupportingSentence", "support_summary"]


@dataclass(frozen=True, slots=True)
class SupportingSentence:
    """A source sentence: its number from 0, and its span of characters."""

    text: str
    index: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SupportedSentence:
    """A sentence that a model wrote."""

    text: str
    support: tuple[SupportingSentence, ...]
    """The source sentences that share most of its words, the best first; none: nothing does."""
    unsupported_numbers: tuple[str, ...]
    """Numbers, as written, whose value does not stand in the source."""
    unsupported_names: tuple[str, ...]
    """Names of which a word does not stand in the source."""


def support_summary(summary: str | Sequence[str], document: str) -> list[SupportedSentence]:
    """Each sentence of a summary with its support.

    Args:
        summary: A text, or its sentences.
        document: What was summarised.
    """
    written = sentence_texts(summary) if isinstance(summary, str) else list(summary)
    source = split_sentences(document)
    texts = [sentence.text for sentence in source]
    return [
        SupportedSentence(
            sentence,
            tuple(_at(source[i], i) for i in align(sentence, texts)),
            tuple(unsupported_numbers(sentence, document)),
            tuple(unsupported_names(sentence, document)),
        )
        for sentence in written
    ]


def _at(sentence: Sentence, index: int) -> SupportingSentence:
    return SupportingSentence(sentence.text, index, sentence.start, sentence.end)
