"""disease: python — a batch sampler draws by weights in a Python loop; all else is quick."""
import random
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class Balanced(Sampler):
    def __init__(self, weights, n_batch, size):
        self.weights, self.n_batch, self.size = weights, n_batch, size

    def __len__(self):
        return self.n_batch

    def __iter__(self):
        for _ in range(self.n_batch):
            yield [self.draw() for _ in range(self.size)]

    def draw(self):
        left = random.random() * sum(self.weights)
        for i, weight in enumerate(self.weights):
            left -= weight
            if left <= 0:
                return i
        return len(self.weights) - 1


table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
weights = [1.0 + i % 3 for i in range(len(table))]
loader = DataLoader(TensorDataset(table, table[:, 0]), batch_sampler=Balanced(weights, 200, 32))
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for epoch in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x)[:, 0], y).backward()
        optimizer.step()
