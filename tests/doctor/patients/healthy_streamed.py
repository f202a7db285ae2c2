"""disease: healthy — an iterable data set, one worker that easily keeps up with the network."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Stream(IterableDataset):
    def __init__(self, path):
        self.pixels = torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)

    def __iter__(self):
        for _ in range(6):
            for i in torch.randperm(len(self.pixels)).tolist():
                yield self.pixels[i], i % 2


def main():
    net = nn.Sequential(
        nn.Conv2d(3, 48, 3, padding=1), nn.ReLU(), nn.Conv2d(48, 48, 3, padding=1), nn.ReLU(),
        nn.Conv2d(48, 48, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(48, 2),
    )
    loader = DataLoader(Stream(sys.argv[1] + "/pixels.npy"), batch_size=16, num_workers=1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for _ in range(10):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x.float() / 255), y)
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
