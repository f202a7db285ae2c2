"""One study a set of pictures: pre-training by both objectives, probes, baselines, fine-tuning.

Each step leaves a file; the same command goes on with the steps that are left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kuaibao.files import hash_value
from kuaibao.image_gpt.finetuning import accuracy_on
from kuaibao.image_gpt.model import ImageGPT, load_image_gpt
from kuaibao.image_gpt.packing import PackedPictures, open_packed, prepare
from kuaibao.image_gpt.probe import few_labels
from kuaibao.image_gpt.probing import probe_layers, probe_tables
from kuaibao.image_gpt.reproduction.baselines import (
    pixel_tables,
    principal_components,
    train_cnn,
)
from kuaibao.image_gpt.reproduction.runs import Budget, Tell, remembered, run_recipe
from kuaibao.training import OptimizerSettings, Recipe, RunSettings
from kuaibao.transformer import build_model

__all__ = ["STUDIES", "Study", "run_study"]

N_PIECE = 20
"""Checkpoints of a run: where a budget can cut it."""
N_PROBE = 4000
"""Labelled training pictures of a probe at most."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """One set of pictures and the sizes that suit it."""

    name: str
    pictures: str
    size: int
    grey: bool
    n_color: int
    n_layer: int
    n_embd: int
    n_head: int = 4
    steps: int
    batch_size: int = 64
    tune_steps: int
    flip: bool = False
    low_labels: tuple[int, ...] = (4, 25)
    tune_labels: int = 25
    learning_rate: float = 3e-3
    precision: Literal["fp32", "bf16"] = "bf16"
    """Of training; bf16 is 1.2 to 1.7 times as fast here, but for the smallest."""


STUDIES = {
    "digits": Study(
        name="digits", pictures="digits", size=8, grey=True, n_color=17, n_layer=6, n_embd=64,
        steps=1000, tune_steps=150, low_labels=(4, 25, 100), precision="fp32",
    ),
    "mnist": Study(
        name="mnist", pictures="mnist", size=14, grey=True, n_color=8, n_layer=6, n_embd=96,
        steps=1200, tune_steps=150, low_labels=(4, 25, 400), batch_size=32,
    ),
    "emoji": Study(
        name="emoji", pictures="emoji", size=16, grey=False, n_color=64, n_layer=8, n_embd=128,
        steps=1500, tune_steps=200, flip=True, low_labels=(4, 25), batch_size=32,
        learning_rate=2e-3,
    ),
}  # fmt: skip


def run_study(
    study: Study, seed: int, folder: Path, budget: Budget,
    tell: Tell = lambda what, done, total: None, *, found: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """All steps of a study for one seed.

    Args:
        study: What is run.
        seed: Of everything.
        folder: Where runs and figures stay.
        budget: Steps that are done cost nothing when the study is run again.
        tell: Told what is done.
        found: Filled step by step, so that a cut study's figures are not lost.

    Raises:
        OutOfBudgetError: Cut; what is done stays.
    """
    stamp = hash_value([repr(study), seed, 1])[:12]
    place = folder / f"{study.name}-{seed}-{stamp}"
    packed = prepare(
        study.pictures, place / "pictures", size=study.size, grey=study.grey,
        n_color=study.n_color, progress=tell,
    )  # fmt: skip
    results = place / "results"
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "autoregressive": partial(_pretrain, study, seed, place, "autoregressive", budget, tell),
        "probes": partial(_probe_run, study, packed, place, "autoregressive"),
        "baselines": partial(_baselines, study, seed, packed, place),
        "low": partial(_low_labels, study, packed, place),
        "snapshots": partial(_probe_snapshots, study, packed, place),
        "bert": partial(_pretrain, study, seed, place, "bert", budget, tell),
        "bert-probes": partial(_probe_run, study, packed, place, "bert"),
        "tuned": partial(_fine_tune, study, seed, place, budget, tell),
    }
    found = {} if found is None else found
    found |= {"study": study.name, "seed": seed}
    for i, (name, step) in enumerate(steps.items()):
        tell(f"{study.name} {seed}: {name}", i, len(steps))
        kind = f"{study.name} {name}"
        if (results / f"{name}.json").is_file():
            found[name] = remembered(results / f"{name}.json", step)
            continue
        budget.check(kind)
        started = time.monotonic()
        found[name] = remembered(results / f"{name}.json", step)
        budget.note(kind, time.monotonic() - started)
    return found


def _recipe(study: Study, seed: int, place: Path, name: str, **more: Any) -> Recipe:
    """A recipe whose run lies in `place/name`."""
    steps = int(more.pop("steps", study.steps))
    rate = float(more.pop("learning_rate", study.learning_rate))
    initial = str(more.pop("initial_model", ""))
    every = max(1, steps // N_PIECE)
    return Recipe(
        task="image-gpt", seed=seed, out=name, folder=place, name=f"{study.name} {seed} {name}",
        model={"n_layer": study.n_layer, "n_embd": study.n_embd, "n_head": study.n_head},
        data={"pictures": study.pictures, "size": study.size, "grey": study.grey,
              "n_color": study.n_color, "augment": study.flip, "flip_only": True,
              "packed": "pictures", **more},
        optimizer=OptimizerSettings(learning_rate=rate, warmup_steps=max(1, steps // 20)),
        run=RunSettings(steps=steps, batch_size=study.batch_size, evaluate_every=every,
                        checkpoint_every=every, keep=1, initial_model=initial,
                        precision=study.precision),
    )  # fmt: skip


def _pretrain(
    study: Study, seed: int, place: Path, objective: str, budget: Budget, tell: Tell
) -> dict[str, Any]:
    recipe = _recipe(study, seed, place, objective, objective=objective)
    every = recipe.run.checkpoint_every
    wanted = [every, 2 * every, 4 * every, 8 * every, study.steps]
    return run_recipe(recipe, budget, tell, snapshots=wanted if objective != "bert" else ())


def _probe_run(study: Study, packed: PackedPictures, place: Path, name: str) -> dict[str, Any]:
    """Every layer by the paper's mean, by quadrants, and for BERT by the vote of five masks."""
    model = load_image_gpt(place / name / "model")
    found = {pool: _probe(model, packed, pool=pool) for pool in ("mean", "quadrants")}
    if name == "bert":
        found["mean, 5 masks"] = _probe(model, packed, n_mask=5)
    return found


