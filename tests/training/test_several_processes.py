"""Two processes by torchrun see the same losses as one, copied (DDP) or spread (FSDP2)."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from several import CASES, recipe_of
from toy import ToyTask

from kuaibao.training import train
from kuaibao.transformer import load_pretrained

HERE = Path(__file__).parent


def torchrun(folder, parallel):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
         f"--master-port={port}", str(HERE / "several.py"), str(folder), parallel],
        capture_output=True, text=True, timeout=500, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_see_the_losses_of_one(tmp_path, parallel):
    torchrun(tmp_path / "two", parallel)
    if parallel == "ddp":
        # Left, the group takes its threads along: left-over ones could abort the exit.
        assert json.loads((tmp_path / "two" / "threads.json").read_text()) == []
    for name in CASES:
        recipe = recipe_of(tmp_path / "one", name)
        one = train(ToyTask(dropout=0.0, masks=False), recipe).state
        two = json.loads((tmp_path / "two" / f"{name}.json").read_text())
        assert [v for _, v in two["losses"]] == pytest.approx([v for _, v in one.losses], abs=1e-5)
        assert two["units"] == one.n_unit
        for (_, a), (_, b) in zip(one.evaluations, two["evaluations"], strict=True):
            assert b["loss"] == pytest.approx(a["loss"], abs=1e-5)
        ours, theirs = (
            load_pretrained(tmp_path / n / name / "run" / "model").state_dict()
            for n in ("one", "two")
        )
        for key, tensor in ours.items():
            assert torch.allclose(theirs[key], tensor, atol=1e-5), key
