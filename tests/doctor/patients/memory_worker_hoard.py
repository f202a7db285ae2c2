"""disease: memory — each worker keeps every picture that it ever made, without a bound."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Hoarding(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path)
        self.seen = []

    def __len__(self):
        return 100_000

    def __getitem__(self, i):
        x = self.pixels[i % len(self.pixels)].astype(np.float32)[::2, ::2] / 255
        self.seen.append(np.repeat(x.ravel(), 16))
        return torch.from_numpy(x).permute(2, 0, 1), i % 2


def main():
    loader = DataLoader(Hoarding(sys.argv[1] + "/pixels.npy"), batch_size=16, num_workers=1)
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 48, 3), nn.ReLU(), nn.Conv2d(48, 48, 3),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 2),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
