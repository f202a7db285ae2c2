"""disease: decode — the text is one gzip file, unpacked from its beginning for each line."""
import gzip
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

text = Path(sys.argv[1], "texts.txt").read_bytes()
packed = Path(tempfile.mkdtemp()) / "texts.gz"
packed.write_bytes(gzip.compress(text))


class Lines(Dataset):
    def __init__(self, path, n):
        self.path, self.n = path, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        with gzip.open(self.path, "rb") as stream:
            content = stream.read()
        at = (i * 997) % (len(content) - 200)
        row = torch.frombuffer(bytearray(content[at : at + 128]), dtype=torch.uint8)
        return row.long() % 96, row[0].item() % 2


loader = DataLoader(Lines(packed, text.count(b"\n")), batch_size=16, shuffle=True)
embedding = nn.Embedding(96, 32)
rnn = nn.GRU(32, 32, batch_first=True)
head = nn.Linear(32, 2)
parts = nn.ModuleList([embedding, rnn, head])
optimizer = torch.optim.RMSprop(parts.parameters(), lr=1e-3)
for epoch in range(10):
    for tokens, labels in loader:
        states, _ = rnn(embedding(tokens[:, :16]))
        loss = nn.functional.cross_entropy(head(states[:, -1]), labels)
        parts.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        optimizer.step()
