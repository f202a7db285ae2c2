"""Loss against compute: the fit finds a planted law, runs go on, the report says what is left."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kuaibao.cli.main import main
from kuaibao.errors import InputError
from kuaibao.gpt.scaling import (
    PETAFLOP_DAY,
    Point,
    ScalingPlan,
    fit_power_law,
    frontier,
    run_scaling,
    write_scaling_report,
)
from kuaibao.training import TrainingStateError

TEXT = "one two three four five six seven eight nine ten. " * 200


def point(flop, loss, size="S", is_last=False):
    return Point(size, 1000, 1, flop, loss, 1.0, is_last)


@pytest.fixture
def plan(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(TEXT)
    return ScalingPlan(
        corpus=(str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), str(tmp_path / "c.txt")),
        sizes=("S", "M"), steps=4, batch_size=2, sequence_length=16, vocab_size=280, n_evaluation=4,
    )  # fmt: skip


def test_the_fit_finds_the_law_that_was_planted():
    flops = np.geomspace(1e10, 1e15, 9)
    planted = [point(float(f), 3.0 * (f / PETAFLOP_DAY) ** -0.07) for f in flops]
    beaten = [point(float(f) * 1.1, 99.0, "M") for f in flops]
    best = frontier([*beaten, *planted])
    assert best == planted
    fit = fit_power_law(best)
    assert fit.coefficient == pytest.approx(3.0)
    assert fit.exponent == pytest.approx(0.07)
    assert fit.r_squared == pytest.approx(1.0)
    assert fit_power_law(planted[:2]) is None


def test_a_study_that_ran_out_of_time_goes_on_to_the_same_points(plan, tmp_path):
    points, left = run_scaling(plan, tmp_path / "whole")
    assert not left
    assert [(p.size, p.is_last) for p in points] == [
        (size, step == 3) for size in ("S", "M") for step in range(4)
    ]
    assert points[0].flop == 6.0 * points[0].n_parameter * 32
    some, left = run_scaling(plan, tmp_path / "pieces", budget_s=1e-9)
    assert left == ["S", "M"]
    assert len(some) == 2  # one step each before the clock is looked at
    for _ in range(5):
        again, left = run_scaling(plan, tmp_path / "pieces", budget_s=1e-9)
        if not left:
            break
    assert again == points
    with pytest.raises(TrainingStateError, match="another recipe"):
        run_scaling(replace(plan, learning_rate=1.0), tmp_path / "whole")
    with pytest.raises(InputError, match="no size 'XXL'"):
        run_scaling(replace(plan, sizes=("XXL",)), tmp_path / "whole")


def test_the_report_has_a_table_a_plot_and_what_is_left(plan, tmp_path):
    points = [point(1e12 * 2**i, 5.0 / (i + 1), "S", i == 3) for i in range(4)]
    page = write_scaling_report(points, ["M"], plan, tmp_path / "report")
    text = page.read_text()
    assert "| S | 2 x 96 | 1,000 |" in text
    assert "Not finished: M" in text
    assert (tmp_path / "report" / "scaling.png").read_bytes()[:4] == b"\x89PNG"
    found = json.loads((tmp_path / "report" / "scaling.json").read_text())
    assert found["left"] == ["M"]
    assert found["fit"]["exponent"] > 0


def test_the_command_writes_the_page(plan, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", "gpt", "-o", str(tmp_path / "out"), "--corpus", plan.corpus[0],
              "--sizes", "S", "--steps", "4", "--vocabulary", "280", "--json"])  # fmt: skip
    told = capfd.readouterr()
    assert not ended.value.code, told.err
    answer = json.loads(told.out)
    assert [p["is_last"] for p in answer["points"]] == [False, False, False, True]
    assert (tmp_path / "out" / "scaling.md").is_file()
