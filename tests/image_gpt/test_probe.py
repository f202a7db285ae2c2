"""The probe is scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kuaibao.errors import InputError
from kuaibao.image_gpt.probe import accuracy_interval, few_labels, fit_probe


def test_weights_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    linear_model = pytest.importorskip("sklearn.linear_model")
    digits = datasets.load_digits()
    x = torch.tensor(digits.data[:600] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target[:600])
    for c in (0.1, 1.0):
        ours = fit_probe(x, y, c=c, standardize=False)
        theirs = linear_model.LogisticRegression(C=c, max_iter=5000, tol=1e-8).fit(
            x.numpy(), y.numpy()
        )
        probabilities = torch.softmax(ours.logits(x), 1).numpy()
        assert np.abs(probabilities - theirs.predict_proba(x.numpy())).max() < 2e-3
        assert ours.accuracy(x, y) == pytest.approx(theirs.score(x.numpy(), y.numpy()))


def test_constant_features_and_missing_classes() -> None:
    x = torch.cat([torch.zeros(20, 1), torch.arange(20.0)[:, None]], 1)
    y = (torch.arange(20) >= 10).long()
    probe = fit_probe(x, y, c=100.0, n_class=5)
    assert probe.logits(x).shape == (20, 5)
    assert probe.accuracy(x, y) == 1.0
    with pytest.raises(InputError):
        fit_probe(x, y[:3])
    with pytest.raises(InputError):
        fit_probe(x[:0], y[:0])


def test_few_labels_are_balanced_and_reproducible() -> None:
    labels = np.array([0] * 50 + [1] * 30 + [2] * 3)
    chosen = few_labels(labels, 4, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [4, 4, 3]
    assert (chosen == few_labels(labels, 4, seed=1)).all()
    assert not np.array_equal(chosen, few_labels(labels, 4, seed=2))


def test_intervals_hold_the_share() -> None:
    low, high = accuracy_interval(0.9, 100)
    assert 0.8 < low < 0.9 < high < 0.96
    assert accuracy_interval(1.0, 10)[1] == 1.0
