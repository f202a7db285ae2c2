"""disease: collate — sequences are padded element by element in Python."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Texts(Dataset):
    def __init__(self, path):
        self.rows = [[ord(c) % 96 for c in line] for line in Path(path).read_text().splitlines()]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], i % 2


def pad(samples):
    longest = max(len(row) for row, _ in samples)
    batch = torch.zeros(len(samples), longest, dtype=torch.long)
    for i, (row, _) in enumerate(samples):
        for j, value in enumerate(row):
            batch[i, j] = value
    return batch, torch.tensor([label for _, label in samples])


loader = DataLoader(Texts(sys.argv[1] + "/texts.txt"), batch_size=16, collate_fn=pad, shuffle=True)
embedding, head = nn.EmbeddingBag(96, 32), nn.Linear(32, 2)
optimizer = torch.optim.Adam([*embedding.parameters(), *head.parameters()])
for epoch in range(10):
    for tokens, labels in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(embedding(tokens)), labels)
        loss.backward()
        optimizer.step()
