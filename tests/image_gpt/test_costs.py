"""The paper's recipes are whole, and what they cost is counted as the paper says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kuaibao.image_gpt.costs import PAPER_V100_DAYS, cost_of, paper_recipes, write_recipes
from kuaibao.training import load_recipe

COSTS = {name: cost_of(name, recipe) for name, recipe in paper_recipes().items()}


def test_all_runs_of_the_paper_have_a_recipe(tmp_path: Path) -> None:
    assert set(COSTS) == {
        "cifar-10", "cifar-100", "stl-10", "imagenet-s", "imagenet-m", "imagenet-l",
        "imagenet-s-bert",
    }  # fmt: skip
    for path in write_recipes(tmp_path):
        assert load_recipe(path).task == "image-gpt"


@pytest.mark.parametrize(("name", "millions"), [("s", 76.6), ("m", 455.2), ("l", 1362.2)])
def test_sizes_are_the_paper_s(name: str, millions: float) -> None:
    assert COSTS[f"imagenet-{name}"].n_parameter / 1e6 == pytest.approx(millions, abs=0.1)


def test_the_large_run_costs_what_its_authors_say() -> None:
    assert COSTS["imagenet-l"].v100_days == pytest.approx(PAPER_V100_DAYS, rel=0.05)
    assert COSTS["imagenet-s"].v100_days < COSTS["imagenet-m"].v100_days


def test_the_command_tells_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from kuaibao.cli.main import main

    with pytest.raises(SystemExit):
        main(["reproduce", "igpt", "--dry-run", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["paper_large_v100_days"], told["moco_v100_days"]) == (2500, 70)
    assert len(told["recipes"]) == 7
    with pytest.raises(SystemExit):
        main(["reproduce", "igpt", "--dry-run", "--gpus", "64", "--gpu-hour", "2"])
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert [lines["iGPT-L"][-3:], lines["MoCo"][-3:]] == [
        ["2500.0", "39.1", "120,000"], ["70.0", "1.1", "3,360"]
    ]  # fmt: skip
    assert float(lines["imagenet-l"][-3]) == pytest.approx(2500, rel=0.05)
    with pytest.raises(SystemExit):
        main(["reproduce", "igpt", "--recipes", str(tmp_path)])
    assert (tmp_path / "cifar-10.toml").is_file()
