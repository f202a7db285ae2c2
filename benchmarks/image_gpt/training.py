"""Training image GPT: pixels a CPU second, ours against transformers, one run.

python benchmarks/image_gpt/training.py [--small]
"""

from __future__ import annotations

import argparse

import torch
from _peer import both_models, median_ratio

from kuaibao.image_gpt.objectives import autoregressive_loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="16x16, 2 layers")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    size, width, layers, batch, n = (16, 64, 2, 2, 3) if small else (32, 256, 8, 1, 3)
    ours, theirs = both_models(size, n_embd=width, n_layer=layers)
    tokens = torch.randint(0, 512, (batch, size**2), generator=torch.Generator().manual_seed(0))
    inputs = torch.cat([torch.full((batch, 1), 512), tokens[:, :-1]], 1)
    optimizers = {m: torch.optim.AdamW(m.parameters(), lr=1e-6) for m in (ours, theirs)}

    def own() -> float:
        loss = autoregressive_loss(ours.train(), tokens, 512)
        loss.backward()
        optimizers[ours].step()
        optimizers[ours].zero_grad()
        return float(loss.detach())

    def peer() -> float:
        logits = theirs.train()(inputs).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        loss.backward()
        optimizers[theirs].step()
        optimizers[theirs].zero_grad()
        return float(loss.detach())

    print(f"first losses {own():.4f} and {peer():.4f}")
    a, b, low, high = median_ratio(own, peer, n)
    pixels = tokens.numel()
    print(f"d={width}, {layers} layers, {size**2} tokens, batch {batch}, one thread")
    print(f"kuaibao       {pixels / a:8.0f} pixels / CPU s")
    print(f"transformers  {pixels / b:8.0f} pixels / CPU s")
    print(f"ratio         {b / a:8.2f}x  [{low:.2f}, {high:.2f}]")


if __name__ == "__main__":
    main()
