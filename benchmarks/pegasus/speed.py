"""Summarising speed: ours beside `transformers` and CTranslate2, the same weights and beams.

    python benchmarks/pegasus/speed.py [--small]

A random PEGASUS is written to a folder, converted for CTranslate2, and each engine summarises the
same documents at batch 1 and 8. That the beams agree is checked first. Rates are documents a second
of wall time, the best of three interleaved rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import numpy as np
import torch
import transformers

from kuaibao.transformer import load_pretrained

N_BEAM, N_NEW = 4, 24


def make(folder: Path, d_model: int, n_layer: int) -> transformers.PegasusForConditionalGeneration:
    torch.manual_seed(0)
    config = transformers.PegasusConfig(
        vocab_size=4096, d_model=d_model, encoder_layers=n_layer, decoder_layers=n_layer,
        encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=4 * d_model,
        decoder_ffn_dim=4 * d_model, max_position_embeddings=256, init_std=0.2,
        forced_eos_token_id=1,
    )  # fmt: skip
    model = transformers.PegasusForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    return model


def to_ctranslate2(
    model: transformers.PegasusForConditionalGeneration, folder: Path
) -> ctranslate2.Translator:
    """Convert in memory: the tokens are their own numbers."""
    from ctranslate2.converters.transformers import PegasusLoader

    config = model.config
    config.normalize_before, config.normalize_embedding = True, False
    spec = PegasusLoader().get_model_spec(model)
    tokens = [str(i) for i in range(config.vocab_size)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.bos_token = spec.config.decoder_start_token = "0"
    spec.config.eos_token = "1"
    spec.config.unk_token = "105"
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.validate()
    folder.mkdir()
    spec.save(str(folder))
    return ctranslate2.Translator(str(folder), "cpu", inter_threads=1)


def best(rounds: int, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The shortest time of each, rounds interleaved."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: min(own) for name, own in times.items()}


def main() -> None:
    """Check that the beams agree, then print one line a batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a narrow model, few documents")
    is_small = parser.parse_args().small
    d_model, n_layer, n_document, rounds = (64, 1, 8, 1) if is_small else (256, 3, 32, 3)
    generator = np.random.default_rng(0)
    rows = [[*generator.integers(106, 4096, generator.integers(40, 120)).tolist(), 1]
            for _ in range(n_document)]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = make(folder / "hub", d_model, n_layer)
        ours = load_pretrained(folder / "hub")
        fast = to_ctranslate2(theirs, folder / "ct2")

        def by_us(batch: list[list[int]]) -> list[list[int]]:
            found = ours.generate(batch, num_beams=N_BEAM, max_new_tokens=N_NEW, length_penalty=0.8)
            return [best_one[0].tokens for best_one in found]

        def by_transformers(batch: list[list[int]]) -> list[list[int]]:
            width = max(map(len, batch))
            ids = torch.tensor([row + [0] * (width - len(row)) for row in batch])
            mask = (torch.arange(width)[None] < torch.tensor([[len(row)] for row in batch])).long()
            made = theirs.generate(
                ids, attention_mask=mask, num_beams=N_BEAM, max_length=N_NEW + 1,
                length_penalty=0.8, early_stopping=False, do_sample=False,
            )  # fmt: skip
            return [[t for t in row if t > 1] for row in made.tolist()]

        def by_ctranslate2(batch: list[list[int]]) -> list[list[int]]:
            made = fast.translate_batch(
                [[str(t) for t in row] for row in batch], beam_size=N_BEAM, length_penalty=0.8,
                max_decoding_length=N_NEW, min_decoding_length=0, max_input_length=0,
            )  # fmt: skip
            return [[int(t) for t in one.hypotheses[0]] for one in made]

        own = [[t for t in row if t > 1] for row in by_us(rows)]
        for name, way in (("transformers", by_transformers), ("ctranslate2", by_ctranslate2)):
            peer = [[t for t in row if t > 1] for row in way(rows)]
            # CTranslate2 does not force the end token at the limit: its texts are one longer.
            same = sum(a == b[: len(a)] for a, b in zip(own, peer, strict=True))
            print(f"same beams as {name}: {same} of {n_document}")
        for size in (1, 8):
            batches = [rows[i : i + size] for i in range(0, n_document, size)]
            ways = {"ours": by_us, "transformers": by_transformers, "ctranslate2": by_ctranslate2}
            took = best(rounds, {
                name: (lambda way=way, batches=batches: [way(batch) for batch in batches]) for name, way in ways.items()
            })  # fmt: skip
            rates = ", ".join(f"{name} {n_document / t:7.1f}" for name, t in took.items())
            print(
                f"batch {size}: documents/s: {rates}; ours / transformers "
                f"{took['transformers'] / took['ours']:.2f}, ours / ctranslate2 "
                f"{took['ctranslate2'] / took['ours']:.2f}"
            )


if __name__ == "__main__":
    main()
