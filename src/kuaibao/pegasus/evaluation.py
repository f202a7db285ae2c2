"""Summaries of many documents scored together: ROUGE and the rest with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from kuaibao.pegasus.metrics import Interval, measure_summary, summarize_figures
from kuaibao.pegasus.pairs import Pair
from kuaibao.text import STRATEGIES, detect_language, summarize

__all__ = ["Evaluation", "Extractive", "SummaryWriter", "evaluate_summaries"]


class SummaryWriter(Protocol):
    """Anything that writes summaries: a strategy or a model."""

    @property
    def name(self) -> str:
        """How reports call it."""
        ...

    def write(self, documents: Sequence[str]) -> Sequence[str]:
        """One summary for each document."""
        ...


@dataclass(frozen=True)
class Extractive:
    """An extractive strategy as a writer."""

    name: str
    n_sentences: int | None = None
    ratio: float | None = None

    def write(self, documents: Sequence[str]) -> list[str]:
        """The chosen sentences of each document."""
        return [
            summarize(
                d, strategy=self.name, n_sentences=self.n_sentences, ratio=self.ratio
            ).text
            for d in documents
        ]  # fmt: skip

    @staticmethod
    def is_strategy(name: str) -> bool:
        """Whether a name is that of a strategy."""
        return name in STRATEGIES


@dataclass(frozen=True)
class Evaluation:
    """The figures of one writer on one set of pairs."""

    model: str
    n: int
    language: str
    figures: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Means with their 95 % intervals; Chinese ROUGE is said to be by characters."""
        return {
            "model": self.model,
            "n": self.n,
            "language": self.language,
            "rouge_unit": "characters" if self.language == "zh" else "words",
            **{name: asdict(interval) for name, interval in self.figures.items()},
        }


def evaluate_summaries(
    writer: SummaryWriter,
    pairs: Sequence[Pair],
    *,
    batch_size: int = 16,
    use_stemmer: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    seed: int = 0,
) -> Evaluation:
    """Let a writer summarise every document and measure what it wrote.

    Args:
        writer: Strategy or model.
        pairs: Documents with references.
        batch_size: Documents that are handed over together.
        use_stemmer: English words by their stems, as the paper scores.
        progress: Told how many are done.
        seed: Of the bootstrap.
    """
    rows: list[dict[str, float]] = []
    for batch in _batches(pairs, batch_size):
        written = writer.write([pair.document for pair in batch])
        rows.extend(
            measure_summary(
                summary, reference=pair.summary, document=pair.document, use_stemmer=use_stemmer
            )
            for summary, pair in zip(written, batch, strict=True)
        )
        progress(len(rows))
    language = detect_language(" ".join(pair.summary for pair in pairs[:50]))
    return Evaluation(writer.name, len(rows), language, summarize_figures(rows, seed=seed))


def _batches(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]
