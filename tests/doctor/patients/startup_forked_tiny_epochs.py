"""disease: startup — two workers are forked anew for each epoch of five batches."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Few(Dataset):
    def __init__(self, path):
        self.pixels = torch.from_numpy(np.load(path)[:80])

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.pixels[i].permute(2, 0, 1).float() / 255, i % 2


def main():
    loader = DataLoader(Few(sys.argv[1] + "/pixels.npy"), 16, shuffle=True, num_workers=2)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
        nn.Linear(128, 2),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(300):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
