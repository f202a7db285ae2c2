"""Linear probe: multinomial logistic regression by L-BFGS on frozen features (iGPT, section 3.3).

The objective is scikit-learn's, Σ cross-entropy + |W|² / (2 C), on standardised features, so that
figures compare; a test holds both equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.errors import InputError

__all__ = ["LinearProbe", "accuracy_interval", "few_labels", "fit_probe"]


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A fitted probe; it standardises features by the training set's mean and spread."""

    weight: Tensor
    """(class, feature)."""
    bias: Tensor
    """(class)."""
    mean: Tensor
    scale: Tensor
    classes: tuple[str, ...] = ()

    def logits(self, features: Tensor) -> Tensor:
        """Scores (batch, class) of features (batch, feature)."""
        return (features - self.mean) / self.scale @ self.weight.T + self.bias

    def predict(self, features: Tensor) -> Tensor:
        """The likeliest class of each, (batch)."""
        return self.logits(features).argmax(1)

    def accuracy(self, features: Tensor, labels: Tensor) -> float:
        """Share of right answers."""
        return float((self.predict(features) == labels).double().mean())


def fit_probe(
    features: Tensor,
    labels: Tensor,
    *,
    c: float = 1.0,
    n_class: int | None = None,
    max_iteration: int = 500,
    standardize: bool = True,
    classes: Sequence[str] = (),
) -> LinearProbe:
    """Fit a probe.

    Args:
        features: (batch, feature), on the CPU or a GPU.
        labels: (batch), from 0.
        c: Inverse strength of the penalty on the weights (the bias is free).
        n_class: If not every class stands among the labels.
        max_iteration: Of L-BFGS.
        standardize: Whether features get mean 0 and spread 1 first.
        classes: Names.

    Raises:
        InputError: No examples, or shapes that don't fit.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or len(features) == 0:
        raise InputError(
            f"features (n, d) and labels (n) wanted, got {tuple(features.shape)} and "
            f"{tuple(labels.shape)}"
        )
    data = features.double()
    mean = data.mean(0) if standardize else torch.zeros_like(data[0])
    scale = data.std(0, correction=0) if standardize else torch.ones_like(data[0])
    scale = torch.where(scale > 1e-8, scale, torch.ones_like(scale))
    data = (data - mean) / scale
    k = n_class or int(labels.max()) + 1
    weight = torch.zeros(k, data.shape[1], dtype=torch.float64, device=data.device)
    bias = torch.zeros(k, dtype=torch.float64, device=data.device)
    parameters = [weight.requires_grad_(), bias.requires_grad_()]
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=max_iteration, history_size=10, line_search_fn="strong_wolfe",
        tolerance_grad=1e-6, tolerance_change=1e-11,
    )  # fmt: skip

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = data @ weight.T + bias
        # Divided by the number of examples: the minimum is the same, and so is the tolerance.
        loss = torch.nn.functional.cross_entropy(logits, labels)
        total = loss + weight.square().sum() / (2 * c * len(labels))
        total.backward()
        return total

    optimizer.step(closure)
    return LinearProbe(
        weight.detach().float(), bias.detach().float(), mean.float(), scale.float(), tuple(classes)
    )


def few_labels(labels: NDArray[np.int64], per_class: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Indices of at most `per_class` examples of each class, drawn by a seed."""
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(labels == k))[:per_class] for k in np.unique(labels)
    ]
    return np.sort(np.concatenate(chosen))


def accuracy_interval(accuracy: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of `n` trials."""
    z = 1.96
    center = (accuracy + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (accuracy * (1 - accuracy) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, min(accuracy, center - half)), min(1.0, max(accuracy, center + half))
