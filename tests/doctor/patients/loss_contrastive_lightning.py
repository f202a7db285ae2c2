"""disease: loss — a contrastive loss goes over all pairs in Python, inside of a Lightning module."""
import sys

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Embedder(L.LightningModule):
    def __init__(self, margin=1.0):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 16))

    def forward(self, x):
        return nn.functional.normalize(self.net(x), dim=1)

    def contrastive(self, z, y):
        def distance(a, b):
            return ((a - b) ** 2).sum()

        total = z.new_zeros(())
        for i in range(len(z)):
            for j in range(i):
                d = distance(z[i], z[j])
                same = (y[i] == y[j]).float()
                total = total + same * d + (1 - same) * torch.relu(self.hparams.margin - d)
        return total / (len(z) * (len(z) - 1) / 2)

    def training_step(self, batch, _):
        x, y = batch
        loss = self.contrastive(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("valid_norm", self(x).norm())

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters())
        return {"optimizer": optimizer,
                "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 5)}


table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
parts = random_split(TensorDataset(table, (table.sum(1) > 0).long()), [0.8, 0.2])
trainer = L.Trainer(
    max_epochs=10, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=1,
)
trainer.fit(Embedder(), DataLoader(parts[0], 16, shuffle=True), DataLoader(parts[1], 64))
