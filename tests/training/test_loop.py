"""A run is exact when resumed, whole when killed, and stops with words when it falls apart."""

import json
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from toy import ToyTask, toy_recipe

from kuaibao.training import (
    DivergenceError,
    TrainingStateError,
    learning_rate,
    sample_order,
    train,
)
from kuaibao.training.state import latest_checkpoint
from kuaibao.training.tensorboard import crc32c
from kuaibao.transformer import load_pretrained

# A process of its own that forks before it has threads: a fork of this one would inherit the locks
# of torch's threads, and to start Python anew for each kill takes longest of all.
DIES = """
import json, os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from toy import ToyTask, toy_recipe
from kuaibao.training import train

order = json.loads(sys.argv[2])
recipe = toy_recipe(Path(order["folder"]), optimizer=order["optimizer"], **order["run"])
for at in order["steps"]:
    def progress(step, steps, figures):
        if step >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if pid == 0:
        train(ToyTask(), recipe, resume=True, progress=progress)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
        sys.exit(f"not killed at step {at}: {status}")
"""
FILLS = """
import json, resource, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from toy import ToyTask, toy_recipe
from kuaibao.training import TrainingStateError, train

def progress(step, steps, figures):
    if step == 4:
        # From here on no file may grow beyond this: what a full disk does to a writer.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

try:
    train(ToyTask(), toy_recipe(Path(json.loads(sys.argv[2])["folder"]), evaluate_every=100), progress=progress)
except TrainingStateError as error:
    sys.exit(7 if "can't be written" in str(error) and "--resume" in error.hint else 8)
"""


def same(folder_a, folder_b):
    a, b = (load_pretrained(f / "run" / "model").state_dict() for f in (folder_a, folder_b))
    return all(torch.equal(a[name], b[name]) for name in a)


def in_a_process(code, **order):
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent), json.dumps(order)]
    return subprocess.run(arguments, timeout=500, check=False).returncode


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("run", "optimizer"),
    [({}, {}), ({"ema": 0.8, "accumulate": 2, "prefetch": True}, {"name": "adafactor"})],
    ids=["adamw", "adafactor"],
)  # fmt: skip
def test_a_run_killed_at_any_step_goes_on_bit_for_bit(tmp_path, run, optimizer):
    whole = train(ToyTask(), toy_recipe(tmp_path / "a", optimizer=optimizer, **run))
    recipe = toy_recipe(tmp_path / "b", optimizer=optimizer, **run)
    chance = random.Random()
    steps = [chance.randrange(1, 12) for _ in range(3)]
    order = {"folder": str(tmp_path / "b"), "optimizer": optimizer, "run": run}
    assert in_a_process(DIES, steps=steps, **order) == 0, steps
    again = train(ToyTask(), recipe, resume=True)
    assert again.state.losses == whole.state.losses
    assert again.state.evaluations == whole.state.evaluations
    assert again.state.n_unit == whole.state.n_unit
    assert same(tmp_path / "a", tmp_path / "b")


def test_a_stopped_run_saves_and_goes_on(tmp_path):
    whole = train(ToyTask(), toy_recipe(tmp_path / "a"))
    recipe, seen = toy_recipe(tmp_path / "b"), []
    stopped = train(
        ToyTask(), recipe, progress=lambda *s: seen.append(s), should_stop=lambda: len(seen) == 5
    )
    assert not stopped.is_finished
    assert stopped.state.step == 6
    assert latest_checkpoint(tmp_path / "b" / "run" / "checkpoints").name == "step-0000006"
    assert train(ToyTask(), recipe, resume=True).state.losses == whole.state.losses


