"""disease: decode — pictures of 512 pixels are decoded whole to be used at 64."""
import glob
import sys

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, folder):
        self.files = sorted(glob.glob(folder + "/*.jpg"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image = Image.open(self.files[i]).convert("RGB").resize((64, 64))
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return x, int(self.files[i].split("/")[-1][0])


model = nn.Sequential(
    nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
)
loader = DataLoader(Pictures(sys.argv[1] + "/jpegs"), batch_size=16, shuffle=True)
model(next(iter(loader))[0])
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(50):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
