"""Tasks by likelihood, as GPT-3 was measured: K examples in the prompt, options scored.

Section 2.4 of the paper: examples are drawn from the training split; options are compared by their
log-probability, plain, per token, or against the option's log-probability without the question.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from kuaibao.errors import InputError, Place
from kuaibao.transformer.tokenizers import TextTokenizer

__all__ = [
    "NORMALISATIONS", "Choice", "FewShotFigures", "build_prompt", "evaluate_choices",
    "find_overlaps", "option_scores", "read_choices",
]  # fmt: skip

Normalisation = Literal["sum", "token", "byte", "unconditional"]
NORMALISATIONS: tuple[Normalisation, ...] = ("sum", "token", "byte", "unconditional")
SEPARATOR = "\n\n"
MAX_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A question whose right answer stands among options."""

    prompt: str
    options: tuple[str, ...]
    answer: int
    unconditional: str = "Answer:"
    """The prompt without the question, for `unconditional`."""


@dataclass(frozen=True)
class FewShotFigures:
    """Accuracy by each way of comparing options."""

    n: int
    n_shot: int
    accuracy: dict[str, float]
    chance: float
    """Of guessing."""
    clean: dict[str, float] | None = None
    """Accuracy on questions that don't overlap with training text."""
    n_clean: int | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return dict(self.__dict__)


def read_choices(path: Path) -> list[Choice]:
    """Questions of a JSONL file: `prompt`, `options`, `answer` (a number from 0).

    Raises:
        InputError: No such file, or a line that is no question; with its number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}") from error
    found = [_choice(line, Place(file=str(path), line=n)) for n, line in enumerate(lines, 1)
             if line.strip()]  # fmt: skip
    if not found:
        raise InputError(f"{path} holds no questions")
    return found


def _choice(line: str, place: Place) -> Choice:
    try:
        row: Any = json.loads(line[:MAX_LINE])
        options = tuple(str(option) for option in row["options"])
        choice = Choice(str(row["prompt"]), options, int(row["answer"]),
                        str(row.get("unconditional", "Answer:")))  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"not a question ({type(error).__name__}: {error})", place=place,
            hint='Wanted: {"prompt": "…", "options": [" a", " b"], "answer": 0}',
        ) from error  # fmt: skip
    if not 0 <= choice.answer < len(options):
        raise InputError(f"answer {choice.answer} is none of {len(options)} options", place=place)
    return choice


def build_prompt(examples: Sequence[Choice], question: Choice) -> str:
    """Solved examples, then the question."""
    solved = [example.prompt + example.options[example.answer] for example in examples]
    return SEPARATOR.join([*solved, question.prompt])


def option_scores(
    model: Any, tokenizer: TextTokenizer, context: str, question: Choice
) -> dict[str, list[float]]:
    """The score of each option by each normalisation; higher is better."""
    scores: dict[str, list[float]] = {name: [] for name in NORMALISATIONS}
    for option in question.options:
        total, n_token = _log_probability(model, tokenizer, context, option)
        alone, _ = _log_probability(model, tokenizer, question.unconditional, option)
        scores["sum"].append(total)
        scores["token"].append(total / max(1, n_token))
        scores["byte"].append(total / max(1, len(option.encode())))
        scores["unconditional"].append(total - alone)
    return scores


@torch.inference_mode()
def _log_probability(
    model: Any, tokenizer: TextTokenizer, context: str, text: str
) -> tuple[float, int]:
    """Log-probability of a text after a context, of which the end is kept, and its tokens."""
    own = tokenizer.encode(text)
    room = model.config.n_positions - len(own)
    before = [tokenizer.eos_id, *tokenizer.encode(context)][-max(1, room) :]
    ids = torch.tensor([[*before, *own]], device=model.device)[:, : model.config.n_positions + 1]
    logits = model(ids[:, :-1])[0, len(before) - 1 :].float()
    chosen = torch.log_softmax(logits, -1).gather(1, ids[0, len(before) :, None])
    return float(chosen.sum()), len(own)


def evaluate_choices(
    model: Any, tokenizer: TextTokenizer, questions: Sequence[Choice], *, n_shot: int = 0,
    examples: Sequence[Choice] = (), seed: int = 0, overlaps: Sequence[bool] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FewShotFigures:  # fmt: skip
    """Accuracy on questions, with `n_shot` solved examples before each.

    Args:
        model: A decoder in evaluation mode.
        tokenizer: Its own.
        questions: What is asked.
        n_shot: Examples; 0, 1 or more, as far as the window holds.
        examples: The training split that they are drawn from; the other questions if not given.
        seed: Of the draw.
        overlaps: Whether each question stands in the training text (see `find_overlaps`).
        progress: Told how many questions are done.

    Raises:
        InputError: Fewer examples than wanted.
    """
    n_pool = len(examples) or len(questions) - 1
    if n_shot > n_pool:
        raise InputError(f"{n_shot} examples are wanted, there are {n_pool}")
    hits: dict[str, list[bool]] = {name: [] for name in NORMALISATIONS}
    for i, question in enumerate(questions):
        pool = list(examples) or [q for j, q in enumerate(questions) if j != i]
        shown = random.Random(f"{seed}:{i}").sample(pool, n_shot)
        found = option_scores(model, tokenizer, build_prompt(shown, question), question)
        for name, values in found.items():
            hits[name].append(max(range(len(values)), key=values.__getitem__) == question.answer)
        progress(i + 1)
    clean = None if overlaps is None else [not dirty for dirty in overlaps]
    return FewShotFigures(
        n=len(questions), n_shot=n_shot, accuracy={k: _share(v) for k, v in hits.items()},
        chance=sum(1 / len(q.options) for q in questions) / len(questions),
        clean=None if clean is None else {
            k: _share([h for h, c in zip(v, clean, strict=True) if c]) for k, v in hits.items()
        },
        n_clean=None if clean is None else sum(clean),
    )  # fmt: skip


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")


def find_overlaps(
    texts: Sequence[str], training: Iterable[str], *, n: int = 13, max_documents: int = 10
) -> list[bool]:
    """Whether a run of `n` words of each text stands in the training text (GPT-3, appendix C).

    Runs that more than `max_documents` training documents have are boilerplate and don't count;
    a text of fewer than `n` words is compared whole.
    """
    runs = [_runs(text, n) for text in texts]
    wanted = {run for own in runs for run in own}
    lengths: dict[str, set[int]] = {}
    for run in wanted:
        lengths.setdefault(run[0], set()).add(len(run))
    seen: dict[tuple[str, ...], int] = {}
    for document in training:
        words = document.lower().split()
        found = {
            tuple(words[i : i + length])
            for i, word in enumerate(words)
            for length in lengths.get(word, ())
        }
        for run in found & wanted:
            seen[run] = seen.get(run, 0) + 1
    return [any(0 < seen.get(run, 0) <= max_documents for run in own) for own in runs]


def _runs(text: str, n: int) -> set[tuple[str, ...]]:
    words = text.lower().split()
    length = min(n, len(words))
    return (
        {tuple(words[i : i + length]) for i in range(len(words) - length + 1)} if words else set()
    )
