"""Questions made of Debian's package descriptions, by the split that training holds out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from kuaibao.errors import InputError, did_you_mean
from kuaibao.gpt.documents import Document, iterate_documents, resolve_source
from kuaibao.gpt.few_shot import Choice

__all__ = ["debian_choices", "make_section_choices", "make_summary_choices"]

_SECTIONS = 6
_EXAMPLES = 5000
"""Training descriptions that examples are drawn from."""


def debian_choices(name: str, *, held_out: float = 0.02) -> tuple[list[Choice], list[Choice]]:
    """Questions of held-out descriptions, and such of training descriptions as examples.

    Args:
        name: `sections` or `summaries`.
        held_out: The share that training held out.

    Raises:
        InputError: Another name, or Debian's archive can't be reached.
    """
    if name not in _MAKERS:
        raise InputError(f"no questions 'debian:{name}'", hint=did_you_mean(name, _MAKERS))
    documents = list(iterate_documents([resolve_source("debian:descriptions", folder=Path())]))
    kept = [d for d in documents if d.is_held_out(held_out)]
    training = [d for d in documents if not d.is_held_out(held_out)]
    shown = random.Random(0).sample(training, min(_EXAMPLES, len(training)))
    return _MAKERS[name](kept), _MAKERS[name](shown)


def make_section_choices(documents: Sequence[Document]) -> list[Choice]:
    """Which of the six commonest sections a package belongs to, by name and summary."""
    heads = [head for d in documents if (head := _head(d.text))]
    counts = Counter(head["Section"] for head in heads)
    sections = sorted(name for name, _ in counts.most_common(_SECTIONS))
    options = tuple(f" {section}" for section in sections)
    return [
        Choice(f"Package: {h['Package']}\nSummary: {h['Summary']}\nSection:", options,
               sections.index(h["Section"]), "Section:")
        for h in heads if h["Section"] in sections
    ]  # fmt: skip


def make_summary_choices(
    documents: Sequence[Document], *, n_option: int = 4, seed: int = 0
) -> list[Choice]:
    """Which of some summaries belongs to a package of that name.

    Raises:
        InputError: Fewer descriptions than options.
    """
    heads = [head for d in documents if (head := _head(d.text))]
    if len(heads) < n_option:
        raise InputError(f"{len(heads)} descriptions are too few for {n_option} options")
    summaries = [head["Summary"] for head in heads]
    choices: list[Choice] = []
    for i, head in enumerate(heads):
        chance = random.Random(f"{seed}:{i}")
        others = chance.sample([j for j in range(len(heads)) if j != i], n_option - 1)
        answer = chance.randrange(n_option)
        options = [summaries[j] for j in others]
        options.insert(answer, head["Summary"])
        prompt = f"Package: {head['Package']}\nSummary:"
        choices.append(Choice(prompt, tuple(f" {o}" for o in options), answer, "Summary:"))
    return choices


_MAKERS: dict[str, Callable[[Sequence[Document]], list[Choice]]] = {
    "sections": make_section_choices,
    "summaries": make_summary_choices,
}


def _head(text: str) -> dict[str, str]:
    """Package, Summary and Section of a description; empty for another text."""
    lines = text.split("\n", 3)[:3]
    names = ("Package", "Summary", "Section")
    if len(lines) < 3 or not all(
        line.startswith(f"{n}: ") for line, n in zip(lines, names, strict=True)
    ):
        return {}
    return {n: line.split(": ", 1)[1] for line, n in zip(lines, names, strict=True)}
