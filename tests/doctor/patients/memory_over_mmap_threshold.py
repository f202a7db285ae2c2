"""disease: memory — float32 batches of 64 MB are mapped page by page, each time anew."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Float32Pictures(Dataset):
    def __init__(self, path):
        pixels = torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)[:32]
        self.images = nn.functional.interpolate(pixels.float(), size=(420, 420)) / 255

    def __len__(self):
        return 640

    def __getitem__(self, i):
        return self.images[i % len(self.images)], i % 2


loader = DataLoader(Float32Pictures(sys.argv[1] + "/pixels.npy"), batch_size=32, shuffle=True)
net = nn.Linear(420, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(10):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[:, 0, 0]), y)
        loss.backward()
        optimizer.step()
