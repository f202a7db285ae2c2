"""disease: decode — each sample is a gzipped JSON document."""
import gzip
import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info


class Stream(IterableDataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.json.gz"))

    def __iter__(self):
        info = get_worker_info()
        paths = self.paths[info.id :: info.num_workers] if info else self.paths
        for _ in range(20):
            for path in paths:
                with gzip.open(path, "rt") as file:
                    record = json.load(file)
                yield torch.tensor(record["values"]), record["label"]


def main():
    loader = DataLoader(Stream(sys.argv[1] + "/records"), batch_size=16, num_workers=1)
    model = nn.Sequential(nn.Linear(4096, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
