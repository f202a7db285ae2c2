"""disease: forward — sixteen threads are set for a small transformer, as a recipe for servers has it."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(16)
table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy")).repeat(2, 1)
rows = table.view(-1, 16, 32)
loader = DataLoader(TensorDataset(rows, (rows.sum((1, 2)) > 0).long()), batch_size=32, shuffle=True)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.widen = nn.Linear(32, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 256, dropout=0.0, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.out = nn.Linear(128, 2)

    def forward(self, x):
        return self.out(self.blocks(self.widen(x)).mean(1))


net = Classifier()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
for epoch in range(30):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
