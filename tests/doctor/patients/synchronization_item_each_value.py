"""disease: synchronization — each prediction is fetched by `.item()` for a running accuracy."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
labels = (table.sum(1) > 0).long()
loader = DataLoader(TensorDataset(table, labels), batch_size=256, shuffle=True)
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters())
correct = seen = 0
for epoch in range(60):
    for x, y in loader:
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        predicted = logits.argmax(1)
        for i in range(len(y)):
            if predicted[i].item() == y[i].item():
                correct += 1
            seen += logits[i, 0].item() > 0 or 1
