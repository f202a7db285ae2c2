"""Two processes with spread weights learn what one learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_training import FINETUNE, MODEL, finetune_recipe, write_pairs

from kuaibao.training import RecipeError, find_task, train


def text(run: str) -> str:
    recipe = FINETUNE.format(model=MODEL.format(dropout=0.0), data="validation_share = 0.0",
                             steps=4, checkpoint_every=100, run=run)  # fmt: skip
    adamw = recipe.replace("adafactor", "adamw").replace(
        "learning_rate = 0.05", "learning_rate = 0.003"
    )
    return adamw.replace('out = "run"', f'out = "{"two" if run else "one"}"')


def test_spread_weights_learn_as_whole_ones(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    (tmp_path / "two.toml").write_text(text('parallel = "fsdp"'), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "kuaibao",
         "train", str(tmp_path / "two.toml"), "--json"],
        capture_output=True, text=True, check=False, timeout=150,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    two = json.loads(run.stdout.strip().splitlines()[-1])
    from kuaibao.training import parse_recipe

    recipe = parse_recipe(text(""), folder=tmp_path)
    one = train(find_task(recipe), recipe).state
    # Each process averages over its own tokens, so the means differ a little.
    assert two["loss"] == pytest.approx(one.losses[-1][1], rel=2e-3)
    assert two["evaluation"]["loss"] == pytest.approx(one.evaluations[-1][1]["loss"], rel=2e-3)
    assert (tmp_path / "two" / "model" / "spiece.model").is_file()


def test_adafactor_with_spread_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Adafactor can't work"):
        finetune_recipe(tmp_path, run='parallel = "fsdp"')
