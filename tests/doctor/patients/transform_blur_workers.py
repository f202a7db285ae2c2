"""disease: transform — a wide blur and a rotation of pictures that lie in memory, two workers."""
import sys

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Augmented(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path)

    def __len__(self):
        return 20 * len(self.pixels)

    def __getitem__(self, i):
        image = Image.fromarray(self.pixels[i % len(self.pixels)]).resize((256, 256))
        angle = float(torch.rand(()) * 30)
        image = image.rotate(angle, resample=Image.BICUBIC).filter(ImageFilter.GaussianBlur(6))
        x = np.asarray(image.resize((32, 32)), dtype=np.float32) / 255
        return torch.from_numpy(x).permute(2, 0, 1), i % 2


def main():
    loader = DataLoader(Augmented(sys.argv[1] + "/pixels.npy"), 16, shuffle=True, num_workers=2)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 900, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(10):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
