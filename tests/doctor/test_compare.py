import json

import pytest
from typer.testing import CliRunner

from kuaibao.cli.doctor import app
from kuaibao.errors import InputError

pytestmark = pytest.mark.timeout(600)

SCRIPT = """
import sys, time
import torch
from torch.utils.data import DataLoader, Dataset
class Data(Dataset):
    def __len__(self): return 64
    def __getitem__(self, i):
        time.sleep(float(sys.argv[1]))
        return torch.full((4,), float(i))
for epoch in range(3):
    for x in DataLoader(Data(), batch_size=4):
        x.sum()
"""


def test_the_slower_of_two_commands_is_found_on_the_same_samples_and_fails_ci(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    result = CliRunner().invoke(
        app,
        ["compare", "python train.py 0.001", "python train.py 0.008", "--samples", "48",
         "--rounds", "2", "--fail-below", "0.9", "--json"],
    )  # fmt: skip
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout.strip().splitlines()[-1])
    assert found["is_regression"]
    assert found["speedup"]["mid"] < 0.8
    assert found["same_batches"] == found["batches_compared"] >= 10
    lines = (tmp_path / ".kuaibao-doctor" / "history.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["a"] == "python train.py 0.001"


def test_the_articles_figures_come_from_doctor_memory():
    result = CliRunner().invoke(app, ["memory", "--json"])
    found = json.loads(result.stdout)
    assert round(found["forecast"]["batch_bytes"] / 1e6) == 168
    assert round(found["forecast"]["common_rule_bytes"] / 1e9, 2) == 1.34
    assert round(found["narrow"]["batch_bytes"] / 1e6) == 34
    assert found["forecast"]["n_batches_held"] == 17


def test_a_budget_bounds_the_workers():
    result = CliRunner().invoke(app, ["memory", "--budget", "2G", "--json"])
    assert json.loads(result.stdout)["most_workers"] == 3


@pytest.mark.parametrize("arguments", [["--shape", "3x"], ["--shape", "3:float99"],
                                       ["--budget", "many"]])  # fmt: skip
def test_a_size_that_cannot_be_read_is_told(arguments):
    result = CliRunner().invoke(app, ["memory", *arguments])
    assert isinstance(result.exception, InputError)
