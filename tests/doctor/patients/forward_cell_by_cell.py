"""disease: forward — a recurrence runs over time in Python, one tiny cell a call."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

lines = Path(sys.argv[1] + "/texts.txt").read_text().splitlines()
tokens = torch.tensor([[ord(c) % 96 for c in line[:160]] for line in lines])
loader = DataLoader(TensorDataset(tokens, torch.arange(len(tokens)) % 2), 32, shuffle=True)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(96, 32)
        self.wx, self.wh = nn.Linear(32, 64), nn.Linear(64, 64)
        self.head = nn.Linear(64, 2)

    def forward(self, x):
        h = torch.zeros(len(x), 64)
        for t in range(x.shape[1]):
            h = torch.tanh(self.wx(self.embed(x[:, t])) + self.wh(h))
        return self.head(h)


model = Recurrent()
optimizer = torch.optim.Adam(model.parameters())
for _ in range(10):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