def test_damaged_checkpoints_are_passed_over(tmp_path):
    whole = train(ToyTask(), toy_recipe(tmp_path, keep=3))
    checkpoints = tmp_path / "run" / "checkpoints"
    found = sorted(checkpoints.glob("step-*"))
    assert len(found) == 3
    (found[2] / "state.json").write_text("{")
    data = bytearray((found[1] / "state.safetensors").read_bytes())
    data[-3] ^= 1
    (found[1] / "state.safetensors").write_bytes(data)
    assert latest_checkpoint(checkpoints) == found[0]
    again = train(ToyTask(), toy_recipe(tmp_path, keep=3), resume=True)
    assert again.state.losses == whole.state.losses
    shutil.rmtree(checkpoints)
    assert train(ToyTask(), toy_recipe(tmp_path), resume=True).state.losses == whole.state.losses


@pytest.mark.timeout(600)
def test_a_full_disk_is_told_and_leaves_the_old_checkpoint(tmp_path):
    recipe = toy_recipe(tmp_path, evaluate_every=100)
    run = tmp_path / "run"
    assert in_a_process(FILLS, folder=str(tmp_path)) == 7
    assert [p.name for p in (run / "checkpoints").iterdir()] == ["step-0000004"]
    whole = train(ToyTask(), toy_recipe(tmp_path / "whole", evaluate_every=100))
    assert train(ToyTask(), recipe, resume=True).state.losses == whole.state.losses


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 500.0])
def test_divergence_stops_with_the_last_good_checkpoint(tmp_path, bad):
    calls = []

    def fault(loss, task):
        calls.append(1)
        return loss * bad if len(calls) > 62 else loss

    recipe = toy_recipe(tmp_path, steps=90, checkpoint_every=30, evaluate_every=1000)
    with pytest.raises(DivergenceError, match=r"step 63: the loss is .*\n.*step-0000060.*learning"):
        train(ToyTask(fault=fault), recipe)
    assert not (tmp_path / "run" / "checkpoints" / "step-0000090").exists()


def test_another_recipes_folder_is_refused(tmp_path):
    train(ToyTask(), toy_recipe(tmp_path))
    with pytest.raises(TrainingStateError, match=r"another recipe \(changed: seed\)"):
        train(ToyTask(), toy_recipe(tmp_path, seed=4), resume=True)
    longer = train(ToyTask(), toy_recipe(tmp_path, steps=15), resume=True)
    assert longer.state.step == 15


def test_parts_of_a_batch_give_the_same_losses(tmp_path):
    task = {"dropout": 0.0, "masks": False}
    one = train(ToyTask(**task), toy_recipe(tmp_path / "a"))
    four = train(ToyTask(**task), toy_recipe(tmp_path / "b", accumulate=4))
    recomputed = train(ToyTask(**task), toy_recipe(tmp_path / "c", recompute=True, prefetch=True))
    for other, tolerance in ((four, 1e-4), (recomputed, 1e-6)):
        assert [v for _, v in other.state.losses] == pytest.approx(
            [v for _, v in one.state.losses], abs=tolerance
        )


