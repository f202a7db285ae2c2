"""disease: transform — features of a sound are computed frame by frame, in Python."""
import argparse
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

RATE, FRAME, N_BAND = 8000, 256, 12


def sounds(path):
    table = np.load(path)
    while True:
        for row in table:
            phase = np.cumsum(np.repeat(np.abs(row), RATE // 64)) * 0.1
            yield np.sin(phase).astype(np.float32), int(row[0] > 0)


def band_energies(wave):
    window = np.hanning(FRAME)
    features = []
    for start in range(0, len(wave) - FRAME, FRAME // 2):
        frame = wave[start : start + FRAME] * window
        bands = []
        for band in range(1, N_BAND + 1):
            angle = 2 * math.pi * band * np.arange(FRAME) / FRAME
            bands.append(math.log(1e-6 + (frame @ np.cos(angle)) ** 2 + (frame @ np.sin(angle)) ** 2))
        features.append(bands)
    return np.array(features, dtype=np.float32)


class Sounds(IterableDataset):
    def __init__(self, path, n):
        self.path, self.n = path, n

    def __iter__(self):
        for i, (wave, label) in enumerate(sounds(self.path)):
            if i >= self.n:
                return
            yield {"features": band_energies(wave), "label": label}


def as_batch(samples):
    features = np.stack([s["features"] for s in samples])
    return {"x": torch.from_numpy(features), "y": torch.tensor([s["label"] for s in samples])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--accumulate", type=int, default=2)
    options = parser.parse_args()
    loader = DataLoader(Sounds(options.data + "/table.npy", 4000), batch_size=8, collate_fn=as_batch)
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(64), nn.GELU(), nn.Linear(64, 2))
    optimizer = schedule = None
    for epoch in range(3):
        for step, batch in enumerate(loader):
            loss = nn.functional.cross_entropy(model(batch["x"]), batch["y"]) / options.accumulate
            if optimizer is None:
                optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
                schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=5000)
            loss.backward()
            if step % options.accumulate == 0:
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)


if __name__ == "__main__":
    main()
