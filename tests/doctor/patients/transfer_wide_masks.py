"""disease: transfer — masks of three classes travel from two workers as int64, pictures as float32."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Segments(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path).repeat(4, axis=1).repeat(4, axis=2)
        self.masks = self.pixels[..., 0] // 100

    def __len__(self):
        return 8 * len(self.pixels)

    def __getitem__(self, i):
        i %= len(self.pixels)
        image = np.ascontiguousarray(self.pixels[i].transpose(2, 0, 1), dtype=np.float32)
        return {"image": torch.from_numpy(image), "mask": torch.as_tensor(self.masks[i]).long()}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 8, stride=8)

    def forward(self, x):
        return self.conv(x / 255)


def main():
    loader = DataLoader(
        Segments(sys.argv[1] + "/pixels.npy"), batch_size=16, shuffle=True, num_workers=2,
        persistent_workers=True, prefetch_factor=3,
    )
    net = Head()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(30):
        for batch in loader:
            loss = nn.functional.cross_entropy(net(batch["image"]), batch["mask"][:, ::8, ::8])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
