"""Settings of a loader tried in turn."""

import json

import pytest
from typer.testing import CliRunner

from kuaibao.cli.doctor import app
from kuaibao.doctor.errors import DoctorError
from kuaibao.doctor.measured import LoaderFacts, Observation, StepRecord
from kuaibao.doctor.run import Examination
from kuaibao.doctor.sweep import LoaderSettings, sweep_loader
from kuaibao.doctor.timeline import REGIONS

pytestmark = pytest.mark.timeout(600)


class FakeCommand:
    """A command whose step takes what its loader's settings make of it; no process is started."""

    def __init__(self, step_s, batch_bytes=10**6):
        self.step_s = step_s
        self.batch_bytes = batch_bytes
        self.asked = []

    def __call__(self, command, *, overrides, **options):
        self.asked.append(overrides)
        seconds = self.step_s(overrides)
        regions = dict.fromkeys(REGIONS, 0.0)
        steps = [
            StepRecord(
                "real",
                0,
                seconds,
                regions,
                regions,
                n_samples=8,
                start=i * seconds,
                samples_before=8 * i,
            )
            for i in range(9 if seconds else 0)
        ]
        return Examination(
            Observation(steps=steps, loader=LoaderFacts(batch_bytes=self.batch_bytes)), 0
        )


def by_workers(overrides):
    seconds = {0: 0.08, 1: 0.06, 2: 0.03, 4: 0.04}[overrides["num_workers"]]
    lives = overrides.get("persistent_workers", True)
    return seconds if lives else seconds * 1.5


def test_the_fastest_setting_comes_first_and_zero_is_always_among_them():
    rows = sweep_loader([], workers=[1, 2, 4], prefetch=[2], observe=FakeCommand(by_workers))
    assert rows[0].settings == LoaderSettings(2, 2, persistent=True)
    assert rows[0].samples_per_s == pytest.approx(8 / 0.03)
    assert {row.settings.n_workers for row in rows} == {0, 1, 2, 4}


def test_the_best_is_tried_again_with_workers_that_end_with_the_epoch():
    rows = sweep_loader([], workers=[2], prefetch=[2, 4], observe=FakeCommand(by_workers))
    ended = [row for row in rows if row.settings.n_workers == 2 and not row.settings.persistent]
    assert len(ended) == 1
    assert ended[0].samples_per_s == pytest.approx(8 / 0.045)


def test_a_setting_over_the_budget_is_never_run():
    command = FakeCommand(by_workers, batch_bytes=100_000_000)
    rows = sweep_loader([], workers=[1, 4], prefetch=[2], budget_bytes=10**9, observe=command)
    assert {asked["num_workers"] for asked in command.asked} == {0, 1}
    over = next(row for row in rows if row.settings.n_workers == 4)
    assert over.why == "over the budget"
    assert over.forecast["queued_bytes"] == 900_000_000
    assert over.samples_per_s == 0


def test_settings_are_run_in_turn_so_that_drift_slows_all():
    command = FakeCommand(by_workers)
    sweep_loader([], workers=[1, 2], prefetch=[2], rounds=2, observe=command)
    order = [asked["num_workers"] for asked in command.asked]
    assert order[:7] == [0, 0, 1, 2, 2, 1, 0]


def test_a_command_without_steps_is_told():
    with pytest.raises(DoctorError, match="too few steps"):
        sweep_loader([], workers=[1], prefetch=[2], observe=FakeCommand(lambda overrides: 0.0))


SCRIPT = """
import torch
from torch.utils.data import DataLoader, TensorDataset
if __name__ == "__main__":
    loader = DataLoader(TensorDataset(torch.zeros(64, 4)), 8, True, num_workers=3, timeout=60)
    for epoch in range(9):
        for (x,) in loader:
            x.sum()
"""


@pytest.mark.slow
def test_the_command_runs_an_unmodified_script_under_each_setting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    options = ["--workers", "1", "--rounds", "1", "--samples", "96", "--json"]
    result = CliRunner().invoke(app, ["sweep", *options, "--", "python", "train.py"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout.strip().splitlines()[-1])
    assert {row["n_workers"] for row in rows} == {0, 1}
    assert all(row["samples_per_s"] > 0 for row in rows)
