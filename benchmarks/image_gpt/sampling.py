"""Drawing pictures: pixels a CPU second, ours against transformers' generate, one run.

Both in float32 with a key-value cache; greedy pictures are checked to be the same first.

python benchmarks/image_gpt/sampling.py [--small]
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from _peer import both_models, median_ratio

from kuaibao.image_gpt.sampling import draw_tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 layers, 40 pixels")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    width, layers, n = (64, 2, 3) if small else (256, 8, 2)
    if small:
        compare(16, width, layers, (1, 16), 40, n)
        return
    compare(32, width, layers, (16,), 1023, n)
    compare(16, width, layers, (1, 16, 64), 255, n)


def compare(
    size: int, width: int, layers: int, batches: tuple[int, ...], n_new: int, n: int
) -> None:
    print(f"{size} x {size} pixels, d={width}, {layers} layers")
    ours, theirs = both_models(size, n_embd=width, n_layer=layers)
    ours.eval()
    theirs.eval()
    for batch in batches:
        prompts = np.full((batch, 1), 512)
        ids = torch.from_numpy(prompts)

        def own(prompts: np.ndarray = prompts) -> np.ndarray:
            return draw_tokens(ours, prompts, n_new, seed=0)

        def peer(ids: torch.Tensor = ids) -> torch.Tensor:
            with torch.inference_mode():
                return theirs.generate(
                    ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_new, do_sample=True,
                    top_k=0, pad_token_id=0, eos_token_id=None,
                )  # fmt: skip

        greedy = draw_tokens(ours, prompts[:1], 20, temperature=0)
        wanted = theirs.generate(
            ids[:1], attention_mask=torch.ones_like(ids[:1]), max_new_tokens=20, do_sample=False,
            pad_token_id=0, eos_token_id=None,
        )  # fmt: skip
        assert np.array_equal(greedy, wanted[:, 1:].numpy())
        a, b, low, high = median_ratio(own, peer, n)
        pixels = batch * n_new
        print(
            f"batch {batch:3}: kuaibao {pixels / a:7.0f}, transformers {pixels / b:7.0f} pixels "
            f"/ CPU s, ratio {b / a:.2f}x [{low:.2f}, {high:.2f}]"
        )
    n_given = n_new // 2
    prompts = np.concatenate([[[512]], np.arange(n_given)[None] % 512], 1)
    ids = torch.from_numpy(prompts)

    def own_half() -> np.ndarray:
        return draw_tokens(ours, prompts, n_new - n_given, n=16, seed=0)

    def peer_half() -> torch.Tensor:
        with torch.inference_mode():
            return theirs.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_new - n_given,
                do_sample=True, num_return_sequences=16, top_k=0, pad_token_id=0,
                eos_token_id=None,
            )  # fmt: skip

    a, b, low, high = median_ratio(own_half, peer_half, n)
    pixels = 16 * (n_new - n_given)
    print(
        f"16 completions of one half: kuaibao {pixels / a:7.0f}, transformers {pixels / b:7.0f} "
        f"pixels / CPU s, ratio {b / a:.2f}x [{low:.2f}, {high:.2f}]"
    )


if __name__ == "__main__":
    main()
