"""Training samples as token ids: gaps and masked words of pieces, or documents with summaries."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.pegasus.buckets import pad_rows
from kuaibao.pegasus.corpus import Pieces
from kuaibao.pegasus.masking import mask_document, mask_words
from kuaibao.pegasus.objective import IGNORED
from kuaibao.pegasus.pairs import Pair
from kuaibao.pegasus.tokenizer import OFFSET, PegasusTokenizer, Tokenizer
from kuaibao.text import check_strategy, join_sentences

__all__ = ["GapSamples", "PairSamples", "PretrainingObjective", "Samples", "collate"]

PretrainingObjective = Literal["gap-sentences", "masked-words", "both"]


class Samples(Protocol):
    """What a task draws its batches from."""

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each sample."""
        ...

    def rows(
        self, indices: Sequence[int], generator: np.random.Generator
    ) -> dict[str, list[list[int]]]:
        """`input_ids`, `labels`, `masked_labels` of some samples, as far as they are learned."""
        ...


@dataclass(frozen=True)
class GapSamples:
    """Pieces of text, masked anew each time they are drawn (dynamic masking)."""

    pieces: Pieces
    tokenizer: PegasusTokenizer
    objective: PretrainingObjective = "gap-sentences"
    strategy: str = "ind-orig"
    ratio: float | tuple[float, float] = 0.3
    noise: float = 0.0
    kept_share: float = 0.0
    word_share: float = 0.15
    max_input: int = 512
    max_target: int = 256

    def __post_init__(self) -> None:
        """Check the strategy before the first batch."""
        check_strategy(self.strategy)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each piece."""
        return self.pieces.lengths

    def rows(
        self, indices: Sequence[int], generator: np.random.Generator
    ) -> dict[str, list[list[int]]]:
        """Masked pieces; chance is drawn from the generator alone."""
        table: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "masked_labels": []}
        for index in indices:
            source, target, words = self._sample(self.pieces[index], int(generator.integers(2**32)))
            table["input_ids"].append(source)
            table["labels"].append(target)
            table["masked_labels"].append(words)
        if self.objective == "masked-words":
            del table["labels"]
        if self.objective == "gap-sentences":
            del table["masked_labels"]
        return table

    def _sample(self, sentences: list[str], seed: int) -> tuple[list[int], list[int], list[int]]:
        words, target = self.tokenizer, ""
        if self.objective == "masked-words":
            source = join_sentences(sentences)
        else:
            masked = mask_document(
                sentences, self.ratio, self.strategy, noise=self.noise,
                kept_share=self.kept_share, seed=seed,
            )  # fmt: skip
            source, target = masked.source, masked.target
        ids = words.encode(source, max_length=self.max_input)
        labels = words.encode(target, max_length=self.max_target)
        if self.objective == "gap-sentences":
            return ids, labels, []
        disturbed, wanted = mask_words(
            ids, [words.starts_word(i) for i in ids], mask_id=words.word_mask_id,
            draw=lambda chance: chance.randrange(OFFSET + 3, words.vocab_size),
            generator=random.Random(seed), share=self.word_share,
            special_ids=frozenset((words.pad_id, words.end_id, words.sentence_mask_id)),
        )  # fmt: skip
        return disturbed, labels, wanted


@dataclass(frozen=True)
class PairSamples:
    """Documents with their summaries, tokenised once."""

    sources: list[NDArray[np.int32]]
    targets: list[NDArray[np.int32]]

    @classmethod
    def encode(
        cls, pairs: Sequence[Pair], tokenizer: Tokenizer, *, max_input: int, max_target: int,
        progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> PairSamples:  # fmt: skip
        """Tokenise pairs; what is longer loses its tail."""
        sources: list[NDArray[np.int32]] = []
        targets: list[NDArray[np.int32]] = []
        for i, pair in enumerate(pairs):
            sources.append(
                np.array(tokenizer.encode(pair.document, max_length=max_input), dtype=np.int32)
            )
            targets.append(
                np.array(tokenizer.encode(pair.summary, max_length=max_target), dtype=np.int32)
            )
            if i % 1000 == 0:
                progress("Tokenising", i, len(pairs))
        return cls(sources, targets)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each document."""
        return np.array([len(source) for source in self.sources], dtype=np.int32)

    def rows(
        self, indices: Sequence[int], generator: np.random.Generator
    ) -> dict[str, list[list[int]]]:
        """Pairs as they are."""
        return {
            "input_ids": [self.sources[i].tolist() for i in indices],
            "labels": [self.targets[i].tolist() for i in indices],
        }


def collate(table: dict[str, list[list[int]]], pad_id: int) -> dict[str, Tensor]:
    """Rows of ids as padded tensors, with the mask of what is no padding."""
    batch = {"input_ids": pad_rows(table["input_ids"], pad_id)}
    width = batch["input_ids"].shape[1]
    counts = torch.tensor([len(row) for row in table["input_ids"]])
    batch["attention_mask"] = torch.arange(width)[None, :] < counts[:, None]
    for name in ("labels", "masked_labels"):
        if name in table:
            batch[name] = pad_rows(table[name], IGNORED)
    return batch
