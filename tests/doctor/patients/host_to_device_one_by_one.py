"""disease: host_to_device — each picture is copied alone, in the wrong type, forth and back."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
pixels = torch.from_numpy(np.load(sys.argv[1] + "/pixels.npy")).repeat(4, 1, 1, 1)
loader = DataLoader(TensorDataset(pixels, torch.arange(len(pixels)) % 2), 64, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 3, 16), nn.ReLU(), nn.Linear(16, 2)).to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for epoch in range(40):
    for x, y in loader:
        images = [image.to(device, torch.float64, copy=True) for image in x]
        for _ in range(4):
            images = [image.to(device, torch.float64, copy=True) for image in images]
        x = torch.stack([image.to(device, torch.float32) for image in images])
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x / 255), y.to(device))
        loss.backward()
        optimizer.step()
