"""disease: synchronization — the loop prints each sample's score at each step."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, table.mean(1)), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
step = 0
for epoch in range(40):
    for x, y in loader:
        optimizer.zero_grad()
        scores = net(x).squeeze(1)
        loss = nn.functional.mse_loss(scores, y)
        loss.backward()
        optimizer.step()
        step += 1
        for score, target in zip(scores, y):
            print("step", step, "score", score, "target", target)
