"""disease: healthy — a data set that gives whole batches by `__getitems__`, dictionaries, one worker."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, path):
        self.table = torch.from_numpy(np.load(path))

    def __len__(self):
        return 8 * len(self.table)

    def __getitem__(self, i):
        return self.__getitems__([i])[0]

    def __getitems__(self, indices):
        rows = self.table[torch.tensor(indices) % len(self.table)]
        return [{"inputs": rows, "target": (rows.sum(1) > 0).float()}]


def first(batches):
    return batches[0]


def main():
    loader = DataLoader(
        Rows(sys.argv[1] + "/table.npy"), batch_size=256, shuffle=True, collate_fn=first,
        num_workers=1, persistent_workers=True, prefetch_factor=4,
    )
    net = nn.Sequential(
        nn.Linear(32, 1024), nn.SiLU(), nn.Linear(1024, 1024), nn.SiLU(), nn.Linear(1024, 1)
    )
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(10):
        for batch in loader:
            loss = criterion(net(batch["inputs"]).squeeze(1), batch["target"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
