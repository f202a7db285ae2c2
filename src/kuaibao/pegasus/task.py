"""PEGASUS as a task of the training engine: pre-training on text, fine-tuning on pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kuaibao.errors import InputError, did_you_mean
from kuaibao.files import write_json
from kuaibao.pegasus.buckets import bucket_order
from kuaibao.pegasus.corpus import prepare_corpus
from kuaibao.pegasus.debian import debian_cache, fetch_debian_pairs
from kuaibao.pegasus.objective import SummaryObjective
from kuaibao.pegasus.pairs import Pair, read_pairs
from kuaibao.pegasus.samples import (
    GapSamples,
    PairSamples,
    PretrainingObjective,
    Samples,
    collate,
)
from kuaibao.pegasus.tokenizer import PegasusTokenizer, Tokenizer, load_tokenizer, train_tokenizer
from kuaibao.training import Batch, Recipe, RecipeError
from kuaibao.transformer import (
    TransformerConfig,
    build_model,
    load_pretrained,
    named_config,
    save_pretrained,
)

__all__ = ["PegasusData", "PegasusTask", "make_task"]

DEBIAN = "debian"
"""Stands for the pairs of this system's package archive, in place of a file."""
_SIZES = ("n_layer", "n_encoder_layer", "n_embd", "n_head", "n_inner", "n_positions", "dropout")
N_EVALUATE = 256
"""Held-out samples at most."""
_EVALUATE_BATCH = 16
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True)
class PegasusData:
    """The `[data]` table: `corpus` for pre-training, or `pairs` for fine-tuning."""

    corpus: tuple[str, ...] = ()
    """Files and folders of text or JSON lines, or `debian`."""
    pairs: str = ""
    """A JSONL file of documents and summaries, or `debian`."""
    n_pairs: int = 0
    """Only so many pairs, drawn by the seed; 0 for all."""
    split: str = "train"
    """What is trained on, where lines name a split."""
    objective: PretrainingObjective = "gap-sentences"
    """Pre-training: gap-sentences, masked-words (MLM), or both."""
    strategy: str = "ind-orig"
    """Which sentences are taken out."""
    ratio: float | tuple[float, float] = 0.3
    """Gap-sentence ratio, or the two ends between which it is drawn."""
    noise: float = 0.0
    """Share by which sentence scores are disturbed; 0.2 in the released model."""
    kept_share: float = 0.0
    """Of the gap sentences that stay in the source too, to be copied; 0.2 in PEGASUS-large."""
    word_share: float = 0.15
    """Of the words that are masked."""
    vocab_size: int = 8192
    """Of the vocabulary that is trained here, reserved ids included."""
    tokenizer: str = ""
    """A folder whose vocabulary is taken instead."""
    max_input: int = 512
    max_target: int = 128
    label_smoothing: float = -1.0
    """0.1 in fine-tuning and 0 in pre-training if not given."""
    validation_share: float = 0.02
    """Of texts, and of pairs whose file names no split; at 0 training samples are looked at."""
    cache: str = ""
    """Folder of the prepared corpus, for several recipes; the run's own if not given."""
    saved_as: str = "float32"
    """Precision of the model's folder: float32, float16 or bfloat16."""
    length_buckets: bool = True
    """Batches of samples of like length."""

    @property
    def smoothing(self) -> float:
        """The label smoothing that holds."""
        return self.label_smoothing if self.label_smoothing >= 0 else 0.1 * bool(self.pairs)


