"""disease: forward — thirty-two threads are set on a machine with a few cores."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(32)
table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, (table.sum(1) > 0).long()), batch_size=256, shuffle=True)
layers = [layer for _ in range(12) for layer in (nn.Linear(384, 384), nn.ReLU())]
net = nn.Sequential(nn.Linear(32, 384), *layers, nn.Linear(384, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for epoch in range(30):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
