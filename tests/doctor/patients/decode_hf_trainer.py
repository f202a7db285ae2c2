"""disease: decode — a Hugging Face Trainer on pictures opened anew for each sample, two workers."""
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments


class Pictures(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.jpg"))

    def __len__(self):
        return 10 * len(self.paths)

    def __getitem__(self, i):
        path = self.paths[i % len(self.paths)]
        with Image.open(path) as image:
            pixels = np.asarray(image)[::8, ::8]
        return {"pixels": torch.tensor(pixels).float() / 255, "labels": int(path.name[0])}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64 * 64 * 3, 2)

    def forward(self, pixels, labels=None):
        logits = self.head(pixels.flatten(1))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


if __name__ == "__main__":
    arguments = TrainingArguments(
        output_dir="unused", per_device_train_batch_size=16, num_train_epochs=10, report_to=[],
        use_cpu=True, dataloader_num_workers=2, save_strategy="no", logging_steps=1000,
        disable_tqdm=True,
    )
    Trainer(Net(), arguments, train_dataset=Pictures(sys.argv[1] + "/jpegs")).train()
