"""disease: transform — a Python loop over pixels."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Thumbnails(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path)

    def __len__(self):
        return len(self.pixels) * 10

    def __getitem__(self, i):
        image = self.pixels[i % len(self.pixels)]
        out = np.zeros((3, 64, 64), dtype=np.float32)
        for row in range(0, 64, 2):
            for column in range(0, 64, 2):
                r, g, b = image[row, column]
                out[:, row : row + 2, column : column + 2] = (float(r) + float(g) + float(b)) / 765
        return out, i % 2


loader = DataLoader(Thumbnails(sys.argv[1] + "/pixels.npy"), batch_size=16, num_workers=0)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
