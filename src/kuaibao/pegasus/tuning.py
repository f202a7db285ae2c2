"""Fine-tuning on a team's own pairs, and whether it helped: held out, paired, before it is used."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kuaibao.errors import InputError
from kuaibao.files import hash_value, write_json, write_text
from kuaibao.pegasus.metrics import Interval, bootstrap, measure_summary
from kuaibao.pegasus.pairs import Pair
from kuaibao.pegasus.summarizer import load_summarizer
from kuaibao.training import OptimizerSettings, Recipe, RunSettings, find_task, train
from kuaibao.transformer import model_folder

__all__ = ["Comparison", "TuningSettings", "adopt", "divide", "tune"]

MIN_PAIRS = 10
KINDS = ("rouge1", "rouge2", "rougeLsum", "faithfulness")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """How the tuning is done."""

    steps: int = 400
    batch_size: int = 8
    learning_rate: float = 5e-3
    """Adafactor's, relative to the size of a weight."""
    held_out: float = 0.2
    """Share of the items that are kept for the comparison."""
    max_target: int = 128
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """The tuned model beside the untuned one on the same held-out items."""

    n_train: int
    n_held_out: int
    before: dict[str, Interval]
    after: dict[str, Interval]
    gain: dict[str, Interval]
    """After less before, item by item."""
    folder: Path

    @property
    def is_better(self) -> bool:
        """ROUGE-Lsum rises beyond chance, and faithfulness does not fall beyond chance."""
        return self.gain["rougeLsum"].low > 0 and self.gain["faithfulness"].high >= 0

    def to_json(self) -> dict[str, Any]:
        """All figures and the verdict."""
        tables = {name: {k: asdict(v) for k, v in getattr(self, name).items()}
                  for name in ("before", "after", "gain")}  # fmt: skip
        return {"n_train": self.n_train, "n_held_out": self.n_held_out, **tables,
                "is_better": self.is_better, "folder": str(self.folder)}  # fmt: skip


def divide(keys: Sequence[str], share: float) -> list[bool]:
    """Which items are held out: by a hash of their names, so that it is always the same ones.

    Items of one name stay together; at least one falls on either side.
    """
    places = {key: int(hash_value(key)[:8], 16) / 2**32 for key in keys}
    ranked = sorted(places, key=lambda key: places[key])
    n = min(len(ranked) - 1, max(1, round(share * len(ranked))))
    held = set(ranked[:n])
    return [key in held for key in keys]


def tune(
    pairs: Sequence[Pair], keys: Sequence[str], model: str, out: Path, settings: TuningSettings,
    *, progress: Progress = lambda what, done, total: None,
) -> Comparison:  # fmt: skip
    """Fine-tune a model and compare it with what it was.

    A run that was killed goes on where it was.

    Args:
        pairs: Documents with their summaries.
        keys: The item of each pair: pairs of one item are never on both sides.
        model: Folder or hub id of the model that is begun with.
        out: Folder of the run; the tuned model lies in it under `model`.
        settings: How.
        progress: Told what is done.

    Raises:
        InputError: Too few pairs, or no such model.
    """
    if len(set(keys)) < MIN_PAIRS:
        raise InputError(
            f"{len(set(keys))} items are too few to tune on and to compare with",
            hint=f"At least {MIN_PAIRS} are wanted; a few hundred make a difference.",
        )
    is_held_out = divide(keys, settings.held_out)
    file = _write_pairs(pairs, is_held_out, out)
    base = model_folder(model).resolve()
    recipe = _recipe(base, file, out, settings, n_train=is_held_out.count(False))

    def tell(step: int, total: int, figures: Mapping[str, float]) -> None:
        progress("Tuning", step, total)

    result = train(find_task(recipe, progress), recipe, resume=True, progress=tell)
    if result.model_folder is None:
        raise InputError(f"{out} has no model: its loss was no number")
    held = [pair for pair, is_held in zip(pairs, is_held_out, strict=True) if is_held]
    before = _rows(str(base), held, "Writing as before", settings, progress)
    after = _rows(str(result.model_folder), held, "Writing as tuned", settings, progress)
    comparison = Comparison(
        is_held_out.count(False), len(held), _means(before), _means(after),
        {k: bootstrap([b[k] - a[k] for a, b in zip(before, after, strict=True)]) for k in KINDS},
        result.model_folder,
    )  # fmt: skip
    write_json(out / "comparison.json", comparison.to_json())
    return comparison


def adopt(comparison: Comparison, folder: Path) -> None:
    """Put the tuned model where the bulletin looks for its own; the last one stays beside it."""
    previous = folder.with_name(f"{folder.name}-previous")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(comparison.folder, part)
    write_json(part / "comparison.json", comparison.to_json())
    if folder.is_dir():
        shutil.rmtree(previous, ignore_errors=True)
        os.replace(folder, previous)
    os.replace(part, folder)


def _write_pairs(pairs: Sequence[Pair], is_held_out: Sequence[bool], out: Path) -> Path:
    """Training pairs, a tenth of them for the choice of the best step; held-out ones stay away."""
    kept = [p for p, is_held in zip(pairs, is_held_out, strict=True) if not is_held]
    lines = [
        json.dumps({"document": p.document, "summary": p.summary,
                    "split": "validation" if i % 10 == 9 else "train"}, ensure_ascii=False)
        for i, p in enumerate(kept)
    ]  # fmt: skip
    file = out / "pairs.jsonl"
    text = "\n".join(lines) + "\n"
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_text(file, text)
    return file


def _recipe(base: Path, file: Path, out: Path, own: TuningSettings, *, n_train: int) -> Recipe:
    writer = load_summarizer(base)
    data = {"pairs": str(file.resolve()), "max_input": writer.decoding.max_input,
            "max_target": min(own.max_target, writer.decoding.max_target)}  # fmt: skip
    return Recipe(
        task="pegasus", seed=own.seed, out="run", folder=out.resolve(), data=data,
        optimizer=OptimizerSettings(
            name="adafactor", learning_rate=own.learning_rate, schedule="inverse_sqrt",
            warmup_steps=max(1, own.steps // 20),
        ),
        run=RunSettings(
            steps=own.steps, batch_size=min(own.batch_size, n_train), patience=4, keep=1,
            evaluate_every=max(1, own.steps // 20), checkpoint_every=max(1, own.steps // 20),
            initial_model=str(base),
        ),
    )  # fmt: skip


def _rows(
    model: str, held: Sequence[Pair], what: str, settings: TuningSettings, progress: Progress
) -> list[dict[str, float]]:
    writer = load_summarizer(model)
    written = writer.write(
        [pair.document for pair in held], on_done=lambda done: progress(what, done, len(held))
    )
    rows = [measure_summary(summary, reference=pair.summary, document=pair.document)
            for summary, pair in zip(written, held, strict=True)]  # fmt: skip
    return [{kind: row[kind] for kind in KINDS} for row in rows]


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, Interval]:
    return {kind: bootstrap([row[kind] for row in rows]) for kind in KINDS}
