"""disease: startup — the whole text is tokenised by hand before a short training begins."""
import argparse
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pieces(Dataset):
    """Tokens by greedy longest match against a vocabulary."""

    def __init__(self, path, length=64):
        text = Path(path).read_text().replace("\n", " ")
        words = sorted(set(text.split()))
        pieces = {w[a:b] for w in words for a in range(len(w)) for b in range(a + 1, len(w) + 1)}
        self.vocabulary = {p: i + 1 for i, p in enumerate(sorted(pieces | {" "}))}

        def longest(at):
            for size in range(12, 0, -1):
                if text[at : at + size] in self.vocabulary:
                    return size
            return 1

        ids = []
        for _ in range(14):
            at = 0
            while at < len(text):
                size = longest(at)
                ids.append(self.vocabulary.get(text[at : at + size], 0))
                at += size
        n = min(len(ids) // (length + 1), 400)
        self.ids = torch.tensor(ids[: n * (length + 1)]).view(n, length + 1)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return self.ids[i, :-1], self.ids[i, 1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    data = Pieces(parser.parse_args().data / "texts.txt")
    model = nn.Sequential(nn.Embedding(2000, 32), nn.Linear(32, 2000))
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(2):
        for x, y in DataLoader(data, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
            loss.backward()
            optimizer.step()
