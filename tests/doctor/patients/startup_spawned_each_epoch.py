"""disease: startup — spawned workers are started anew for each short epoch."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))[:640]
    data = TensorDataset(table, torch.arange(640) % 2)
    loader = DataLoader(
        data, batch_size=64, shuffle=True, num_workers=1, multiprocessing_context="spawn"
    )
    net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for epoch in range(12):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
