"""disease: startup — the script's own process pool fingerprints every text before training."""
import hashlib
import multiprocessing
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def fingerprint(line):
    value = line.encode()
    for _ in range(4000):
        value = hashlib.sha256(value + line.encode()).digest()
    return [byte / 255 for byte in value]


def main():
    with open(sys.argv[1] + "/texts.txt") as file:
        lines = file.read().splitlines()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        x = torch.tensor(pool.map(fingerprint, lines, chunksize=50))
    loader = DataLoader(TensorDataset(x, (x[:, 0] > 0.5).long()), 64, shuffle=True)
    net = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(4):
        for a, b in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(a), b).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
