"""disease: optimizer — an own Adam that updates row by row."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SlowAdam(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["m"], state["v"] = torch.zeros_like(p), torch.zeros_like(p)
                rows = p.view(p.shape[0], -1)
                grad = p.grad.view(p.shape[0], -1)
                m, v = state["m"].view_as(rows), state["v"].view_as(rows)
                for i in range(len(rows)):
                    m[i] = 0.9 * m[i] + 0.1 * grad[i]
                    v[i] = 0.999 * v[i] + 0.001 * grad[i] ** 2
                    rows[i] -= group["lr"] * m[i] / (v[i].sqrt() + 1e-8)


table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, torch.arange(len(table)) % 2), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = SlowAdam(net.parameters())
for _ in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
