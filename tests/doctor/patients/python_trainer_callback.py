"""disease: python — a callback of the Hugging Face Trainer works through a log after each step."""
import math
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset
from transformers import Trainer, TrainerCallback, TrainingArguments


class Curve(TrainerCallback):
    """A smoothed curve of all steps, computed anew each time."""

    def __init__(self):
        self.values = [math.sin(i) for i in range(6000)]

    def on_step_end(self, args, state, control, **kwargs):
        self.values.append(math.cos(state.global_step))
        smooth, average = [], 0.0
        for value in self.values * 4:
            average = 0.98 * average + 0.02 * value
            smooth.append(round(average, 4))
        self.best = min(smooth)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 2))

    def forward(self, x, labels=None):
        logits = self.body(x)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def rows(samples):
    return {"x": torch.stack([s[0] for s in samples]), "labels": torch.stack([s[1] for s in samples])}


table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
arguments = TrainingArguments(
    output_dir="unused", per_device_train_batch_size=64, num_train_epochs=10, report_to=[],
    use_cpu=True, save_strategy="no", logging_steps=1000, disable_tqdm=True,
    gradient_accumulation_steps=1, lr_scheduler_type="cosine",
)
Trainer(
    Net(), arguments, train_dataset=TensorDataset(table, (table.sum(1) > 0).long()),
    data_collator=rows, callbacks=[Curve()],
).train()
