"""Probes by layer, votes of masked views, few labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tiny_pictures import small_model, write_classes

from kuaibao.errors import InputError
from kuaibao.image_gpt import features, fit_probe, plot_layers, prepare, probe_layers
from kuaibao.image_gpt.probing import modal_vote, probe_tables


@pytest.fixture
def packed(tmp_path: Path):
    write_classes(tmp_path / "set", n=40)
    palette = small_model().palette
    return prepare("set", tmp_path / "cache", size=4, grey=True, palette=palette, folder=tmp_path)


def test_each_layer_s_figure_is_that_of_a_probe_on_its_features(packed, tmp_path: Path) -> None:
    model = small_model()
    report = probe_layers(model, packed)
    x = {name: features(model, packed.parts[name].tokens) for name in ("train", "test")}
    for score in report.layers:
        probe = fit_probe(
            torch.from_numpy(x["train"][score.layer]), torch.from_numpy(packed.train.labels)
        )
        wanted = probe.accuracy(
            torch.from_numpy(x["test"][score.layer]), torch.from_numpy(packed.test.labels)
        )
        assert score.test == pytest.approx(wanted)
        assert score.low <= score.test <= score.high
    assert report.best.validation == max(s.validation for s in report.layers)
    plot_layers({"a": report, "b": report}, tmp_path / "plot.png", title="depth")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_few_labels_are_drawn_five_times(packed) -> None:
    report = probe_layers(small_model(), packed, layers=[1], labels_per_class=4)
    assert report.n_train == 8
    assert report.labels_per_class == 4
    again = probe_layers(small_model(), packed, layers=[1], labels_per_class=4)
    assert again == report


def test_masked_views_vote(packed) -> None:
    report = probe_layers(small_model(causal=False), packed, layers=[2], n_mask=3)
    assert report.n_mask == 3
    assert 0.4 < report.best.test <= 1.0


def test_the_modal_vote_wins_and_ties_fall_either_way() -> None:
    votes = torch.tensor([[0, 1, 2], [0, 2, 2], [1, 2, 0]])
    won = modal_vote(votes, 3, np.random.default_rng(0))
    assert won.tolist() == [0, 2, 2]
    split = torch.tensor([[0] * 400, [1] * 400])
    share = float((modal_vote(split, 3, np.random.default_rng(0)) == 0).double().mean())
    assert 0.4 < share < 0.6


def test_raw_pixels_go_through_the_same_probe(packed) -> None:
    tables = {n: p.tokens.astype(np.float32) for n, p in packed.parts.items()}
    labels = {n: p.labels for n, p in packed.parts.items()}
    assert probe_tables(tables, labels, n_class=2).test == 1.0


def test_pictures_without_classes_are_told(tmp_path: Path) -> None:
    write_classes(tmp_path / "made")
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, path in enumerate(sorted((tmp_path / "made").rglob("*.png"))):
        path.rename(flat / f"{i}.png")
    packed = prepare("flat", tmp_path / "cache", size=4, grey=True, n_color=8, folder=tmp_path)
    with pytest.raises(InputError, match="pictures with classes"):
        probe_layers(small_model(), packed)
