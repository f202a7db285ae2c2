"""What is trained: three claims of the paper as a list of trials, at two sizes.

(a) Gap sentences before fine-tuning against masked words and against nothing, by the number of
examples (section 6.4 and figure 6); (b) the six ways to choose the sentences (section 6.1.2,
figure 4a); (c) the share that is taken out (figure 4b).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kuaibao.errors import InputError, did_you_mean
from kuaibao.text import STRATEGIES

__all__ = ["SCALES", "Pretraining", "Scale", "Trial", "find_scale", "plan"]

BASE_RATIO = 0.3
RATIOS = (0.15, 0.3, 0.45, 0.6)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Sizes of one plan; every pre-training has the same budget, and every fine-tuning."""

    name: str
    n_layer: int
    n_embd: int
    n_head: int
    n_inner: int
    vocab_size: int
    max_input: int
    max_target: int
    pretrain_steps: int
    finetune_steps: int
    batch_size: int
    n_pairs: tuple[int, ...]
    """Examples of claim (a)."""
    compared_at: int
    """Examples at which strategies and ratios are compared."""
    n_test: int
    kept_share: float = 0.2
    """Of the gap sentences that stay in the source too (section 6.2)."""
    seeds: tuple[int, ...] = (0, 1)
    claims: str = "abc"
    """Which of the three are in the plan."""


SCALES: dict[str, Scale] = {
    "full": Scale(
        name="full", n_layer=2, n_embd=128, n_head=4, n_inner=512, vocab_size=6144, max_input=128,
        max_target=24, pretrain_steps=4000, finetune_steps=600, batch_size=32,
        n_pairs=(10, 100, 1_000, 10_000), compared_at=1_000, n_test=500,
    ),
    "small": Scale(
        name="small", n_layer=1, n_embd=96, n_head=4, n_inner=384, vocab_size=4096, max_input=96,
        max_target=20, pretrain_steps=300, finetune_steps=150, batch_size=32,
        n_pairs=(10, 100, 1_000), compared_at=1_000, n_test=200,
    ),
}  # fmt: skip
"""By the measured tokens a second `full` takes about three hours of two free cores, `small` ten
minutes."""


@dataclass(frozen=True, slots=True)
class Pretraining:
    """What a model learned before it was fine-tuned; the name `none` means nothing."""

    name: str
    objective: str = ""
    strategy: str = "ind-orig"
    ratio: float = BASE_RATIO


NONE = Pretraining("none")
MASKED_WORDS = Pretraining("masked-words", "masked-words")


@dataclass(frozen=True, slots=True)
class Trial:
    """One fine-tuning and its evaluation."""

    pretraining: Pretraining
    n_pairs: int
    seed: int

    @property
    def name(self) -> str:
        """Names its folder."""
        return f"{self.pretraining.name}-{self.n_pairs}-seed{self.seed}"


def find_scale(name: str) -> Scale:
    """The scale of that name.

    Raises:
        InputError: There is none.
    """
    if name not in SCALES:
        raise InputError(f"no scale '{name}'", hint=did_you_mean(name, SCALES))
    return SCALES[name]


def gap_sentences(strategy: str, ratio: float = BASE_RATIO) -> Pretraining:
    """Pre-training by one strategy and ratio."""
    return Pretraining(f"{strategy}-{round(ratio * 100)}", "gap-sentences", strategy, ratio)


def plan(scale: Scale) -> list[Trial]:
    """All trials, each once: claim (a) with every seed first, then (b) and (c)."""
    trials: dict[str, Trial] = {}
    for trial in _trials(scale):
        trials.setdefault(trial.name, trial)
    return list(trials.values())


def _trials(scale: Scale) -> Iterator[Trial]:
    best = gap_sentences("ind-orig")
    for seed in scale.seeds if "a" in scale.claims else ():
        for n in scale.n_pairs:
            for pretraining in (best, NONE, MASKED_WORDS):
                yield Trial(pretraining, n, seed)
    for seed in scale.seeds if "b" in scale.claims else ():
        for strategy in STRATEGIES:
            yield Trial(gap_sentences(strategy), scale.compared_at, seed)
    for seed in scale.seeds if "c" in scale.claims else ():
        for ratio in RATIOS:
            yield Trial(gap_sentences("ind-orig", ratio), scale.compared_at, seed)
