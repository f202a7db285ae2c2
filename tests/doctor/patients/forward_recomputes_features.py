"""disease: forward — an unchanged distance matrix is computed anew in each forward."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, torch.arange(len(table)) % 2), batch_size=128)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("anchors", table[:1500].clone())
        self.mix = nn.Linear(32, 64)
        self.head = nn.Linear(64, 2)

    def forward(self, x):
        with torch.no_grad():
            scale = torch.cdist(self.anchors, self.anchors).sort(dim=1).values.mean()
        return self.head(torch.relu(self.mix(x / scale)))


net = Net()
optimizer = torch.optim.AdamW(net.parameters())
for _ in range(30):
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
