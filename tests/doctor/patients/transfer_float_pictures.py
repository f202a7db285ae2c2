"""disease: transfer — 8-bit pictures are made float32 before two workers send them to the loop."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, path):
        pixels = torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)
        self.pixels = pixels.repeat(1, 1, 5, 5)

    def __len__(self):
        return 4 * len(self.pixels)

    def __getitem__(self, i):
        return self.pixels[i % len(self.pixels)].float() / 255, i % 2


def main():
    loader = DataLoader(
        Pictures(sys.argv[1] + "/pixels.npy"), batch_size=20, num_workers=2, shuffle=True,
        persistent_workers=True,
    )
    net = nn.Sequential(nn.Linear(320, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(40):
        for x, y in loader:
            loss = nn.functional.cross_entropy(net(x[:, 0, 0]), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
