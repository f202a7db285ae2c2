"""disease: healthy — a logistic regression: small, and as quick as a loader lets it be."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
labels = (table.sum(1) > 0).long()
loader = DataLoader(TensorDataset(table, labels), batch_size=64, shuffle=True)
model = nn.Linear(32, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
for epoch in range(100):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
