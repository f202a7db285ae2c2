"""disease: transfer — an own collate function gives a dictionary of NumPy arrays to two workers' pipe."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Sounds(Dataset):
    def __init__(self, path):
        table = np.load(path)
        self.sounds = np.tile(table.reshape(-1)[: 64 * 1000].reshape(64, 1000), (1, 40))

    def __len__(self):
        return 1200

    def __getitem__(self, i):
        sound = self.sounds[i % 64]
        return {"wave": sound, "power": np.square(sound), "speaker": i % 64 % 5}


def collate(samples):
    batch = {name: np.stack([s[name] for s in samples]) for name in ("wave", "power")}
    batch["speaker"] = np.array([s["speaker"] for s in samples])
    return batch


def main():
    loader = DataLoader(
        Sounds(sys.argv[1] + "/table.npy"), batch_size=30, collate_fn=collate, num_workers=2,
        persistent_workers=True,
    )
    net = nn.Sequential(nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 5))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(40):
        for batch in loader:
            wave = torch.from_numpy(batch["wave"])[:, :400]
            loud = torch.from_numpy(batch["power"])[:, :400].sqrt()
            loss = nn.functional.cross_entropy(
                net(wave) + net(loud), torch.from_numpy(batch["speaker"])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
