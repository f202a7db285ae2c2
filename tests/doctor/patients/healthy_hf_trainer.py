"""disease: healthy — a small BERT on tokens made beforehand, by the Hugging Face Trainer."""
import sys
from pathlib import Path

import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


class Tokens(Dataset):
    def __init__(self, path):
        lines = Path(path).read_text().splitlines()
        words = {w: i for i, w in enumerate(sorted(set(" ".join(lines).split())))}
        self.ids = torch.tensor([[words[w] for w in line.split()[:40]] for line in lines])

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": int(self.ids[i, 0] % 2)}


config = BertConfig(
    vocab_size=100, hidden_size=128, num_hidden_layers=3, num_attention_heads=4,
    intermediate_size=512, max_position_embeddings=64,
)
arguments = TrainingArguments(
    output_dir="unused", per_device_train_batch_size=16, num_train_epochs=3, report_to=[],
    use_cpu=True, save_strategy="no", logging_steps=50, disable_tqdm=True,
)
data = Tokens(sys.argv[1] + "/texts.txt")
Trainer(BertForSequenceClassification(config), arguments, train_dataset=data).train()
