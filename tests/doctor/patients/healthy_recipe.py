"""disease: healthy — a whole recipe: two loaders, autocast, a schedule, early stopping, compile."""
import argparse
import os
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Options:
    data: str
    lr: float = 1e-3
    n_epoch: int = 12
    patience: int = 10


def loaders(options):
    pixels = torch.from_numpy(np.load(os.path.join(options.data, "pixels.npy")))
    x, y = pixels.permute(0, 3, 1, 2).repeat(3, 1, 1, 1).float() / 255, torch.arange(3 * len(pixels)) % 2
    train = TensorDataset(x[: 2 * len(pixels)], y[: 2 * len(pixels)])
    return (DataLoader(train, batch_size=16, shuffle=True, drop_last=True),
            DataLoader(TensorDataset(x[2 * len(pixels) :], y[2 * len(pixels) :]), batch_size=32))


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(n_out)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


def train_one_epoch(model, loader, optimizer, schedule):
    model.train()
    running = torch.zeros(())
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
            loss = nn.functional.cross_entropy(model(x), y, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        running += loss.detach()
    return running.item() / len(loader)


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    options = Options(**vars(parser.parse_args()))
    train, valid = loaders(options)
    model = nn.Sequential(
        Block(3, 48), Block(48, 96), Block(96, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 2)
    )
    model = torch.compile(model, backend="eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.lr, epochs=options.n_epoch, steps_per_epoch=len(train)
    )
    best, waited = 0.0, 0
    for epoch in range(options.n_epoch):
        loss = train_one_epoch(model, train, optimizer, schedule)
        found = accuracy(model, valid)
        best, waited = (found, 0) if found > best else (best, waited + 1)
        print(f"{epoch:3} loss {loss:.3f} accuracy {found:.3f}")
        if waited >= options.patience:
            break


if __name__ == "__main__":
    main()
