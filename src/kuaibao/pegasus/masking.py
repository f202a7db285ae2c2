"""What PEGASUS is trained to do: write the sentences that were taken out (sections 3.1 and 3.2)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kuaibao.text import StrategyError, join_sentences, select_gap_sentences, sentence_texts

__all__ = [
    "SENTENCE_MASK",
    "WORD_MASK",
    "MaskedDocument",
    "draw_ratio",
    "mask_document",
    "mask_words",
]

SENTENCE_MASK = "<mask_1>"
"""Stands for a whole sentence; id 2 of the published vocabularies."""
WORD_MASK = "<mask_2>"
"""Stands for a word; id 3."""

MLM_SHARE = 0.15
_TO_MASK, _TO_RANDOM = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class MaskedDocument:
    """A training pair made of one document."""

    source: str
    """The document with a mask token in each gap that is not kept."""
    target: str
    """The gap sentences, in document order."""
    gaps: tuple[int, ...]
    """Their indices."""


def draw_ratio(ratio: float | tuple[float, float], generator: random.Random) -> float:
    """The ratio itself, or one drawn uniformly between two: (0.15, 0.45) in the released model."""
    return ratio if isinstance(ratio, float | int) else generator.uniform(*ratio)


def mask_document(
    document: str | Sequence[str],
    ratio: float | tuple[float, float] = 0.3,
    strategy: str = "ind-orig",
    *,
    noise: float = 0.0,
    kept_share: float = 0.0,
    seed: int = 0,
    sentence_mask: str = SENTENCE_MASK,
) -> MaskedDocument:
    """Take the gap sentences out of a document.

    Args:
        document: A text, or its sentences.
        ratio: Gap-sentence ratio, or the two ends between which it is drawn.
        strategy: See `kuaibao.text.select_gap_sentences`.
        noise: Share by which scores are disturbed; 0.2 in the released model.
        kept_share: Of the gap sentences, how many stay in the source too, so that the model learns
            to copy; 0.2 in PEGASUS-large (section 6.2).
        seed: Of ratio, noise, what is kept, and the strategy `random`.
        sentence_mask: What stands in each gap.

    Raises:
        StrategyError: Unknown strategy, or a ratio, noise or share out of range.
    """
    if not 0.0 <= kept_share <= 1.0:
        raise StrategyError(f"kept_share is a share from 0 to 1, got {kept_share}")
    sentences = sentence_texts(document) if isinstance(document, str) else list(document)
    generator = random.Random(seed)
    drawn = draw_ratio(ratio, generator)
    gaps = select_gap_sentences(
        sentences, drawn, strategy, noise=noise, seed=generator.getrandbits(32)
    )
    inside = {i for i in gaps if not kept_share or generator.random() >= kept_share}
    kept = [sentence_mask if i in inside else s for i, s in enumerate(sentences)]
    return MaskedDocument(
        join_sentences(kept), join_sentences([sentences[i] for i in gaps]), tuple(gaps)
    )


def mask_words(
    ids: Sequence[int],
    starts: Sequence[bool],
    *,
    mask_id: int,
    draw: Callable[[random.Random], int],
    generator: random.Random,
    share: float = MLM_SHARE,
    special_ids: frozenset[int] = frozenset(),
) -> tuple[list[int], list[int]]:
    """Mask whole words of the encoder's input, as BERT does: 80 % mask, 10 % random, 10 % kept.

    Args:
        ids: Token ids, n of them.
        starts: Whether each begins a word, n of them.
        mask_id: Of the word mask.
        draw: A random ordinary id.
        generator: Source of chance.
        share: Of the words that are predicted.
        special_ids: Never chosen.

    Returns:
        The disturbed ids, and the labels: the original id where it is predicted, else -100.
    """
    words: list[list[int]] = []
    for i, (token, begins) in enumerate(zip(ids, starts, strict=True)):
        if token in special_ids:
            words.append([])
        elif begins or not words or not words[-1]:
            words.append([i])
        else:
            words[-1].append(i)
    words = [word for word in words if word]
    chosen = generator.sample(range(len(words)), round(share * len(words)))
    disturbed, labels = list(ids), [-100] * len(ids)
    for word in chosen:
        fate = generator.random()
        for i in words[word]:
            labels[i] = ids[i]
            if fate < _TO_MASK:
                disturbed[i] = mask_id
            elif fate < _TO_MASK + _TO_RANDOM:
                disturbed[i] = draw(generator)
    return disturbed, labels
