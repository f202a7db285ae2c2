"""disease: backward — the gradient of each sample is asked for alone, on one kept graph."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
train = DataLoader(TensorDataset(table[:3200], table[:3200].mean(1)), batch_size=32, shuffle=True)
valid = DataLoader(TensorDataset(table[3200:], table[3200:].mean(1)), batch_size=256)
net = nn.Sequential(nn.Linear(32, 256), nn.Tanh(), nn.Linear(256, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)


def gradients(losses):
    for loss in losses:
        loss.backward(retain_graph=True)
    for p in net.parameters():
        p.grad /= len(losses)


for epoch in range(20):
    net.train()
    for x, y in train:
        optimizer.zero_grad()
        losses = (net(x).squeeze(1) - y) ** 2
        gradients(losses)
        optimizer.step()
    net.eval()
    with torch.no_grad():
        error = sum(float(((net(x).squeeze(1) - y) ** 2).mean()) for x, y in valid)
    print(f"epoch {epoch}: {error:.4f}")
