"""disease: memory — the losses are collected with their graphs, so nothing is ever freed."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, table.mean(1)), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(32, 2048), nn.ReLU(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
losses, outputs = [], []
for epoch in range(10):
    for x, y in loader:
        output = net(x).squeeze(1)
        loss = nn.functional.mse_loss(output, y)
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        losses.append(loss)
        outputs.append(output)
print(sum(float(v) for v in losses))