class PegasusTask:
    """Samples, a model with its loss, an evaluation."""

    sample_unit = "tokens"

    def __init__(
        self, net: Any, tokenizer: Tokenizer, train: Samples, validation: Samples,
        data: PegasusData, batch_size: int,
    ) -> None:  # fmt: skip
        is_summary = bool(data.pairs) or data.objective != "masked-words"
        self.model = SummaryObjective(net, data.smoothing, has_decoder=is_summary)
        self.tokenizer, self.data = tokenizer, data
        self.train, self.validation = train, validation
        self.batch_size = batch_size
        n = len(train.lengths)
        if not n or not len(validation.lengths):
            raise InputError(
                "too little text to train on: no piece of two sentences is left"
                if data.corpus
                else "too few pairs to train on"
            )
        self.is_bucketed = data.length_buckets and n >= 2 * batch_size
        # Batches keep their place in every epoch only if each epoch is a whole number of them.
        self.n_sample = n // batch_size * batch_size if self.is_bucketed else n
        self._epoch: tuple[int, NDArray[np.int64]] | None = None

    def epoch_order(self, epoch: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """The order of an epoch's samples: batches of like lengths."""
        if self._epoch is None or self._epoch[0] != epoch:
            order = (
                bucket_order(self.train.lengths, self.batch_size, generator)
                if self.is_bucketed
                else generator.permutation(self.n_sample)
            )
            self._epoch = (epoch, order)
        return self._epoch[1]

    def batch(self, indices: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        """Padded ids of some samples."""
        return collate(self.train.rows(indices.tolist(), generator), self.tokenizer.pad_id)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean loss in nats a token, smoothed."""
        return torch.stack(list(model(batch).values())).sum()

    def n_unit(self, batch: Batch) -> int:
        """Tokens that are read and written, padding left out."""
        n = int(batch["attention_mask"].sum())
        return n + int((batch["labels"] >= 0).sum()) if "labels" in batch else n

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Unsmoothed losses on held-out samples with masks that are always the same."""
        device = next(model.parameters()).device
        n = min(N_EVALUATE, len(self.validation.lengths))
        sums: dict[str, float] = {}
        for start in range(0, n, _EVALUATE_BATCH):
            indices = range(start, min(n, start + _EVALUATE_BATCH))
            rows = self.validation.rows(indices, np.random.default_rng([0, start]))
            batch = {k: v.to(device) for k, v in collate(rows, self.tokenizer.pad_id).items()}
            for name, loss in model(batch).items():
                sums[name] = sums.get(name, 0.0) + float(loss) * len(indices)
        means = {name: total / n for name, total in sums.items()}
        return {"loss": sum(means.values()), **(means if len(means) > 1 else {})}

    def save(self, model: nn.Module, folder: Path) -> None:
        """A folder that `kuaibao summarize --model` and transformers load."""
        objective: Any = model
        if not objective.has_decoder:
            objective.share_encoder()
        save_pretrained(objective.net, folder, dtype=_DTYPES[self.data.saved_as])
        self.tokenizer.save(folder)
        write_json(
            folder / "generation_config.json",
            {"max_length": self.data.max_target, "num_beams": 8, "length_penalty": 0.8,
             "decoder_start_token_id": objective.net.config.start_id,
             "eos_token_id": objective.net.config.eos_id, "pad_token_id": self.tokenizer.pad_id,
             "forced_eos_token_id": objective.net.config.eos_id},
        )  # fmt: skip


def make_task(
    recipe: Recipe, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> PegasusTask:
    """Prepare the data and build the model.

    Raises:
        RecipeError: The `[data]` or `[model]` table is wrong.
        InputError: The data can't be read.
    """
    data = _data(recipe)
    tokenizer = _given_tokenizer(recipe, data)
    if data.pairs:
        words, train, validation = _pair_samples(recipe, data, tokenizer, progress)
    else:
        words, train, validation = _gap_samples(recipe, data, tokenizer, progress)
    net = _net(recipe, data, words)
    return PegasusTask(net, words, train, validation, data, recipe.run.batch_size)


def _data(recipe: Recipe) -> PegasusData:
    known = {f.name: f for f in fields(PegasusData)}
    values: dict[str, Any] = {}
    for name, value in recipe.data.items():
        if name not in known:
            raise RecipeError(f"unknown setting 'data.{name}'", hint=did_you_mean(name, known))
        values[name] = tuple(value) if isinstance(value, list) else value
        _check_type(name, values[name], known[name].default)
    data = PegasusData(**values)
    if bool(data.corpus) == bool(data.pairs):
        raise RecipeError(
            "give data.corpus (pre-training) or data.pairs (fine-tuning), one of them",
            hint="Both take 'debian' for the package descriptions of this system's archive.",
        )
    if data.objective not in get_args(PretrainingObjective):
        raise RecipeError(
            f"data.objective = {data.objective!r} is not one of the known values",
            hint=did_you_mean(data.objective, get_args(PretrainingObjective)),
        )
    if data.saved_as not in _DTYPES:
        raise RecipeError(
            f"data.saved_as = {data.saved_as!r} is no precision",
            hint=did_you_mean(data.saved_as, _DTYPES),
        )
    for name in ("max_input", "max_target"):
        if getattr(data, name) < 2:
            raise RecipeError(f"data.{name} must be at least 2, got {getattr(data, name)}")
    if data.label_smoothing >= 1:
        raise RecipeError(f"data.label_smoothing is a share below 1, got {data.label_smoothing}")
    return data


def _check_type(name: str, value: Any, default: Any) -> None:
    is_ratio = name == "ratio" and isinstance(value, tuple) and len(value) == 2
    wanted: Any = (int, float) if isinstance(default, float) else type(default)
    is_odd_bool = isinstance(value, bool) and not isinstance(default, bool)
    if not is_ratio and (not isinstance(value, wanted) or is_odd_bool):
        raise RecipeError(f"data.{name} must be like {default!r}, got {value!r}")


def _given_tokenizer(recipe: Recipe, data: PegasusData) -> Path | None:
    """The folder whose vocabulary is taken: the setting's, or the initial model's."""
    folder = data.tokenizer or recipe.run.initial_model
    return recipe.folder / folder if folder else None


def _pairs_file(recipe: Recipe, name: str) -> Path:
    return fetch_debian_pairs(debian_cache()) if name == DEBIAN else recipe.folder / name


def _pair_samples(
    recipe: Recipe, data: PegasusData, tokenizer: Path | None,
    progress: Callable[[str, int, int], None],
) -> tuple[Tokenizer, PairSamples, PairSamples]:  # fmt: skip
    file = _pairs_file(recipe, data.pairs)
    train, validation = _divide(read_pairs(file), data, recipe.seed)
    words = load_tokenizer(tokenizer) if tokenizer else train_tokenizer(
        (text for pair in train for text in (pair.document, pair.summary)),
        vocab_size=data.vocab_size,
    )  # fmt: skip
    long, short = data.max_input, data.max_target
    return (
        words,
        PairSamples.encode(train, words, max_input=long, max_target=short, progress=progress),
        PairSamples.encode(validation[:N_EVALUATE], words, max_input=long, max_target=short),
    )


def _divide(pairs: list[Pair], data: PegasusData, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Training and held-out pairs: by the file's own splits, else by chance."""
    train = [pair for pair in pairs if pair.split in ("", data.split)]
    validation = [pair for pair in pairs if pair.split == "validation"]
    if not train:
        raise RecipeError(f"no pair is of the split '{data.split}'")
    order = np.random.default_rng([seed, 3]).permutation(len(train))
    if not validation:
        is_cut = data.validation_share > 0 and len(train) > 1
        n = max(1, round(data.validation_share * len(train))) if is_cut else 0
        validation = [train[i] for i in order[:n]] or train
        order = order[n:]
    chosen = order[: data.n_pairs] if data.n_pairs else np.sort(order)
    return [train[i] for i in chosen], validation


def _gap_samples(
    recipe: Recipe, data: PegasusData, tokenizer: Path | None,
    progress: Callable[[str, int, int], None],
) -> tuple[Tokenizer, GapSamples, GapSamples]:  # fmt: skip
    paths = [_pairs_file(recipe, name) for name in data.corpus]
    cache = recipe.folder / data.cache if data.cache else recipe.run_folder / "corpus"
    corpus = prepare_corpus(
        paths, cache, vocab_size=data.vocab_size, max_input=data.max_input,
        tokenizer=tokenizer, split=data.split, validation_share=data.validation_share,
        progress=progress,
    )  # fmt: skip
    words = corpus.tokenizer
    if not isinstance(words, PegasusTokenizer):
        raise RecipeError("pre-training needs a SentencePiece vocabulary")
    train, validation = (
        GapSamples(
            pieces, words, objective=data.objective, strategy=data.strategy, ratio=data.ratio,
            noise=data.noise, kept_share=data.kept_share, word_share=data.word_share,
            max_input=data.max_input, max_target=data.max_target,
        )
        for pieces in (corpus.train.with_context(), corpus.validation.with_context())
    )  # fmt: skip
    return words, train, validation


def _net(recipe: Recipe, data: PegasusData, words: Tokenizer) -> Any:
    """A model with fresh weights, or the initial one."""
    sizes = dict(recipe.model)
    if recipe.run.initial_model:
        return _initial_net(recipe, sizes)
    base = named_config(str(sizes.pop("name", "pegasus-base")))
    for name in sizes:
        if name not in _SIZES:
            raise RecipeError(f"unknown setting 'model.{name}'", hint=did_you_mean(name, _SIZES))
    sizes.setdefault("n_positions", data.max_input)
    if "n_layer" in sizes:
        sizes.setdefault("n_encoder_layer", sizes["n_layer"])
    config: TransformerConfig = replace(
        base, **sizes, vocab_size=words.vocab_size, eos_id=words.end_id, pad_id=words.pad_id,
        start_id=words.pad_id,
    )  # fmt: skip
    if not config.is_encoder_decoder:
        raise RecipeError("a PEGASUS model has an encoder: n_encoder_layer must be positive")
    return build_model(config, seed=recipe.seed)


def _initial_net(recipe: Recipe, settings: dict[str, Any]) -> Any:
    """The model that the run goes on from; only its dropout may be another."""
    dropout = settings.pop("dropout", None)
    if settings:
        raise RecipeError(
            "run.initial_model brings its own sizes: [model] may set dropout only",
            hint=f"[model] sets {', '.join(settings)}.",
        )
    net = load_pretrained(recipe.folder / recipe.run.initial_model)
    if not net.config.is_encoder_decoder:
        raise RecipeError(f"{recipe.run.initial_model} is no encoder-decoder")
    if dropout is not None:
        with torch.device("meta"):  # no fresh weights are drawn only to be written over
            again = build_model(replace(net.config, dropout=dropout))
        again.load_state_dict(net.state_dict(), assign=True)
        net = again
    return net.requires_grad_(True)
