"""disease: optimizer — AdamW walks over the tensors of many small experts one at a time."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, (table[:, 0] > 0).long()), batch_size=32, shuffle=True)


class Experts(nn.Module):
    def __init__(self, n=260):
        super().__init__()
        self.scale = nn.ParameterList([nn.Parameter(torch.randn(32) / 32) for _ in range(n)])
        self.shift = nn.ParameterList([nn.Parameter(torch.zeros(2)) for _ in range(n)])
        self.out = nn.Linear(n, 2)

    def forward(self, x):
        scores = x @ torch.stack(tuple(self.scale)).t()
        return self.out(scores.tanh()) + torch.stack(tuple(self.shift)).mean(0)


net = Experts()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, amsgrad=True, foreach=False)
for _ in range(30):
    for x, y in loader:
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
