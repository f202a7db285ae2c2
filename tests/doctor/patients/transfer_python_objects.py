"""disease: transfer — each batch carries tens of thousands of Python objects from the worker."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Table(Dataset):
    def __init__(self, path):
        self.table = np.load(path)
        self.history = [{"id": j, "score": j / 7, "name": "row"} for j in range(600)]

    def __len__(self):
        return len(self.table)

    def __getitem__(self, i):
        return self.table[i], [dict(row) for row in self.history], i % 2


def as_they_are(samples):
    return samples


def main():
    data = Table(sys.argv[1] + "/table.npy")
    loader = DataLoader(
        data, batch_size=32, collate_fn=as_they_are, num_workers=2, persistent_workers=True
    )
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(20):
        for samples in loader:
            x = torch.from_numpy(np.stack([s[0] for s in samples]))
            y = torch.tensor([s[2] for s in samples])
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
