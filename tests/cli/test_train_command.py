"""kuaibao train: from text to a folder that kuaibao generate continues prompts with."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from kuaibao.cli.main import main

RECIPE = """
task = "gpt"
[model]
n_layer = 1
n_embd = 16
n_head = 2
[data]
corpus = ["text.txt"]
vocab_size = 280
sequence_length = 16
[optimizer]
learning_rate = 2e-2
warmup_steps = 2
[run]
steps = 30
batch_size = 4
evaluate_every = 15
checkpoint_every = 10
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "text.txt").write_text(
        "one two three four five six seven eight nine ten. " * 1500 + "\n"
    )
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path / "tiny.toml"


@pytest.fixture
def run(capfd):
    def command(*arguments, code=0):
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        told = capfd.readouterr()
        assert (ended.value.code or 0) == code, told
        return told.out if code == 0 else told.err

    return command


def test_a_recipe_becomes_a_model_that_generates(recipe, run):
    answer = json.loads(run("train", recipe, "--json"))
    assert answer["finished"]
    assert answer["step"] == 30
    assert answer["evaluation"]["bits_per_byte"] > 0
    folder = recipe.parent / "runs" / "tiny"
    assert answer["model"] == str(folder / "model")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert len(metrics["losses"]) == 30
    assert metrics["losses"][-1][1] == answer["loss"] < metrics["losses"][0][1] - 0.3
    assert (folder / "curve.png").read_bytes()[:4] == b"\x89PNG"
    page = (folder / "curve.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Held out" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page), "the page asks for other files"
    told = json.loads(run("generate", "-m", folder / "model", "-p", "one two", "--greedy",
                          "--max-tokens", 8, "--json"))  # fmt: skip
    assert len(told["choices"][0]["tokens"]) <= 8
    beams = json.loads(run("generate", "-m", folder / "model", "-p", "one", "--beams", 3,
                           "--max-tokens", 5, "--json"))  # fmt: skip
    assert beams["choices"][0]["score"] <= 0


def test_a_profile_and_a_dry_run_write_no_model(recipe, run):
    profile = json.loads(run("train", recipe, "--profile-samples", 10, "--json"))
    assert profile["profile"]["samples"] == 12
    assert not profile["finished"]
    needs = json.loads(run("train", recipe, "--dry-run", "--json"))
    n = needs["n_parameter"]
    assert needs["weights_bytes"] == needs["gradients_bytes"] == 4 * n
    assert 8 * n <= needs["optimizer_bytes"] < 8 * n + 1000
    # At least the logits of a batch: 4 rows of 16 positions over the vocabulary.
    assert needs["activations_bytes"] > 4 * 16 * 280 * 4
    assert needs["seconds"] > 0
    assert needs["n_measured"] == 4
    assert needs["gpus"] is None
    assert "MB" in run("train", recipe, "--dry-run")
    told = run("train", recipe, "--dry-run", "--gpus", 2, "--gpu-hour", 3)
    assert "2 GPUs at 40%" in told
    assert "GPU-hours, cost" in told
    assert not (recipe.parent / "runs" / "tiny" / "model").exists()


@pytest.mark.timeout(600)
def test_a_terminated_run_saves_and_goes_on(recipe, run):
    recipe.write_text(RECIPE.replace("steps = 30", "steps = 100000"))
    child = subprocess.Popen([sys.executable, "-m", "kuaibao", "train", str(recipe), "--json"],
                             stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip
    checkpoints = recipe.parent / "runs" / "tiny" / "checkpoints"
    deadline = time.monotonic() + 300
    while not list(checkpoints.glob("step-*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    stopped = json.loads(child.communicate(timeout=250)[0])
    assert not stopped["finished"]
    step = stopped["step"]
    assert (checkpoints / f"step-{step:07d}").is_dir()
    recipe.write_text(RECIPE.replace("steps = 30", f"steps = {step + 3}"))
    assert json.loads(run("train", recipe, "--resume", "--json"))["step"] == step + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("n_layer = 1", "n_lair = 1"), "n_layer"),
        (("steps = 30", "steps = -1"), "positive"),
        (("steps = 30", "steps = true"), "must be int"),
        (('task = "gpt"', 'task = "gtp"'), "Did you mean 'gpt'"),
        (("text.txt", "none.txt"), "does not exist"),
        (("vocab_size = 280", "vocab_size = 20"), "at least"),
        (("batch_size = 4", "batch_size = 4\naccumulate = 3"), "divide"),
        (("[run]", "[run"), "TOML"),
        (("n_head = 2", "n_head = 3"), "divide"),
        (("sequence_length = 16", "sequence_length = 99999"), "fewer than one window"),
    ],
)
def test_wrong_recipes_are_told_with_their_line(recipe, run, change, message):
    recipe.write_text(RECIPE.replace(*change))
    told = run("train", recipe, code=2)
    assert message in told
    assert "Traceback" not in told
