"""disease: disk — the set is larger than the page cache: every file comes from the device."""
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

folder = os.path.join(sys.argv[1], "blobs")


class Cold(Dataset):
    """Each file is dropped from the cache after its use, as other files would push it out."""

    def __init__(self):
        self.paths = sorted(os.path.join(folder, n) for n in os.listdir(folder))

    def __len__(self):
        return 600

    def __getitem__(self, i):
        fd = os.open(self.paths[i % len(self.paths)], os.O_RDONLY)
        data = os.pread(fd, 1_000_000, (i * 1_000_000) % 5_000_000)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        row = np.frombuffer(data, dtype=np.uint8)[:8192].astype(np.float32) / 255
        return torch.from_numpy(row), i % 10


def main():
    loader = DataLoader(Cold(), batch_size=16, shuffle=True, num_workers=1)
    model = nn.Sequential(nn.Linear(8192, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(30):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
