"""Features of 100,000 pictures: memory that does not grow; pictures a CPU second beside transformers.

python benchmarks/image_gpt/features.py [--small]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from _peer import both_models, median_ratio

from kuaibao.image_gpt import features


def stream(n: int, size: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    for _ in range(n // 100):
        yield generator.integers(0, 512, (100, size**2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2,000 pictures")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    ours, theirs = both_models(8, n_embd=32, n_layer=2)
    ours.eval()
    theirs.eval()
    tokens = np.random.default_rng(0).integers(0, 512, (64, 64))
    inputs = torch.from_numpy(np.concatenate([np.full((64, 1), 512), tokens[:, :-1]], 1))

    def own() -> np.ndarray:
        return features(ours, tokens, layers=[1])[1]

    def peer() -> np.ndarray:
        with torch.inference_mode():
            states = theirs.transformer(inputs, output_hidden_states=True).hidden_states
            return theirs.transformer.h[1].ln_1(states[1]).mean(1).numpy()

    assert np.allclose(own(), peer(), atol=1e-4)
    a, b, low, high = median_ratio(own, peer, 5)
    print(f"one middle layer: {64 / a:.0f} against {64 / b:.0f} pictures / CPU s, "
          f"ratio {b / a:.2f}x [{low:.2f}, {high:.2f}]")  # fmt: skip
    n = 2_000 if small else 100_000
    with tempfile.TemporaryDirectory() as folder:
        features(ours, stream(1_000, 8), out=Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = features(ours, stream(n, 8), out=Path(folder))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = sum(v.nbytes for v in found.values())
    print(f"{n:,} pictures, 3 layers, {size / 1e6:.1f} MB of features on disk: "
          f"peak memory grew by {(after - before) / 1024:.0f} MB over that of 1,000")  # fmt: skip


if __name__ == "__main__":
    main()
