"""disease: transform — each text becomes counts of hashed letter groups, anew for each epoch."""
import sys
import zlib

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

N_BUCKET = 2048


class Counts(Dataset):
    def __init__(self, path):
        with open(path) as file:
            self.texts = file.read().split("\n")[:600]

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, i):
        text = self.texts[i]
        counts = torch.zeros(N_BUCKET)
        for width in (2, 3, 4):
            for at in range(len(text) - width):
                counts[zlib.crc32(text[at : at + width].encode()) % N_BUCKET] += 1
        return counts.log1p(), float(len(text) > 400)


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(N_BUCKET, 256)
        self.out = nn.Linear(256, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))[:, 0]


model = Regression()
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.01)
loader = DataLoader(Counts(sys.argv[1] + "/texts.txt"), batch_size=20, shuffle=True)
for epoch in range(40):
    total = 0.0
    for counts, label in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(counts), label.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
