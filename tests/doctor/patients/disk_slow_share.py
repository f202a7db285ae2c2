"""disease: disk — files lie on a share that answers after 6 ms."""
import sys
import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, Dataset


def read_from_share(path):
    time.sleep(0.006)
    return path.read_bytes()


class Files(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.jpg"))

    def __len__(self):
        return 10 * len(self.paths)

    def __getitem__(self, i):
        content = read_from_share(self.paths[i % len(self.paths)])
        histogram = np.bincount(np.frombuffer(content, dtype=np.uint8), minlength=256)
        return torch.from_numpy(histogram).float(), int(i % 2)


accelerator = Accelerator(cpu=True)
model = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 2))
optimizer = torch.optim.Adam(model.parameters())
loader = DataLoader(Files(sys.argv[1] + "/jpegs"), batch_size=8, shuffle=True)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
for _ in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        accelerator.backward(loss)
        optimizer.step()
