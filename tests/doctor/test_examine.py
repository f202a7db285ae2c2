"""`doctor.examine` on a loader and a step in this process."""

import itertools
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from kuaibao import doctor
from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.report import schema

sys.path.insert(0, str(Path(__file__).parent))
from reports import mismatches

pytestmark = pytest.mark.timeout(600)


class Slow(Dataset):
    """Samples from a device that answers late."""

    def __len__(self):
        return 64

    def __getitem__(self, i):
        self.read_from_device()
        return torch.full((8,), float(i)), i % 2

    def read_from_device(self):
        time.sleep(0.01)


class Trained:
    """A step on one batch, and what it saw."""

    def __init__(self):
        self.net = nn.Linear(8, 2)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.batches = []

    def __call__(self, batch):
        x, y = batch
        self.batches.append(x[:, 0].tolist())
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.net(x), y).backward()
        self.optimizer.step()


@pytest.fixture(scope="module")
def examined():
    """A report, the step it was made with, and torch's methods before and after."""
    methods = [DataLoader.__iter__, nn.Module.__call__, torch.Tensor.backward, print]
    step, loader = Trained(), DataLoader(Slow(), batch_size=4)
    report = doctor.examine(loader, step, samples=96)
    after = [DataLoader.__iter__, nn.Module.__call__, torch.Tensor.backward, print]
    return report, step, methods, after


def test_a_loader_and_a_step_give_the_report_of_a_whole_run(examined):
    report = examined[0]
    assert not mismatches(report, schema(), schema())
    assert report["rates"]["samples_seen"] == 96
    assert report["ended"] == "samples"
    # Waiting ten milliseconds a sample is a hundred times what the step takes, on any machine.
    assert report["verdict"] == "disk"
    assert any(one["cure"] == "ram_cache" for one in report["advice"])


def test_the_step_got_real_batches_in_order_and_some_of_them_again(examined):
    _, step, _, _ = examined
    order = [first for first, *_ in step.batches]
    new = [a for a, b in zip(order, [None, *order], strict=False) if a != b]
    # A repeated batch takes the turn of a real one, so an epoch may end early; then it starts anew.
    assert all(b in (a + 4, 0.0) for a, b in itertools.pairwise(new))
    assert len(order) > len(new) >= 24


def test_torch_is_as_it_was_afterwards(examined):
    _, _, before, after = examined
    assert before == after


def test_a_loader_without_batches_is_told():
    with pytest.raises(DoctorError, match="no batch"):
        doctor.examine(DataLoader([], batch_size=2), lambda batch: None, samples=4)
