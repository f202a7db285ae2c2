"""What a model's layers know: a linear probe on each, the best layer chosen on held-out data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kuaibao.errors import InputError
from kuaibao.files import atomic_path
from kuaibao.image_gpt.features import Pool, features
from kuaibao.image_gpt.model import ImageGPT
from kuaibao.image_gpt.packing import PackedPart, PackedPictures
from kuaibao.image_gpt.probe import LinearProbe, accuracy_interval, few_labels, fit_probe

__all__ = ["LayerScore", "ProbeReport", "modal_vote", "plot_layers", "probe_layers", "probe_tables"]

N_SUBSET = 5
"""Draws of a few labels, as in the paper (section 4.5)."""
_BERT_MASKED = 0.15


@dataclass(frozen=True)
class LayerScore:
    """One layer's accuracy."""

    layer: int
    validation: float
    test: float
    low: float
    """Of the 95 % interval of the test accuracy: Wilson's, or over subsets of labels."""
    high: float


@dataclass(frozen=True)
class ProbeReport:
    """A model's probes on one set of pictures."""

    layers: tuple[LayerScore, ...]
    n_train: int
    n_test: int
    classes: tuple[str, ...]
    pool: str
    labels_per_class: int
    n_mask: int

    @property
    def best(self) -> LayerScore:
        """The layer with the highest validation accuracy; the test part has no say."""
        return max(self.layers, key=lambda s: s.validation)

    def to_json(self) -> dict[str, Any]:
        """All of it, and the best layer's figures on top."""
        best = self.best
        return {"best_layer": best.layer, "accuracy": best.test,
                "interval": [best.low, best.high], **asdict(self)}  # fmt: skip


def probe_layers(
    model: ImageGPT, packed: PackedPictures, *, layers: Sequence[int] | None = None,
    pool: Pool = "mean", c: float = 1.0, labels_per_class: int = 0, n_mask: int = 0,
    n_train: int = 0, seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ProbeReport:  # fmt: skip
    """Probe a model's layers on a set of pictures.

    Args:
        model: With the palette that the pictures were packed with.
        packed: Pictures with classes.
        layers: All if not given.
        pool: How positions become one feature.
        c: Inverse strength of the penalty.
        labels_per_class: Fit on so many of each class, five draws; 0 for all.
        n_mask: For BERT: so many masked views of each test picture vote (iGPT, section 4.3).
        n_train: Training pictures at most; 0 for all.
        seed: Of draws.
        progress: Told how many parts are done.

    Raises:
        InputError: The pictures have no classes.
    """
    train = _labelled(packed.train, n_train)
    others = {name: _labelled(packed.parts[name], 0) for name in ("validation", "test")}
    share = _BERT_MASKED if n_mask else 0.0
    n_pass = 1 + 2 * max(1, n_mask)

    def extract(tokens: NDArray[Any], number: int) -> dict[int, NDArray[np.float32]]:
        found = features(
            model, tokens, layers=layers, pool=pool, mask_share=share, seed=seed + number
        )
        progress(number + 1, n_pass)
        return found

    fitted_on = extract(train[0], 0)
    views: dict[str, list[dict[int, NDArray[np.float32]]]] = {}
    for i, (name, (tokens, _)) in enumerate(others.items()):
        first = 1 + i * max(1, n_mask)
        views[name] = [extract(tokens, first + k) for k in range(max(1, n_mask))]
    scores = [
        _score(
            layer, x, train[1],
            {name: ([v[layer] for v in views[name]], others[name][1]) for name in others},
            c, len(packed.classes), labels_per_class, seed,
        )
        for layer, x in fitted_on.items()
    ]  # fmt: skip
    n_used = len(train[1])
    if labels_per_class:
        n_used = len(few_labels(train[1], labels_per_class, seed=seed))
    return ProbeReport(
        tuple(scores),
        n_used,
        len(others["test"][1]),
        packed.classes,
        pool,
        labels_per_class,
        n_mask,
    )


def probe_tables(
    tables: dict[str, NDArray[np.float32]], labels: dict[str, NDArray[np.int64]], *, n_class: int,
    c: float = 1.0, labels_per_class: int = 0, seed: int = 0,
) -> LayerScore:  # fmt: skip
    """The same probe on any features: tables of `train`, `validation` and `test`."""
    others = {name: ([tables[name]], labels[name]) for name in ("validation", "test")}
    return _score(0, tables["train"], labels["train"], others, c, n_class, labels_per_class, seed)


def _labelled(part: PackedPart, limit: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    chosen = np.flatnonzero(part.labels >= 0)
    if len(chosen) == 0:
        raise InputError("a probe needs pictures with classes", hint="Sub-folders are classes.")
    chosen = chosen[:: max(1, -(-len(chosen) // limit))] if limit else chosen
    return part.tokens[chosen], part.labels[chosen]


def _score(
    layer: int, x: NDArray[np.float32], y: NDArray[np.int64],
    others: dict[str, tuple[list[NDArray[np.float32]], NDArray[np.int64]]],
    c: float, n_class: int, labels_per_class: int, seed: int,
) -> LayerScore:  # fmt: skip
    """Fit on all labels, or on several draws of a few."""
    draws = [np.arange(len(y))]
    if labels_per_class:
        draws = [few_labels(y, labels_per_class, seed=seed + i) for i in range(N_SUBSET)]
    found: dict[str, list[float]] = {"validation": [], "test": []}
    for draw in draws:
        probe = fit_probe(
            torch.from_numpy(x[draw]), torch.from_numpy(y[draw]), c=c, n_class=n_class
        )
        for name, (views, labels) in others.items():
            votes = _vote(probe, views, seed)
            found[name].append(float((votes == torch.from_numpy(labels)).double().mean()))
    test = mean(found["test"])
    low, high = accuracy_interval(test, len(others["test"][1]))
    if len(draws) > 1:
        half = 2.776 * stdev(found["test"]) / len(draws) ** 0.5  # Student's t, 4 degrees
        low, high = max(0.0, test - half), min(1.0, test + half)
    return LayerScore(layer, mean(found["validation"]), test, low, high)


def _vote(probe: LinearProbe, views: list[NDArray[np.float32]], seed: int) -> Tensor:
    votes = torch.stack([probe.predict(torch.from_numpy(np.ascontiguousarray(v))) for v in views])
    return modal_vote(votes, len(probe.weight), np.random.default_rng(seed))


def modal_vote(votes: Tensor, n_class: int, generator: np.random.Generator) -> Tensor:
    """The class most views vote for, ties at random: (view, picture) → (picture)."""
    if len(votes) == 1:
        return votes[0]
    counts = torch.nn.functional.one_hot(votes, n_class).sum(0).double()
    jitter = torch.from_numpy(generator.random(tuple(counts.shape)))
    return (counts + 0.5 * jitter).argmax(1)


def plot_layers(reports: dict[str, ProbeReport], path: Path, *, title: str = "") -> None:
    """Test accuracy over depth with its interval, one line a report, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, report in reports.items():
        x = [s.layer for s in report.layers]
        (line,) = axes.plot(x, [100 * s.test for s in report.layers], "o-", label=name)
        low, high = [100 * s.low for s in report.layers], [100 * s.high for s in report.layers]
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xlabel("layer (0: input, last: output)")
    axes.set_ylabel("linear probe, test accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title)
    if len(reports) > 1:
        axes.legend()
    with atomic_path(path) as part:
        FigureCanvasAgg(figure).print_png(part)
