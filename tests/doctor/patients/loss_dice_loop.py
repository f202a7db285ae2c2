"""disease: loss — a Dice loss loops over samples and classes."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pixels = torch.from_numpy(np.load(sys.argv[1] + "/pixels.npy")).permute(0, 3, 1, 2).float() / 255
masks = (pixels.mean(1) * 7.99).long()
loader = DataLoader(TensorDataset(pixels, masks), batch_size=16, shuffle=True)
net = nn.Conv2d(3, 8, 3, padding=1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def dice_loss(logits, target):
    probabilities = logits.softmax(1)
    total = 0.0
    for i in range(len(target)):
        for c in range(logits.shape[1]):
            p, t = probabilities[i, c], (target[i] == c).float()
            total = total + 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
    return total / (len(target) * logits.shape[1])


for epoch in range(80):
    for x, y in loader:
        optimizer.zero_grad()
        loss = dice_loss(net(x), y)
        loss.backward()
        optimizer.step()
