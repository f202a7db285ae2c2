"""disease: optimizer — Adam is written out in the loop, over a hundred and twenty small tensors."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, table.sum(1)), 32, shuffle=True)
layers = [layer for _ in range(60) for layer in (nn.Linear(32, 32), nn.Tanh())]
net = nn.Sequential(*layers, nn.Linear(32, 1))
mean = [torch.zeros_like(p) for p in net.parameters()]
square = [torch.zeros_like(p) for p in net.parameters()]
n = 0
for epoch in range(20):
    for x, y in loader:
        net.zero_grad()
        ((net(x).squeeze(-1) - y) ** 2).mean().backward()
        n += 1
        with torch.no_grad():
            for p, m, v in zip(net.parameters(), mean, square, strict=True):
                g = p.grad + 1e-4 * p
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                step = m / (1 - 0.9**n) / ((v / (1 - 0.999**n)).sqrt() + 1e-8)
                p.sub_((1e-3 * step).clamp(-1, 1))
