"""disease: disk — each sample reads a file of six megabytes to use 4 KB of it."""
import os
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

folder = os.path.join(sys.argv[1], "blobs")


class Rows(Dataset):
    def __init__(self):
        self.paths = sorted(os.path.join(folder, n) for n in os.listdir(folder))

    def __len__(self):
        return 1200

    def __getitem__(self, i):
        with open(self.paths[i % len(self.paths)], "rb") as f:
            content = f.read()
        row = torch.frombuffer(bytearray(content[i * 4096 : (i + 1) * 4096]), dtype=torch.uint8)
        return row.float() / 255, i % 10


loader = DataLoader(Rows(), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(20):
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, float(loss))
