"""disease: startup — each worker loads its vocabulary anew at each epoch, for some batches."""
import re
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PATH = sys.argv[1] + "/texts.txt"


class Texts(Dataset):
    def __init__(self):
        self.lines = Path(PATH).read_text().splitlines()[:320]
        self.table = None

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, i):
        return torch.tensor([self.table.get(w, 0) for w in self.lines[i].split()[:32]]), i % 2


def load_vocabulary(worker):
    data = torch.utils.data.get_worker_info().dataset
    counts = {}
    for _ in range(20):
        for word in re.findall(r"[a-z]+", Path(PATH).read_text()):
            counts[word] = counts.get(word, 0) + 1
    data.table = {word: i for i, word in enumerate(sorted(counts))}


def main():
    loader = DataLoader(Texts(), 32, num_workers=2, worker_init_fn=load_vocabulary)
    bag, head = nn.EmbeddingBag(100, 32), nn.Linear(32, 2)
    optimizer = torch.optim.SGD([*bag.parameters(), *head.parameters()], lr=0.1)
    for _ in range(40):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(head(bag(x)), y).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
