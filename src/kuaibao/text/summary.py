"""Extractive summaries: the gap sentences of a text, each pointing at its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kuaibao.text.gap_sentences import count_gap_sentences, select_gap_sentences
from kuaibao.text.sentences import Sentence, join_sentences, split_sentences

__all__ = ["Summary", "SummarySentence", "summarize"]

MIN_CHARACTERS = 12
"""Shorter pieces (headings, bylines) are not chosen while longer ones are there."""


@dataclass(frozen=True)
class SummarySentence:
    """A chosen sentence: its number among all sentences from 0, and its span of characters."""

    text: str
    index: int
    start: int
    end: int


@dataclass(frozen=True)
class Summary:
    """The chosen sentences in document order."""

    sentences: tuple[SummarySentence, ...]
    n_sentence: int
    """Sentences in the whole text."""
    strategy: str

    @property
    def text(self) -> str:
        """The sentences in one paragraph."""
        return join_sentences([sentence.text for sentence in self.sentences])


def summarize(
    text: str,
    *,
    strategy: str = "ind-orig",
    n_sentences: int | None = None,
    ratio: float | None = None,
    seed: int = 0,
) -> Summary:
    """Choose the sentences that best stand for the rest of a text.

    Args:
        text: Plain text, English or Chinese.
        strategy: See `select_gap_sentences`.
        n_sentences: How many, at most all.
        ratio: Share of the sentences, at least one; 0.3 if neither is given.
        seed: For `random`.

    Raises:
        StrategyError: Unknown strategy, a number out of range, or both number and ratio given.
    """
    sentences = split_sentences(text)
    wanted = count_gap_sentences(len(sentences), ratio, n_sentences)
    candidates = _candidates(sentences, wanted)
    chosen = select_gap_sentences(
        [sentences[i].text for i in candidates],
        strategy=strategy,
        n_sentences=wanted or None,
        seed=seed,
    )
    places = [candidates[i] for i in chosen]
    return Summary(
        tuple(
            SummarySentence(sentences[i].text, i, sentences[i].start, sentences[i].end)
            for i in places
        ),
        len(sentences),
        strategy,
    )


def _candidates(sentences: Sequence[Sentence], wanted: int) -> list[int]:
    """Sentences long enough to say something, unless more are wanted than there are of them."""
    long = [i for i, s in enumerate(sentences) if len(s.text) >= MIN_CHARACTERS]
    return long if len(long) >= wanted else list(range(len(sentences)))
