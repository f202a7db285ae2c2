"""disease: synchronization — meters take every value of every class from its tensor at once."""
import sys

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Meter:
    def __init__(self):
        self.total = self.n = 0.0

    def update(self, value):
        self.total += value.item()
        self.n += 1


def main():
    accelerator = Accelerator(cpu=True)
    table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
    data = TensorDataset(table, (table[:, 0] > 0).long())
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    net, optimizer, loader = accelerator.prepare(net, optimizer, DataLoader(data, 128, shuffle=True))
    meters = [Meter() for _ in range(10)]
    for _ in range(20):
        for x, y in loader:
            logits = net(x)
            loss = nn.functional.cross_entropy(logits, y)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            scores = logits.detach().softmax(1)
            for row in scores:
                for k, meter in enumerate(meters):
                    meter.update(row[k])


if __name__ == "__main__":
    main()
