"""disease: decode — a row of a table is parsed from CSV text each time, in a class of rows."""
import sys
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Row(NamedTuple):
    values: torch.Tensor
    target: torch.Tensor


class Table(Dataset):
    def __init__(self, path):
        self.path = path

    def __len__(self):
        return 3000

    def __getitem__(self, i):
        block = np.loadtxt(self.path, delimiter=",", skiprows=i % 50, max_rows=24, dtype=np.float32)
        return Row(torch.from_numpy(block[0]), torch.tensor(float(block[0].sum())))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, row: Row):
        return self.body(row.values).squeeze(1)


def train(path):
    net = Net()
    optimizer = torch.optim.Adam(net.parameters())

    def step(row):
        optimizer.zero_grad()
        loss = nn.functional.huber_loss(net(row), row.target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    for _ in range(10):
        total = torch.zeros(())
        for row in DataLoader(Table(path), batch_size=32):
            total += step(row)
        print("loss", total.item())


train(sys.argv[1] + "/table.csv")
