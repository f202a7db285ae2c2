"""Texts beyond what a model was trained to read: three ways, and what each costs.

- `extract`: the gap sentences that fit are chosen first, the model reads only those.
- `chunks`: runs of sentences that fit are each summarised; of the summaries' sentences those that
  best stand for the rest are kept, in their order.
- `extrapolate`: all of it at once; sinusoidal positions go on beyond the length in training.

`truncate` reads the beginning, as the published code does. Measured: docs/pegasus.md.
"""

from __future__ import annotations

from typing import Protocol

from kuaibao.text import (
    join_sentences,
    score_sentences,
    select_gap_sentences,
    sentence_texts,
)

__all__ = ["ShortWriter", "chunk_sentences", "extract_to_fit", "write_long"]

STRATEGY = "ind-orig"
MAX_EXTRAPOLATED = 4
"""Times the length in training that is read at once: attention grows with its square."""


class ShortWriter(Protocol):
    """What these ways ask of a summariser."""

    @property
    def limit(self) -> int:
        """Tokens that are read at once."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def write_short(self, documents: list[str], *, max_input: int = 0) -> list[str]:
        """Summaries of texts that fit."""
        ...


def write_long(writer: ShortWriter, document: str, way: str = "extract") -> str:
    """The summary of a document that does not fit, in one of the four ways."""
    if way == "truncate":
        return writer.write_short([document])[0]
    if way == "extrapolate":
        return writer.write_short([document], max_input=MAX_EXTRAPOLATED * writer.limit)[0]
    sentences = sentence_texts(document)
    lengths = [max(1, writer.count_tokens(s) - 1) for s in sentences]
    if way == "chunks":
        return _by_chunks(writer, sentences, lengths)
    kept = extract_to_fit(sentences, lengths, writer.limit - 1)
    return writer.write_short([join_sentences([sentences[i] for i in kept])])[0]


def extract_to_fit(sentences: list[str], lengths: list[int], n_token: int) -> list[int]:
    """As many of the sentences that best stand for the rest as fit, in document order.

    The first sentence stays: it says what the text is about.

    Args:
        sentences: The document.
        lengths: Tokens of each.
        n_token: Tokens that fit.
    """
    scores = score_sentences(sentences, STRATEGY)
    ranked = sorted(range(len(sentences)), key=lambda i: (i == 0, scores[i], i), reverse=True)
    kept: list[int] = []
    left = n_token
    for i in ranked:
        if lengths[i] <= left or not kept:
            kept.append(i)
            left -= lengths[i]
    return sorted(kept)


def chunk_sentences(lengths: list[int], n_token: int) -> list[range]:
    """Runs of sentences of at most `n_token` tokens, as even as may be; a longer one is alone."""
    n_chunk = max(1, -(-sum(lengths) // n_token))
    aim = sum(lengths) / n_chunk
    chunks: list[range] = []
    start, total = 0, 0
    for i, length in enumerate(lengths):
        if i > start and (total + length > n_token or total >= aim):
            chunks.append(range(start, i))
            start, total = i, 0
        total += length
    chunks.append(range(start, len(lengths)))
    return chunks


def _by_chunks(writer: ShortWriter, sentences: list[str], lengths: list[int]) -> str:
    chunks = chunk_sentences(lengths, writer.limit - 1)
    written = writer.write_short([join_sentences([sentences[i] for i in c]) for c in chunks])
    parts = [s for summary in written for s in sentence_texts(summary)]
    if not parts:
        return ""
    # As long as one summary: the mean number of sentences that a chunk got.
    wanted = max(1, round(len(parts) / len(chunks)))
    kept = select_gap_sentences(parts, strategy="seq-uniq", n_sentences=wanted)
    return join_sentences([parts[i] for i in kept])
