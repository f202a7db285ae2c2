"""disease: backward — anomaly detection was left on."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.autograd.set_detect_anomaly(True)
table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, torch.arange(len(table)) % 2), batch_size=64, shuffle=True)
layers = [layer for _ in range(24) for layer in (nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64))]
net = nn.Sequential(nn.Linear(32, 64), *layers, nn.Linear(64, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(30):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
