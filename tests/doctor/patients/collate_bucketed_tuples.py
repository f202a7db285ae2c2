"""disease: collate — buckets by length; a batch of named tuples is built value by value."""
import random
import sys
from collections import namedtuple
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

Batch = namedtuple("Batch", ["tokens", "mask", "labels"])


class Buckets(Sampler):
    """Batches of sentences of about the same length."""

    def __init__(self, lengths, size):
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        self.batches = [order[i : i + size] for i in range(0, len(order), size)]

    def __iter__(self):
        random.shuffle(self.batches)
        return iter(self.batches)

    def __len__(self):
        return len(self.batches)


class Sentences(Dataset):
    def __init__(self, path):
        self.lines = [line.encode() for line in Path(path).read_text().splitlines()]

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, i):
        return self.lines[i], i % 2


def collate(samples):
    longest = max(len(line) for line, _ in samples)
    tokens = [[torch.tensor(line[j] if j < len(line) else 0) for j in range(longest)]
              for line, _ in samples]
    mask = [[torch.tensor(float(j < len(line))) for j in range(longest)] for line, _ in samples]
    labels = torch.tensor([label for _, label in samples])
    return Batch(
        torch.stack([torch.stack(row) for row in tokens]) % 96,
        torch.stack([torch.stack(row) for row in mask]),
        labels,
    )


def main():
    data = Sentences(sys.argv[1] + "/texts.txt")
    sampler = Buckets([len(line) for line in data.lines], 8)
    loader = DataLoader(data, batch_sampler=sampler, collate_fn=collate)
    embedding, head = nn.Embedding(96, 24), nn.Linear(24, 2)
    optimizer = torch.optim.SGD([*embedding.parameters(), *head.parameters()], lr=0.1)
    for _ in range(4):
        for batch in loader:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                mean = (embedding(batch.tokens) * batch.mask[..., None]).mean(1)
                logits = head(mean)
            loss = nn.functional.cross_entropy(logits.float(), batch.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
