"""disease: loss — a pairwise ranking loss as a module with two nested Python loops."""
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

table = torch.from_numpy(np.load(sys.argv[1] + "/table.npy"))
loader = DataLoader(TensorDataset(table, table.sum(1)), batch_size=24, shuffle=True)


class RankingLoss(nn.Module):
    def forward(self, scores, targets):
        losses = []
        for i in range(len(scores)):
            for j in range(len(scores)):
                if targets[i] > targets[j]:
                    losses.append(torch.relu(1 - scores[i] + scores[j]))
        return torch.stack(losses).mean()


net = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))
criterion = RankingLoss()
optimizer = torch.optim.Adam(net.parameters())
for _ in range(20):
    for x, y in loader:
        loss = criterion(net(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
