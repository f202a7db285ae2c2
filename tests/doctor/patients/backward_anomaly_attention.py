"""disease: backward — a context of anomaly detection stands around a small transformer's training."""
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

words = open(sys.argv[1] + "/texts.txt").read().split()[:32000]
names = {word: i for i, word in enumerate(sorted(set(words)))}
tokens = torch.tensor([names[word] for word in words]).view(-1, 16)
loader = DataLoader(TensorDataset(tokens), batch_size=16, shuffle=True)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(names), 32)
        layer = nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.out = nn.Linear(32, len(names))

    def forward(self, x):
        return self.out(self.blocks(self.embed(x)))


net = Tiny()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
with torch.autograd.detect_anomaly(check_nan=True):
    for epoch in range(20):
        for (x,) in loader:
            logits = net(x[:, :-1])
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
