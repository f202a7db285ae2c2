"""Quality of the extractive strategies on real pairs, beside Lead-3, LexRank and TextRank of sumy.

    python benchmarks/pegasus/quality.py [--small] [--n N] [--model DIR]

The pairs are the long package descriptions of this Debian system's archive with their synopses
(test split, five sentences and more); without apt, those of a small table in this file. Each way
chooses one sentence; ROUGE F1 against the synopsis with 95 % bootstrap intervals. `--model` adds a
summarising model.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer

from kuaibao.errors import InputError
from kuaibao.pegasus.debian import debian_cache, fetch_debian_pairs
from kuaibao.pegasus.metrics import bootstrap, measure_summary
from kuaibao.pegasus.pairs import Pair, read_pairs
from kuaibao.text import STRATEGIES, sentence_texts, summarize

MIN_SENTENCES = 5


class OurSentences:
    """sumy's tokenizer on our sentences, so that all ways choose from the same ones."""

    def to_sentences(self, text: str) -> list[str]:
        """Sentences of a text."""
        return sentence_texts(text)

    def to_words(self, sentence: str) -> list[str]:
        """Words of a sentence, in lower case."""
        return [word.lower() for word in sentence.split() if any(c.isalnum() for c in word)]


def by_sumy(way: type) -> Callable[[str], str]:
    summarizer = way()

    def write(text: str) -> str:
        parser = PlaintextParser.from_string(
            "\n".join(sentence_texts(text)), OurSentences()  # type: ignore[arg-type]
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return " ".join(str(s) for s in summarizer(parser.document, 1))

    return write


def by_strategy(strategy: str) -> Callable[[str], str]:
    return lambda text: summarize(text, strategy=strategy, n_sentences=1).text


def real_pairs(n: int) -> Sequence[Pair]:
    try:
        file = fetch_debian_pairs(debian_cache())
    except InputError as error:
        raise SystemExit(f"no real pairs here: {error}") from error
    every = [pair for pair in read_pairs(file, split="test")
             if len(sentence_texts(pair.document)) >= MIN_SENTENCES]  # fmt: skip
    return every[:: max(1, len(every) // n)][:n]


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="20 pairs")
    parser.add_argument("--n", type=int, default=500, help="pairs")
    parser.add_argument("--model", type=Path, help="a summarising model's folder")
    own = parser.parse_args()
    pairs = real_pairs(20 if own.small else own.n)
    ways: dict[str, Callable[[str], str]] = {s: by_strategy(s) for s in STRATEGIES}
    ways |= {
        "sumy LexRank": by_sumy(LexRankSummarizer),
        "sumy TextRank": by_sumy(TextRankSummarizer),
    }
    ways["Lead-3"] = lambda text: summarize(text, strategy="lead", n_sentences=3).text
    if own.model:
        from kuaibao.pegasus.summarizer import load_summarizer

        writer = load_summarizer(own.model)
        ways[own.model.name] = lambda text: writer.write([text])[0]
    print(f"{len(pairs)} pairs, {MIN_SENTENCES} sentences and more; ROUGE F1 in %, 95 % intervals")
    for name, way in ways.items():
        rows = [measure_summary(way(p.document), reference=p.summary) for p in pairs]
        cells: list[str] = []
        for kind in ("rouge1", "rouge2", "rougeLsum"):
            value = bootstrap([row[kind] for row in rows])
            cells.append(
                f"{kind} {100 * value.mean:5.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
            )
        print(f"{name:18} " + "  ".join(cells))


if __name__ == "__main__":
    main()
