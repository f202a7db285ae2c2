"""Three ways with texts beyond the encoder's length, beside reading the beginning.

    python benchmarks/pegasus/long_documents.py --model DIR [--small] [--n N]

The texts are the long descriptions (README) of the Python packages installed here, 200 words and
more; the reference is the one-line summary that each package gives of itself. The README's own
copies of that line are taken out first. ROUGE F1 with 95 % bootstrap intervals, and seconds a text.
Without a model a tiny untrained one is made, which shows the cost alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import tempfile
import time
from pathlib import Path

from kuaibao.bulletin.sources.documents import markdown_text
from kuaibao.pegasus.metrics import bootstrap, measure_summary
from kuaibao.pegasus.pairs import Pair
from kuaibao.pegasus.summarizer import load_summarizer
from kuaibao.pegasus.tokenizer import train_tokenizer
from kuaibao.text import sentence_texts
from kuaibao.transformer import TransformerConfig, build_model, save_pretrained

WAYS = ("extract", "chunks", "extrapolate", "truncate")
MIN_WORDS = 200


def installed_pairs() -> list[Pair]:
    pairs: dict[str, Pair] = {}
    for distribution in importlib.metadata.distributions():
        meta = distribution.metadata
        summary = (meta["Summary"] or "").strip()
        readme = meta["Description"] or str(meta.get_payload() or "")
        text = markdown_text(readme)
        kept = [s for s in sentence_texts(text) if summary.lower() not in s.lower()]
        if len(summary.split()) >= 4 and len(" ".join(kept).split()) >= MIN_WORDS:
            pairs[meta["Name"].lower()] = Pair(" ".join(kept)[:60_000], summary)
    return [pairs[name] for name in sorted(pairs)]


def untrained(folder: Path, pairs: list[Pair]) -> Path:
    words = train_tokenizer((pair.document for pair in pairs), vocab_size=1000)
    config = TransformerConfig(
        family="pegasus", vocab_size=words.vocab_size, n_positions=128, n_embd=32, n_layer=1,
        n_encoder_layer=1, n_head=2, activation="relu", position="sinusoidal",
        scale_embedding=True, start_id=0, eos_id=1, pad_id=0,
    )  # fmt: skip
    save_pretrained(build_model(config, seed=0), folder)
    words.save(folder)
    return folder


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="eight texts")
    parser.add_argument("--n", type=int, default=120, help="texts at most")
    parser.add_argument("--model", type=Path, help="a summarising model's folder")
    own = parser.parse_args()
    pairs = installed_pairs()[: 8 if own.small else own.n]
    with tempfile.TemporaryDirectory() as name:
        model = own.model or untrained(Path(name), pairs)
        print(f"{len(pairs)} texts, {sum(len(p.document.split()) for p in pairs) / len(pairs):.0f} "
              "words in the mean")  # fmt: skip
        for way in WAYS:
            writer = load_summarizer(
                model,
                long_documents=way,
                **({} if own.model else {"num_beams": 1, "max_target": 12}),
            )
            start = time.process_time()
            written = writer.write([pair.document for pair in pairs])
            took = (time.process_time() - start) / len(pairs)
            rows = [measure_summary(text, reference=pair.summary)
                    for text, pair in zip(written, pairs, strict=True)]  # fmt: skip
            cells = []
            for kind in ("rouge1", "rouge2", "rougeLsum"):
                value = bootstrap([row[kind] for row in rows])
                cells.append(f"{kind} {100 * value.mean:5.1f} [{100 * value.low:.1f}, "
                             f"{100 * value.high:.1f}]")  # fmt: skip
            print(f"{way:12} {took:6.2f} s a text  " + "  ".join(cells))


if __name__ == "__main__":
    main()
