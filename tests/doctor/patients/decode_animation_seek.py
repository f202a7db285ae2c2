"""disease: decode — one frame is taken from a clip, and all frames before it are decoded each time."""
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

N_FRAME = 12


def make_clips(data):
    folder = Path(data) / "clips"
    if not folder.exists():
        folder.mkdir()
        pixels = np.load(Path(data) / "pixels.npy")
        for k in range(8):
            frames = [Image.fromarray(p).resize((160, 160)) for p in pixels[k : k + N_FRAME]]
            frames[0].save(folder / f"{k}.gif", save_all=True, append_images=frames[1:])
    return sorted(folder.glob("*.gif"))


class Frames(Dataset):
    def __init__(self, clips):
        self.clips = clips

    def __len__(self):
        return len(self.clips) * N_FRAME

    def __getitem__(self, i):
        clip = Image.open(self.clips[i // N_FRAME])
        clip.seek(i % N_FRAME)
        frame = np.asarray(clip.convert("L"), dtype=np.float32) / 255
        return {"frame": torch.from_numpy(frame)[None], "label": i % N_FRAME // 6}


loader = DataLoader(Frames(make_clips(sys.argv[1])), batch_size=12, shuffle=True)
net = nn.Sequential(
    nn.Conv2d(1, 8, 7, stride=4), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(),
    nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 2),
)
optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3)
for epoch in range(60):
    for batch in loader:
        loss = nn.functional.cross_entropy(net(batch["frame"]), batch["label"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
