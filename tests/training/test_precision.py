"""The precision that is taken where a recipe leaves it open."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from toy import ToyTask, toy_recipe

from kuaibao.training import Trainer, World, precision, train
from kuaibao.training.errors import TrainingStateError


@pytest.mark.parametrize(
    ("device", "has_instructions", "is_new_gpu", "wanted"),
    [
        ("cpu", True, False, "bf16"), ("cpu", False, True, "fp32"), ("cuda", False, True, "bf16"),
        ("cuda", True, False, "fp16"), ("mps", True, True, "fp32"),
    ],
)  # fmt: skip
def test_half_precision_is_taken_where_there_are_instructions_for_it(
    monkeypatch, device, has_instructions, is_new_gpu, wanted
):
    monkeypatch.setattr(precision, "HAS_BFLOAT16", has_instructions)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: is_new_gpu)
    assert precision.fastest_precision(torch.device(device)) == wanted


def test_a_run_keeps_the_precision_that_it_began_with(tmp_path, monkeypatch):
    recipe = toy_recipe(tmp_path, precision="auto", steps=4)
    monkeypatch.setattr(precision, "HAS_BFLOAT16", True)
    train(ToyTask(), recipe)
    monkeypatch.setattr(precision, "HAS_BFLOAT16", False)
    saved = json.loads(next(tmp_path.rglob("state.json")).read_text())
    assert saved["fingerprint"]["run"]["precision"] == "bf16"
    with World.join() as world, pytest.raises(TrainingStateError, match="precision"):
        Trainer(ToyTask(), recipe, world, resume=True)
