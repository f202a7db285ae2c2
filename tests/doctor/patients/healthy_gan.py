"""disease: healthy — a GAN: two networks, two optimisers, no batch without work."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def dense(*widths):
    layers = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=200)
    chosen = parser.parse_args()
    pixels = torch.from_numpy(np.load(chosen.data + "/pixels.npy"))[:, ::2, ::2].flatten(1)
    data = TensorDataset((pixels / 127.5 - 1).repeat(8, 1))
    generator, critic = dense(64, 256, 1024, 3072), dense(3072, 1024, 256, 1)
    make = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    judge = torch.optim.Adam(critic.parameters(), 2e-4, betas=(0.5, 0.999))
    entropy = nn.BCEWithLogitsLoss()
    for epoch in range(chosen.epochs):
        for (real,) in DataLoader(data, batch_size=64, shuffle=True, drop_last=True):
            fake = generator(torch.randn(len(real), 64))
            yes, no = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            judge.zero_grad()
            judged = entropy(critic(real), yes) + entropy(critic(fake.detach()), no)
            judged.backward()
            judge.step()
            make.zero_grad()
            made = entropy(critic(fake), yes)
            made.backward()
            make.step()
        print(epoch, float(judged), float(made))


if __name__ == "__main__":
    main()
