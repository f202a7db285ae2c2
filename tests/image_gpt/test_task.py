"""Training by recipe: both objectives, resumed runs, fine-tuning; and what a wrong recipe says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import write_classes

from kuaibao.image_gpt import load_image_gpt
from kuaibao.image_gpt.task import make_task
from kuaibao.training import RecipeError, find_task, parse_recipe, train

RECIPE = """
task = "image-gpt"
out = "run"
[data]
pictures = "set"
size = 6
grey = true
n_color = 8
{data}
[model]
n_layer = 2
n_embd = 32
n_head = 2
[optimizer]
learning_rate = 0.005
warmup_steps = 5
[run]
steps = {steps}
batch_size = 8
evaluate_every = 20
checkpoint_every = 20
{run}
"""


def _train(folder: Path, *, data: str = "", run: str = "", steps: int = 40, **how: Any) -> Any:
    recipe = parse_recipe(RECIPE.format(data=data, run=run, steps=steps), folder=folder)
    return train(find_task(recipe), recipe, **how)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_classes(tmp_path / "set", n=30)
    return tmp_path


@pytest.mark.parametrize("objective", ["autoregressive", "bert"])
def test_both_objectives_learn(pictures: Path, objective: str) -> None:
    result = _train(pictures, data=f'objective = "{objective}"', steps=60)
    losses = [value for _, value in result.state.losses]
    assert losses[0] == pytest.approx(np.log(8), abs=0.01)  # the head starts at zero
    assert np.mean(losses[-5:]) < 0.75 * losses[0]
    model = load_image_gpt(result.model_folder)
    assert model.decoder.config.causal == (objective == "autoregressive")
    assert model.size == 6
    assert ("bits_per_dimension" in result.state.evaluations[-1][1]) == (
        objective == "autoregressive"
    )


@pytest.mark.parametrize("data", ['objective = "bert"', "augment = true\naugment_pad = 1"])
def test_a_run_that_was_cut_goes_on_bit_for_bit(pictures: Path, data: str) -> None:
    whole = _train(pictures, data=data, steps=40)
    torch.manual_seed(99)
    wanted = load_image_gpt(whole.model_folder).decoder.state_dict()
    import shutil

    shutil.rmtree(pictures / "run" / "checkpoints" / "step-0000040")
    again = _train(pictures, data=data, steps=40, resume=True)
    assert again.state.losses == whole.state.losses
    for name, tensor in load_image_gpt(again.model_folder).decoder.state_dict().items():
        assert torch.equal(tensor, wanted[name])


@pytest.mark.parametrize("labels", ["joint", "class"])
def test_fine_tuning_learns_the_classes(pictures: Path, labels: str) -> None:
    _train(pictures)
    tuned = _train(
        pictures, data=f'labels = "{labels}"', steps=60,
        run='initial_model = "run/model"', 
    )  # fmt: skip
    figures = tuned.state.evaluations[-1][1]
    assert figures["accuracy"] == 1.0
    model = load_image_gpt(tuned.model_folder)
    assert model.classes == ("above", "below")
    assert model.classifier is not None


def test_few_labels_train_on_those_alone(pictures: Path) -> None:
    text = RECIPE.format(data='labels = "class"\nlabels_per_class = 3', run="", steps=1)
    task = make_task(parse_recipe(text, folder=pictures))
    assert task.n_sample == 6
    batch = task.batch(np.arange(6), np.random.default_rng(0))
    assert sorted(batch["labels"].tolist()) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('objektive = "bert"', "objective"),
        ('objective = "berd"', "not one of the known"),
        ("mask_share = 1.5", "mask_share is out of range"),
        ("n_evaluate = true", "must be int"),
        ('labels = "all"', "known values"),
    ],
)
def test_a_wrong_table_is_told(pictures: Path, data: str, said: str) -> None:
    with pytest.raises(RecipeError) as told:
        make_task(parse_recipe(RECIPE.format(data=data, run="", steps=1), folder=pictures))
    assert said in str(told.value)


def test_other_models_and_sizes_are_told(pictures: Path) -> None:
    text = RECIPE.format(data="", run="", steps=1)
    with pytest.raises(RecipeError, match="no image GPT"):
        make_task(parse_recipe(text.replace("n_layer", 'name = "gpt2"\nn_layer'), folder=pictures))
    with pytest.raises(RecipeError, match=r"model\.n_lauer"):
        make_task(parse_recipe(text.replace("n_layer", "n_lauer"), folder=pictures))
    _train(pictures, steps=20)
    changed = text.replace("n_color = 8", 'n_color = 8\nobjective = "bert"')
    changed = changed.replace("[run]", '[run]\ninitial_model = "run/model"')
    with pytest.raises(RecipeError, match="the other one"):
        make_task(parse_recipe(changed, folder=pictures))


def test_training_goes_on_with_larger_pictures(pictures: Path) -> None:
    small = _train(pictures, steps=60)
    text = RECIPE.format(data="", run='initial_model = "run/model"', steps=20)
    text = text.replace("size = 6", "size = 12")
    first, last = small.state.losses[0][1], small.state.losses[-1][1]
    task = make_task(parse_recipe(text.replace('"run"', '"larger"'), folder=pictures))
    assert task.model.config.n_positions == 144
    # What was learned of small pictures holds for large ones: nearer the end than the beginning.
    with torch.no_grad():
        loss = task.evaluate(task.model.eval())["loss"]
    assert loss < (first + last) / 2


def test_the_command_trains_probes_and_completes(
    pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kuaibao.cli.main import main

    monkeypatch.setenv("KUAIBAO_CACHE", str(pictures / "cache"))
    recipe = pictures / "image-gpt.toml"
    recipe.write_text(RECIPE.format(data="", run="", steps=40))
    _run(main, ["train", str(recipe), "--json"])
    trained = json.loads(capsys.readouterr().out)
    assert trained["finished"]
    model = trained["model"]
    _run(main, ["probe", "--model", model, "--data", str(pictures / "set"), "--json",
                "--plot", str(pictures / "depth.png")])  # fmt: skip
    probed = json.loads(capsys.readouterr().out)
    assert probed["accuracy"] > 0.8
    assert [s["layer"] for s in probed["layers"]] == [0, 1, 2]
    assert probed["best_layer"] in (0, 1, 2)
    assert (pictures / "depth.png").read_bytes()[:4] == b"\x89PNG"
    picture = next((pictures / "set" / "above").glob("*.png"))
    sheet = pictures / "SHEET.png"
    _run(main, ["complete", str(picture), "--model", model, "-n", "3", "-o", str(sheet),
                "-t", "0.5", "-t", "1", "--json"])  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told["n_given"] == 18
    assert [len(row) for row in told["bits_per_dimension"]] == [3, 3]
    _run(main, ["complete", "--model", model, "-o", str(sheet), "--json"])
    assert json.loads(capsys.readouterr().out)["n_given"] == 0


def _run(main: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code in (0, None)
