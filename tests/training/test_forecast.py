"""A run's needs, counted before it begins."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from toy import ToyTask, toy_recipe

from kuaibao.training import Devices, RecipeError, Trainer, World, forecast


@pytest.mark.parametrize("name", ["adamw", "adafactor"])
def test_the_optimizers_state_is_counted_as_it_becomes(tmp_path, name):
    recipe = toy_recipe(tmp_path, optimizer={"name": name})
    task = ToyTask()
    with World.join() as world:
        trainer = Trainer(task, recipe, world)
        trainer.step(0)
        tensors = [t for state in trainer.optimizer.state.values() for t in state.values()]
    held = sum(t.numel() * t.element_size() for t in tensors)
    counters = sum(t.numel() * t.element_size() for t in tensors if t.dim() == 0)
    assert forecast(ToyTask(), recipe).optimizer_bytes == held - counters


def test_operations_are_six_a_weight_and_token_and_those_of_attention(tmp_path):
    task = ToyTask(dropout=0.0)
    found = forecast(task, toy_recipe(tmp_path))
    n_matrix = sum(p.numel() for n, p in task.model.named_parameters() if p.dim() >= 2)
    n_matrix -= 16 * 16  # positions are added, not multiplied
    n_token = 8 * 12
    assert found.flops_per_step >= 6 * n_matrix * n_token
    assert found.flops_per_step < 1.3 * 6 * n_matrix * n_token


def test_a_batch_too_large_for_the_machine_is_reckoned_from_a_part(tmp_path, monkeypatch):
    recipe = toy_recipe(tmp_path, batch_size=32)
    whole = forecast(ToyTask(), recipe)
    assert whole.n_measured == 32
    small = SimpleNamespace(available=whole.state_bytes + whole.activations_bytes // 2)
    monkeypatch.setattr("psutil.virtual_memory", lambda: small)
    part = forecast(ToyTask(), recipe)
    assert part.n_measured < 32
    assert part.activations_bytes == pytest.approx(whole.activations_bytes, rel=0.02)
    assert part.flops_per_step == pytest.approx(whole.flops_per_step, rel=0.01)


def test_accumulated_parts_need_less_memory_and_as_much_work(tmp_path):
    whole = forecast(ToyTask(), toy_recipe(tmp_path))
    parts = forecast(ToyTask(), toy_recipe(tmp_path, accumulate=2))
    assert parts.activations_bytes < 0.6 * whole.activations_bytes
    assert parts.flops_per_step == whole.flops_per_step


def test_a_model_that_does_not_fit_is_refused_before_it_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(RecipeError, match="GB are free"):
        forecast(ToyTask(), toy_recipe(tmp_path))


def test_fsdp_spreads_the_state_and_ddp_copies_it(tmp_path):
    spread = toy_recipe(tmp_path, parallel="fsdp")
    found = forecast(ToyTask(), spread)
    devices = Devices(n=4, peak_flops=1e6, utilisation=0.5, price=2.0)
    one, copied = found.on(devices, spread), found.on(devices, toy_recipe(tmp_path))
    assert one["device_bytes"] == found.total_bytes / 4
    assert copied["device_bytes"] == found.state_bytes + found.activations_bytes / 4
    assert one["device_hours"] == pytest.approx(found.flops_per_step * 12 / 0.5e6 / 3600)
    assert one["cost"] == pytest.approx(2 * one["device_hours"])
