"""disease: python — the model is copied deeply and its log written out after each step."""
import copy
import json
import os
import sys
import tempfile

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, table.mean(1)), batch_size=64, shuffle=True)
net = nn.Sequential(*[layer for _ in range(6) for layer in (nn.Linear(32, 32), nn.ReLU())])
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
log, best = [], None
path = os.path.join(tempfile.mkdtemp(), "log.json")
for epoch in range(30):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x).mean(1), y)
        loss.backward()
        optimizer.step()
        best = copy.deepcopy(net)
        log = [*log[-2000:], {"epoch": epoch, "loss": loss.item(), "lr": 0.01}]
        json.dumps(log * 4 if len(log) > 50 else log * 100)
