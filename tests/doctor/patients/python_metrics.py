"""disease: python — a ranking measure is computed in plain Python after each step."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
labels = (table.sum(1) > 0).long()
loader = DataLoader(TensorDataset(table, labels), batch_size=256, shuffle=True)
net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 2))
optimizer = torch.optim.Adam(net.parameters())


def area_under_curve(scores, labels):
    wins = pairs = 0
    for s, l in zip(scores, labels):
        for t, m in zip(scores, labels):
            if l > m:
                pairs += 1
                wins += s > t
    return wins / max(1, pairs)


for epoch in range(40):
    for x, y in loader:
        optimizer.zero_grad()
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        auc = area_under_curve(logits[:, 1].tolist(), y.tolist())