def _probe(model: ImageGPT, packed: PackedPictures, **how: Any) -> dict[str, Any]:
    return probe_layers(model, packed, n_train=N_PROBE, **how).to_json()


def _baselines(study: Study, seed: int, packed: PackedPictures, place: Path) -> dict[str, Any]:
    tables, labels = _tables(packed)
    n_class = len(packed.classes)
    raw = probe_tables(tables, labels, n_class=n_class)
    reduced = probe_tables(principal_components(tables, study.n_embd), labels, n_class=n_class)
    trained = load_image_gpt(place / "autoregressive" / "model")
    fresh = replace(trained, decoder=build_model(trained.decoder.config, seed=seed + 1000).eval())
    run = _seconds_of(place)
    return {
        "raw pixels": raw.__dict__,
        "PCA": reduced.__dict__,
        "random network": {p: _probe(fresh, packed, pool=p) for p in ("mean", "quadrants")},
        "CNN": train_cnn(
            packed, np.flatnonzero(packed.train.labels >= 0), seconds=run, seed=seed
        ),
    }  # fmt: skip


def _seconds_of(place: Path) -> float:
    """How long the pre-training took: what the supervised network may use."""
    found = json.loads((place / "results" / "autoregressive.json").read_text(encoding="utf-8"))
    return float(found["seconds"])


def _tables(
    packed: PackedPictures,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.int64]]]:
    tables = pixel_tables(packed)
    labels = {name: part.labels for name, part in packed.parts.items()}
    step = max(1, -(-len(labels["train"]) // N_PROBE))
    tables["train"], labels["train"] = tables["train"][::step], labels["train"][::step]
    return tables, labels


def _low_labels(study: Study, packed: PackedPictures, place: Path) -> dict[str, Any]:
    """Few labels a class: the best layer by all labels' validation, raw pixels, a CNN."""
    model = load_image_gpt(place / "autoregressive" / "model")
    layer = _probe(model, packed)["best_layer"]
    tables, labels = _tables(packed)
    found: dict[str, Any] = {}
    for n in study.low_labels:
        raw = probe_tables(tables, labels, n_class=len(packed.classes), labels_per_class=n)
        own = {
            pool: _probe(model, packed, layers=[layer], labels_per_class=n, pool=pool)
            for pool in ("mean", "quadrants")
        }
        rows = few_labels(packed.train.labels, n, seed=0)
        cnn = train_cnn(packed, rows, seconds=_seconds_of(place), seed=0, patience=60)
        found[str(n)] = {"features": own, "raw pixels": raw.__dict__, "CNN": cnn}
    return found


def _probe_snapshots(study: Study, packed: PackedPictures, place: Path) -> dict[str, Any]:
    """Held-out loss and probe of the same run at several steps."""
    rows: list[dict[str, Any]] = []
    for folder in sorted(
        (place / "autoregressive" / "snapshots").iterdir(), key=lambda p: int(p.name)
    ):
        figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
        model = load_image_gpt(folder)
        middle = model.decoder.config.n_layer // 2
        probed = _probe(model, packed, layers=[middle, middle + 1])
        rows.append({"step": int(folder.name), "loss": figures["loss"],
                     "accuracy": probed["accuracy"], "interval": probed["interval"]})  # fmt: skip
    return {"rows": rows}


def _fine_tune(study: Study, seed: int, place: Path, budget: Budget, tell: Tell) -> dict[str, Any]:
    """A few labels a class: from scratch and pre-trained, class loss alone and with L_gen."""
    found: dict[str, Any] = {}
    for name, labels, initial in (
        ("from scratch", "class", ""),
        ("pre-trained, class loss", "class", "autoregressive/model"),
        ("pre-trained, joint loss", "joint", "autoregressive/model"),
    ):
        recipe = _recipe(
            study, seed, place, "tuned " + name.replace(",", ""), labels=labels,
            labels_per_class=study.tune_labels, label_seed=seed, steps=study.tune_steps,
            learning_rate=study.learning_rate / (10 if initial else 3), initial_model=initial,
        )  # fmt: skip
        run = run_recipe(recipe, budget, tell)
        found[name] = run | {"test": _tested(recipe.run_folder / "model", place)}
    return found


def _tested(folder: Path, place: Path) -> dict[str, float]:
    return accuracy_on(load_image_gpt(folder), open_packed(place / "pictures").test)
