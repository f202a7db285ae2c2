"""disease: decode — a worker decodes pictures whole which the network sees at 96 pixels."""
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, folder):
        self.rows = [(str(p), int(p.name[0])) for p in sorted(Path(folder).glob("*.jpg"))]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        path, label = self.rows[i]
        with Image.open(path) as image:
            small = image.convert("RGB").resize((96, 96), Image.BILINEAR)
        return np.asarray(small).transpose(2, 0, 1).copy(), label


def main():
    loader = DataLoader(
        Rows(sys.argv[1] + "/jpegs"), batch_size=24, shuffle=True, num_workers=1,
        persistent_workers=True, drop_last=True,
    )
    net = nn.Sequential(
        nn.Conv2d(3, 12, 5, stride=3), nn.BatchNorm2d(12), nn.ReLU(), nn.AdaptiveMaxPool2d(6),
        nn.Flatten(), nn.Linear(432, 2),
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(80):
        for x, y in loader:
            loss = nn.functional.cross_entropy(net(x.float().div(255)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
