"""disease: optimizer — every parameter has an optimiser and a schedule of its own."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, (table.sum(1) > 0).long()), batch_size=32, shuffle=True)


class Experts(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(32, 2) / 6) for _ in range(n)])

    def forward(self, x):
        return (x @ torch.cat(list(self.weights), 1)).view(len(x), -1, 2).mean(1)


net = Experts(300)
optimizers = [torch.optim.AdamW([p], lr=1e-3, foreach=False) for p in net.parameters()]
schedules = [torch.optim.lr_scheduler.ExponentialLR(o, 0.999) for o in optimizers]
for epoch in range(20):
    for x, y in loader:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    for schedule in schedules:
        schedule.step()