@pytest.mark.timeout(600)
def test_a_compiled_step_gives_the_same_losses(tmp_path):
    torch._dynamo.reset()
    task = {"dropout": 0.0, "masks": False}
    one = train(ToyTask(**task), toy_recipe(tmp_path / "a", steps=6))
    compiled = ToyTask(**task)
    other = train(compiled, toy_recipe(tmp_path / "b", steps=6, compile="eager"))
    assert compiled.model._compiled_call_impl is not None
    assert [v for _, v in other.state.losses] == pytest.approx(
        [v for _, v in one.state.losses], abs=1e-5
    )
    assert (tmp_path / "b" / "run" / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_near_full_precision(tmp_path, precision):
    task = {"dropout": 0.0, "masks": False}
    full = train(ToyTask(**task), toy_recipe(tmp_path / "a"))
    half = train(ToyTask(**task), toy_recipe(tmp_path / "b", precision=precision))
    assert half.state.losses != full.state.losses
    assert [v for _, v in half.state.losses] == pytest.approx(
        [v for _, v in full.state.losses], abs=0.05
    )
    model = load_pretrained(tmp_path / "b" / "run" / "model")
    assert model.tokens.weight.dtype == torch.float32


def test_averaged_weights_are_what_is_evaluated_and_saved(tmp_path):
    seen = []
    task = ToyTask()

    def progress(step, steps, figures):
        seen.append({k: v.clone() for k, v in task.model.state_dict().items()})

    start = {k: v.clone() for k, v in task.model.state_dict().items()}
    result = train(
        task, toy_recipe(tmp_path, ema=0.5, steps=3, evaluate_every=3), progress=progress
    )
    saved = load_pretrained(tmp_path / "run" / "model")
    for name, tensor in saved.state_dict().items():
        expected = start[name]
        for state in seen:
            expected = 0.5 * expected + 0.5 * state[name]
        assert torch.allclose(tensor, expected, atol=1e-6)
    with torch.no_grad():
        expected_loss = task.evaluate(saved)["loss"]
    assert result.state.evaluations[-1][1]["loss"] == pytest.approx(expected_loss)


def test_a_batch_is_overfitted_to_nothing(tmp_path):
    task = ToyTask(dropout=0.0, masks=False, n_sample=4)
    run = {"steps": 250, "batch_size": 4, "evaluate_every": 250, "checkpoint_every": 250}
    result = train(task, toy_recipe(tmp_path, optimizer={"learning_rate": 2e-2}, **run))
    assert result.state.losses[-1][1] < 0.01


def test_patience_ends_a_run_early(tmp_path):
    task = ToyTask()
    losses = iter([5.0, 4.0, 4.5, 4.4, 1.0])
    task.evaluate = lambda model: {"loss": next(losses)}
    result = train(task, toy_recipe(tmp_path, steps=50, evaluate_every=2, patience=2))
    assert result.is_finished
    assert (result.state.step, result.state.best_step) == (8, 4)


def test_a_profile_trains_its_samples_and_writes_nothing(tmp_path):
    result = train(ToyTask(), toy_recipe(tmp_path), profile_samples=20)
    profile = result.profile.to_json()
    assert profile["samples"] == 24
    assert set(profile["shares"]) == {"data", "transfer", "forward", "backward", "optimizer"}
    assert sum(profile["shares"].values()) == pytest.approx(1)
    assert profile["units_per_second"] > 0
    assert not (tmp_path / "run").exists()


def test_each_epoch_sees_every_sample_once_whatever_the_place():
    whole = sample_order(10, seed=5, start=0, n=35)
    for start in range(30):
        assert (sample_order(10, 5, start, 5) == whole[start : start + 5]).all()
    for epoch in range(3):
        assert sorted(whole[epoch * 10 : epoch * 10 + 10]) == list(range(10))
    assert (whole[:10] != whole[10:20]).any()


def test_schedules(tmp_path):
    def rates(**more):
        settings = toy_recipe(tmp_path, optimizer={"learning_rate": 1.0, "warmup_steps": 4} | more)
        return [learning_rate(settings.optimizer, step, 20) for step in range(20)]

    cosine = rates(min_learning_rate=0.1)
    assert cosine[:4] == [0.25, 0.5, 0.75, 1.0]
    assert cosine[4] == 1.0
    assert cosine[-1] == pytest.approx(0.1, abs=0.02)
    assert cosine[12] == pytest.approx(0.55)
    root = rates(schedule="inverse_sqrt")
    assert root[15] == pytest.approx(0.5)
    assert rates(schedule="constant")[4:] == [1.0] * 16


def test_curves_are_written_for_tensorboard(tmp_path):
    result = train(ToyTask(), toy_recipe(tmp_path))
    (file,) = (tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*")
    data, place, records = file.read_bytes(), 0, []
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        for start, size in ((place, 8), (place + 12, length)):
            value = crc32c(data[start : start + size])
            masked = (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack_from("<I", data, start + size) == (masked,)
        records.append(data[place + 12 : place + 12 + length])
        place += length + 16
    assert b"brain.Event:2" in records[0]
    _, loss = result.state.losses[0]
    assert b"\x0a\x04loss\x15" + struct.pack("<f", loss) in records[1]
    assert len(records) == 1 + 12 + 3
    assert crc32c(b"123456789") == 0xE3069283
