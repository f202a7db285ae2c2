"""Training documents a CPU second: our PEGASUS against that of transformers, in one run, in turns.

The same sizes, weights and batch (texts of 60 to 128 tokens, summaries of 24), bfloat16 autocast, one
thread, forward and backward; with dropout 0.1 and without.

python benchmarks/pegasus/train.py [--small] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
import transformers
from torch import Tensor

from kuaibao.pegasus.objective import SummaryObjective
from kuaibao.transformer import TransformerConfig, build_model, save_pretrained

VOCABULARY, N_SOURCE, N_TARGET = 7168, 128, 24


def main() -> None:
    """Print one line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="width 64, batch 4, one round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    width, n_row, rounds = (64, 4, 1) if given.small else (256, 32, given.rounds)
    batch = make_batch(n_row)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, 1 thread, load "
          f"{os.getloadavg()[0]:.1f}; 2 + 2 layers of {width}, {n_row} documents a step")  # fmt: skip
    for dropout in (0.0, 0.1):
        steps = both(width, dropout, batch)
        losses = {name: step() for name, step in steps.items()}
        seconds = {name: list[float]() for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                started = time.process_time()
                for _ in range(3):
                    step()
                seconds[name].append((time.process_time() - started) / 3)
        ours, theirs = (statistics.median(seconds[name]) for name in steps)
        pairs = [b / a for a, b in zip(*seconds.values(), strict=True)]
        print(
            f"dropout {dropout}: kuaibao {n_row / ours:6.1f} documents/CPU s, transformers "
            f"{n_row / theirs:6.1f}; {theirs / ours:.2f}x [{min(pairs):.2f}, {max(pairs):.2f}]; "
            "losses " + ", ".join(f"{loss:.3f}" for loss in losses.values())
        )


def make_batch(n_row: int) -> dict[str, Tensor]:
    """Random ids, padded."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(60, N_SOURCE + 1, (n_row,), generator=generator)
    seen = torch.arange(N_SOURCE)[None] < lengths[:, None]
    ids = torch.randint(110, VOCABULARY, (n_row, N_SOURCE), generator=generator) * seen
    labels = torch.randint(110, VOCABULARY, (n_row, N_TARGET), generator=generator)
    return {"input_ids": ids, "attention_mask": seen, "labels": labels}


def both(width: int, dropout: float, batch: dict[str, Tensor]) -> dict[str, Callable[[], float]]:
    """A step of each, from the same weights."""
    config = TransformerConfig(
        family="pegasus", vocab_size=VOCABULARY, n_positions=N_SOURCE, n_embd=width, n_layer=2,
        n_encoder_layer=2, n_head=4, n_inner=4 * width, activation="relu", position="sinusoidal",
        scale_embedding=True, start_id=0, eos_id=1, pad_id=0, dropout=dropout,
    )  # fmt: skip
    net = build_model(config, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(net, folder)
        theirs = transformers.PegasusForConditionalGeneration.from_pretrained(folder).train()
    ours = SummaryObjective(net, label_smoothing=0.0).train()

    def run(model: torch.nn.Module, loss_of: Callable[[], Tensor]) -> Callable[[], float]:
        def step() -> float:
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of()
            loss.backward()
            model.zero_grad()
            return loss.item()

        return step

    return {
        "kuaibao": run(ours, lambda: ours(batch)["summary"]),
        "transformers": run(theirs, lambda: theirs(**batch).loss),
    }


if __name__ == "__main__":
    main()
