"""Runs the plan: each training goes on where it was, each finished trial is a file of figures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kuaibao.errors import InputError
from kuaibao.files import hash_value, write_json
from kuaibao.pegasus.metrics import measure_summary
from kuaibao.pegasus.pairs import Pair, read_pairs
from kuaibao.pegasus.reproduction.plan import Pretraining, Scale, Trial, plan
from kuaibao.pegasus.summarizer import load_summarizer
from kuaibao.training import OptimizerSettings, Recipe, RunSettings, find_task, train

__all__ = ["Outcome", "reproduce"]

KINDS = ("rouge1", "rouge2", "rougeLsum")
DROPOUT = 0.1
"""In fine-tuning; pre-training sees no text often enough to learn it by heart."""

Progress = Callable[[str, int, int], None]
"""(what is being done, steps of it done, steps of it in all)"""


@dataclass(frozen=True)
class Outcome:
    """A finished trial."""

    trial: Trial
    scores: dict[str, list[float]]
    """`rouge1`, `rouge2`, `rougeLsum` (F1) of each test document, in order."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As it lies on disk."""
        return {"trial": asdict(self.trial), "scores": self.scores, "seconds": self.seconds}


class _OutOfBudgetError(Exception):
    pass


def reproduce(
    scale: Scale,
    pairs: Path,
    out: Path,
    *,
    budget_s: float = 0.0,
    seed: int | None = None,
    n_thread: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> tuple[list[Outcome], list[Trial]]:
    """Run what is left of the plan.

    Args:
        scale: Sizes of the plan.
        pairs: JSONL of documents and summaries with the splits train, validation and test; the
            documents of `train` are the text that is pre-trained on.
        out: Folder of models and figures; what lies there is gone on with.
        budget_s: Stop after so many seconds; 0 for none. Run again to go on.
        seed: Only trials of this seed; several processes may share a folder so, each with its own.
        n_thread: CPU threads; 0 leaves torch's own number.
        progress: Told at each step.

    Returns:
        What is finished, and the trials that are left.

    Raises:
        InputError: The folder belongs to another plan or other pairs, there are no pairs of a
            split, or the plan has no such seed.
    """
    if seed is not None and seed not in scale.seeds:
        raise InputError(f"the plan has no seed {seed}", hint=f"It has {scale.seeds}.")
    _claim_folder(out, scale, pairs)
    runner = _Runner(scale, pairs, out, time.monotonic() + budget_s if budget_s else 0.0,
                     n_thread, progress)  # fmt: skip
    trials = plan(scale)
    own = [trial for trial in trials if seed is None or trial.seed == seed]
    with suppress(_OutOfBudgetError):
        for i, trial in enumerate(own):
            runner.run(trial, f"{i + 1}/{len(own)} {trial.name}")
    outcomes = [found for trial in trials if (found := runner.known(trial)) is not None]
    done = {outcome.trial.name for outcome in outcomes}
    return outcomes, [trial for trial in trials if trial.name not in done]


def _claim_folder(out: Path, scale: Scale, pairs: Path) -> None:
    try:
        size = pairs.stat().st_size
    except OSError as error:
        raise InputError(f"{pairs}: {error.strerror}") from error
    own = {"scale": json.loads(json.dumps(asdict(scale))), "pairs": pairs.name, "bytes": size}
    file = out / "plan.json"
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != own:
        raise InputError(
            f"{out} holds figures of another plan or of other pairs", hint="Take another --out."
        )
    write_json(file, own)


class _Runner:
    """What the trials share: data, folders, the clock."""

    def __init__(
        self, scale: Scale, pairs: Path, out: Path, deadline: float, n_thread: int,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.scale, self.pairs, self.out = scale, pairs.resolve(), out.resolve()
        self.deadline, self.n_thread, self.progress = deadline, n_thread, progress
        self._test: list[Pair] = []

    def known(self, trial: Trial) -> Outcome | None:
        """The figures of a trial that is finished."""
        file = self.out / "results" / f"{trial.name}.json"
        if not file.is_file():
            return None
        value = json.loads(file.read_text(encoding="utf-8"))
        return Outcome(trial, value["scores"], value["seconds"])

    def run(self, trial: Trial, what: str) -> None:
        """Train, fine-tune and evaluate, as far as it was not done before."""
        if self.known(trial) is not None:
            return
        started = time.perf_counter()
        model = self._fine_tuned(trial, what)
        scores = self._evaluate(model, what)
        outcome = Outcome(trial, scores, time.perf_counter() - started)
        write_json(self.out / "results" / f"{trial.name}.json", outcome.to_json())

    def _pretrained(self, pretraining: Pretraining, seed: int, what: str) -> Path:
        scale = self.scale
        name = f"pretrain-{pretraining.name}-seed{seed}"
        data = {
            "corpus": [str(self.pairs)], "objective": pretraining.objective,
            "strategy": pretraining.strategy, "ratio": pretraining.ratio,
            "kept_share": scale.kept_share, "vocab_size": scale.vocab_size,
            "max_input": scale.max_input, "max_target": scale.max_input // 2, "cache": "corpus",
        }  # fmt: skip
        return self._train(name, seed, scale.pretrain_steps, data, self._sizes(0.0), "", what)

    def _fine_tuned(self, trial: Trial, what: str) -> Path:
        scale = self.scale
        data = {
            "pairs": str(self.pairs), "n_pairs": trial.n_pairs, "max_input": scale.max_input,
            "max_target": scale.max_target, "label_smoothing": 0.1,
        }  # fmt: skip
        name = f"finetune-{trial.name}"
        if trial.pretraining.objective:
            first = self._pretrained(trial.pretraining, trial.seed, f"{what} (pre-training)")
            initial, sizes = str(first), dict[str, Any](dropout=DROPOUT)
        else:
            initial, sizes = "", self._sizes(DROPOUT)
            data["tokenizer"] = str(self._vocabulary())
        return self._train(name, trial.seed, scale.finetune_steps, data, sizes, initial, what)

    def _vocabulary(self) -> Path:
        """The vocabulary that all trials share."""
        from kuaibao.pegasus.corpus import prepare_corpus

        prepare_corpus(
            [self.pairs], self.out / "corpus", vocab_size=self.scale.vocab_size,
            max_input=self.scale.max_input, split="train", progress=self.progress,
        )  # fmt: skip
        return self.out / "corpus"

    def _sizes(self, dropout: float) -> dict[str, Any]:
        own = self.scale
        return {"n_layer": own.n_layer, "n_embd": own.n_embd, "n_head": own.n_head,
                "n_inner": own.n_inner, "dropout": dropout}  # fmt: skip

    def _train(
        self, name: str, seed: int, steps: int, data: dict[str, Any], sizes: dict[str, Any],
        initial: str, what: str,
    ) -> Path:  # fmt: skip
        """A model's folder; a finished run is known by its mark, a begun one goes on."""
        recipe = Recipe(
            task="pegasus", seed=seed, out=name, folder=self.out, name=name, model=sizes, data=data,
            optimizer=OptimizerSettings(
                learning_rate=2e-3, beta2=0.98, schedule="cosine", warmup_steps=max(10, steps // 10)
            ),
            run=RunSettings(
                steps=steps, batch_size=self._batch_size(data), evaluate_every=max(1, steps // 6),
                checkpoint_every=max(25, steps // 12), keep=1, precision="bf16",
                n_thread=self.n_thread, initial_model=initial,
            ),
        )  # fmt: skip
        mark = recipe.run_folder / "finished.json"
        key = hash_value(json.loads(json.dumps(recipe.fingerprint())))
        if mark.is_file() and json.loads(mark.read_text(encoding="utf-8"))["key"] == key:
            return recipe.run_folder / "model"

        def tell(step: int, total: int, figures: Mapping[str, float]) -> None:
            self.progress(what, step, total)
            if self.deadline and time.monotonic() > self.deadline:
                raise _OutOfBudgetError

        result = train(find_task(recipe, self.progress), recipe, resume=True, progress=tell)
        if result.model_folder is None:
            raise InputError(f"{recipe.run_folder} has no model: its loss was no number")
        write_json(mark, {"key": key, "seconds": result.state.seconds,
                          "n_unit": result.state.n_unit})  # fmt: skip
        return result.model_folder

    def _batch_size(self, data: dict[str, Any]) -> int:
        n = data.get("n_pairs") or self.scale.batch_size
        return min(self.scale.batch_size, n)

    def _evaluate(self, model: Path, what: str) -> dict[str, list[float]]:
        if not self._test:
            # The same documents for every trial: the first of the file's own test split.
            every = [pair for pair in read_pairs(self.pairs) if pair.split == "test"]
            if not every:
                raise InputError(f"{self.pairs} has no pairs of the split 'test'")
            stride = max(1, len(every) // self.scale.n_test)
            self._test = every[::stride][: self.scale.n_test]
        writer = load_summarizer(model, num_beams=1, batch_size=32, long_documents="truncate")
        total = len(self._test)
        written = writer.write(
            [pair.document for pair in self._test],
            on_done=lambda done: self.progress(f"{what} (writing)", done, total),
        )
        rows = [measure_summary(summary, reference=pair.summary, use_stemmer=True)
                for summary, pair in zip(written, self._test, strict=True)]  # fmt: skip
        return {kind: [row[kind] for row in rows] for kind in KINDS}
