"""disease: backward — a custom autograd function computes its gradient row by row."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SoftThreshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x) * torch.relu(x.abs() - 0.1)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        rows = []
        for row, g in zip(x, gradient):
            mask = torch.tensor([1.0 if abs(v) > 0.1 else 0.0 for v in row.tolist()])
            rows.append(g * mask)
        return torch.stack(rows)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(32, 512), nn.Linear(512, 2)

    def forward(self, x):
        return self.b(SoftThreshold.apply(self.a(x)))


table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, torch.arange(len(table)) % 2), batch_size=64, shuffle=True)
net = Net()
optimizer = torch.optim.Adam(net.parameters())
for _ in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
