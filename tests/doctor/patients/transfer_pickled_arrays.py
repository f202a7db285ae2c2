"""disease: transfer — the worker sends NumPy arrays, which are pickled through a pipe."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Big(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path)
        self.sample = np.tile(self.pixels[0].astype(np.float32), (4, 4, 1))

    def __len__(self):
        return 1600

    def __getitem__(self, i):
        return self.sample + i % 7, i % 2


def as_arrays(samples):
    return [x for x, _ in samples], np.array([y for _, y in samples])


def main():
    data = Big(sys.argv[1] + "/pixels.npy")
    loader = DataLoader(
        data, batch_size=16, collate_fn=as_arrays, num_workers=1, persistent_workers=True
    )
    head = nn.Linear(256, 2)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.0001)
    for _ in range(20):
        for x, y in loader:
            rows = torch.stack([torch.from_numpy(a[0, :, 0]) for a in x])
            loss = nn.functional.cross_entropy(head(rows), torch.from_numpy(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
