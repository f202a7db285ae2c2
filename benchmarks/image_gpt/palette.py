"""Encoding pixels by a palette of 512 colours: ours against plain NumPy, in one run.

python benchmarks/image_gpt/palette.py [--small]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from kuaibao.image_gpt import Palette


def by_numpy(palette: Palette, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Squared distances to every colour, then the least: as the published code does."""
    pixels = images.reshape(-1, 3).astype(np.float32) / 127.5 - 1
    colors = palette.centers
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(pixels), 65_536):
        part = pixels[start : start + 65_536]
        squared = (part**2).sum(1)[:, None] - 2 * part @ colors.T + (colors**2).sum(1)
        found.append(squared.argmin(1))
    return np.concatenate(found).reshape(len(images), -1)


def main() -> None:
    """Print pixels a second of both and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="100 pictures instead of 2,000")
    n = 100 if parser.parse_args().small else 2_000
    generator = np.random.default_rng(0)
    smooth = generator.integers(0, 256, (n, 8, 8, 3)).repeat(4, 1).repeat(4, 2)
    images = np.clip(smooth + generator.integers(-20, 21, smooth.shape), 0, 255).astype(np.uint8)
    palette = Palette.fit(images[:200], 512)
    palette.encode(images[:2])
    start = time.process_time()
    tokens = palette.encode(images)
    ours = time.process_time() - start
    start = time.process_time()
    theirs_tokens = by_numpy(palette, images)
    theirs = time.process_time() - start
    n_pixel = tokens.size
    same = (tokens == theirs_tokens).mean()
    print(f"kuaibao {n_pixel / ours / 1e6:8.1f} M pixels / CPU s")
    print(f"NumPy   {n_pixel / theirs / 1e6:8.1f} M pixels / CPU s")
    print(f"ratio   {theirs / ours:8.1f}x, same tokens {same:.6f} (NumPy rounds in float32)")


if __name__ == "__main__":
    main()
