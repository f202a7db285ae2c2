"""disease: decode — each sample is a gzipped JSON document that holds a picture in base64."""
import base64
import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
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
                image = Image.open(io.BytesIO(base64.b64decode(record["picture"])))
                pixels = np.asarray(image)[::4, ::4]
                yield torch.from_numpy(pixels.copy()), record["label"]


def main():
    loader = DataLoader(Stream(sys.argv[1] + "/records"), batch_size=16, num_workers=1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 3, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(5):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x.float() / 255), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
