"""disease: transform — text is tokenised for each sample by a slow regular expression."""
import re
import sys
from pathlib import Path

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PATTERN = re.compile(r"(?:(?=[a-z])[a-z])+|\s+|.")


class Texts(Dataset):
    def __init__(self, path):
        self.lines = Path(path).read_text().splitlines()
        self.vocabulary = {w: i for i, w in enumerate(sorted(set(" ".join(self.lines).split())))}

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, i):
        tokens = [t for t in PATTERN.findall(self.lines[i]) if t.strip()]
        ids = [self.vocabulary[t] for t in tokens for _ in range(1)]
        pairs = [hash(a + b) % 997 for a, b in zip(tokens, tokens[1:])]
        grams = ["".join(tokens)[j : j + k] for k in (2, 3, 4, 5) for j in range(120)]
        bag = torch.zeros(1024)
        for gram in grams:
            bag[hash(gram) % 1024] += 1
        return bag, (ids[0] + pairs[0]) % 2


class Classifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 2))

    def training_step(self, batch, _):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


trainer = L.Trainer(
    max_epochs=20, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(Classifier(), DataLoader(Texts(sys.argv[1] + "/texts.txt"), batch_size=32))
