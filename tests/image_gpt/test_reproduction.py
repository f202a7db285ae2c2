"""The studies: cut and gone on with, each step once, a page with every table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kuaibao.errors import InputError
from kuaibao.image_gpt import Palette
from kuaibao.image_gpt.packing import PackedPart, PackedPictures
from kuaibao.image_gpt.reproduction import (
    STUDIES,
    Budget,
    plan_studies,
    planning,
    run_study,
    studies,
    write_report,
)
from kuaibao.image_gpt.reproduction.baselines import (
    pixel_tables,
    principal_components,
    train_cnn,
)
from kuaibao.image_gpt.reproduction.runs import OutOfBudgetError

SMALL = replace(
    STUDIES["digits"], n_layer=2, n_embd=16, n_head=2, steps=20, tune_steps=10, low_labels=(4,),
    tune_labels=4,
)  # fmt: skip


def test_a_cut_study_goes_on_and_its_page_holds_all_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "N_PROBE", 200)
    monkeypatch.setattr(studies, "N_PIECE", 4)
    pytest.importorskip("sklearn")
    found: dict[str, object] = {}
    with pytest.raises(OutOfBudgetError, match="used up"):
        run_study(SMALL, 0, tmp_path / "runs", Budget(1e-9), found=found)
    assert list(found) == ["study", "seed"]
    whole = run_study(SMALL, 0, tmp_path / "runs", Budget())
    assert {"probes", "baselines", "low", "snapshots", "bert-probes", "tuned"} <= set(whole)
    again = run_study(SMALL, 0, tmp_path / "runs", Budget(1e-9))
    assert json.loads(json.dumps(again)) == json.loads(json.dumps(whole))
    page = write_report([again], tmp_path / "docs")
    text = page.read_text()
    for said in ("raw pixels", "PCA", "random network", "small CNN", "BERT, mean, 5 masks",
                 "from scratch", "joint loss", "few labels a class", "nats →"):  # fmt: skip
        assert said in text
    for name in ("depth", "loss"):
        plot = tmp_path / "docs" / "figures" / f"igpt-digits-{name}.png"
        assert plot.read_bytes()[:4] == b"\x89PNG"
    low = whole["low"]["4"]["raw pixels"]
    assert low["low"] <= low["test"] <= low["high"]


def test_no_piece_is_begun_that_would_not_fit() -> None:
    budget = Budget(60)
    budget.check("training")
    budget.note("training", 70)
    budget.check("probes")
    with pytest.raises(OutOfBudgetError, match="goes on"):
        budget.check("training")


def test_studies_are_cut_to_the_time_by_the_measured_speed_and_the_plan_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "training_rate", lambda study: 1e4)
    whole = plan_studies(["digits"], 2, 1e6, tmp_path / "a")
    assert whole == {"digits": STUDIES["digits"]}
    cut = plan_studies(["digits", "mnist"], 2, 10, tmp_path / "b")
    shares = {name: cut[name].steps / STUDIES[name].steps for name in cut}
    assert shares["digits"] == pytest.approx(shares["mnist"], rel=0.02)
    assert 0 < shares["digits"] < 0.5
    # A machine that is slower later goes on with the same steps.
    monkeypatch.setattr(planning, "training_rate", lambda study: 1.0)
    assert plan_studies(["digits", "mnist"], 2, 10, tmp_path / "b") == cut
    (tmp_path / "b" / "plan.json").write_text("[]")
    with pytest.raises(InputError, match="holds no plan"):
        plan_studies(["digits", "mnist"], 2, 10, tmp_path / "b")


def test_the_speed_is_measured() -> None:
    assert planning.training_rate(SMALL, n_step=1) > 0


def _packed() -> PackedPictures:
    """Two classes: bright above or below."""
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, 3, (120, 8, 8))
    labels = np.arange(120) % 2
    tokens[labels == 0, :4] += 5
    tokens[labels == 1, 4:] += 5
    flat = tokens.reshape(120, -1).astype(np.uint8)
    cut = {"train": slice(0, 80), "validation": slice(80, 100), "test": slice(100, 120)}
    parts = {name: PackedPart(flat[s], labels[s]) for name, s in cut.items()}
    return PackedPictures(8, Palette.grey(8), ("above", "below"), parts)


def test_the_supervised_network_learns_and_minds_its_time() -> None:
    packed = _packed()
    told = train_cnn(packed, np.arange(80), seconds=60, seed=0, max_epoch=6, width=8)
    assert told["accuracy"] == 1.0
    assert train_cnn(packed, np.arange(80), seconds=0, seed=0)["epochs"] == 0


def test_principal_components_keep_distances_when_all_are_kept() -> None:
    tables = pixel_tables(_packed())
    reduced = principal_components(tables, 64)
    before = np.linalg.norm(tables["test"][0] - tables["test"][1])
    after = np.linalg.norm(reduced["test"][0] - reduced["test"][1])
    assert after == pytest.approx(before, rel=1e-4)
