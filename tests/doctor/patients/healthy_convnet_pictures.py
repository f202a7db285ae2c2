"""disease: healthy — pictures are decoded at the right size, and the network has enough to do."""
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.jpg"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = Image.open(self.paths[i])
        image.draft("RGB", (64, 64))
        x = torch.from_numpy(np.array(image.resize((64, 64)))).permute(2, 0, 1)
        return x, int(self.paths[i].name[0])


net = nn.Sequential(
    nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(64, 96, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(96, 2),
)
loader = DataLoader(Pictures(sys.argv[1] + "/jpegs"), batch_size=16, shuffle=True)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
for epoch in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x.float().div_(255)), y)
        loss.backward()
        optimizer.step()
