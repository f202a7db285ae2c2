"""From logits to the next token: penalties, bias, temperature, top-k, top-p, repeated n-grams.

The order is that of OpenAI's API and of transformers: repetition, then presence and frequency, then
bias, then temperature, then top-k, then top-p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from kuaibao.transformer.errors import GenerationError

__all__ = ["Sampling", "adjust_logits", "banned_by_ngrams", "sample", "truncate"]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn; the defaults draw from the model's own distribution.

    Raises:
        GenerationError: A setting out of range.
    """

    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_k: int = 0
    """Only so many likeliest tokens; 0 for all."""
    top_p: float = 1.0
    """Only the likeliest tokens that together reach this probability."""
    repetition_penalty: float = 1.0
    """Divides the positive logits of tokens seen, prompt included (Keskar et al. 2019)."""
    presence_penalty: float = 0.0
    """Taken once from the logit of each token generated before."""
    frequency_penalty: float = 0.0
    """Taken as often as the token was generated."""
    logit_bias: Mapping[int, float] = field(default_factory=dict[int, float])
    no_repeat_ngram_size: int = 0
    """No run of so many tokens twice; 0 for no ban."""

    @property
    def is_plain(self) -> bool:
        """Whether logits stay as they are: no penalty, no bias, no ban."""
        return (
            self.repetition_penalty == 1.0 and not self.logit_bias
            and not (self.presence_penalty or self.frequency_penalty)
            and not self.no_repeat_ngram_size
        )  # fmt: skip

    def __post_init__(self) -> None:
        """Check the ranges."""
        rules = {
            "temperature": self.temperature >= 0,
            "top_k": self.top_k >= 0,
            "top_p": 0 <= self.top_p <= 1,
            "repetition_penalty": self.repetition_penalty > 0,
            "no_repeat_ngram_size": self.no_repeat_ngram_size >= 0,
        }
        for name, is_right in rules.items():
            if not is_right:
                raise GenerationError(f"{name} is out of range: {getattr(self, name)}")


def adjust_logits(
    logits: Tensor, sampling: Sampling, prompts: Sequence[Sequence[int]],
    generated: Sequence[Sequence[int]],
) -> Tensor:  # fmt: skip
    """Penalties, bias and bans: (batch, vocabulary), a new tensor where there are any."""
    if sampling.is_plain:
        return logits.float()
    logits = logits.float().clone()
    for i, (prompt, tokens) in enumerate(zip(prompts, generated, strict=True)):
        _penalize(logits[i], sampling, prompt, tokens)
    return logits


def _penalize(
    row: Tensor, sampling: Sampling, prompt: Sequence[int], tokens: Sequence[int]
) -> None:
    n_vocabulary = len(row)
    if sampling.repetition_penalty != 1.0:
        seen = torch.tensor(
            sorted({t for t in (*prompt, *tokens) if t < n_vocabulary}), device=row.device
        )
        scores = row[seen]
        row[seen] = torch.where(
            scores < 0, scores * sampling.repetition_penalty, scores / sampling.repetition_penalty
        )
    if tokens and (sampling.presence_penalty or sampling.frequency_penalty):
        found, counts = torch.tensor(tokens, device=row.device).unique(return_counts=True)
        row[found] -= sampling.presence_penalty + sampling.frequency_penalty * counts
    for token, bias in sampling.logit_bias.items():
        row[token] += bias
    if sampling.no_repeat_ngram_size:
        banned = banned_by_ngrams([*prompt, *tokens], sampling.no_repeat_ngram_size)
        row[[t for t in banned if t < n_vocabulary]] = float("-inf")


def banned_by_ngrams(tokens: Sequence[int], n: int) -> list[int]:
    """Tokens that would end a run of `n` that stands in `tokens` already."""
    if len(tokens) < n:
        return []
    last = tuple(tokens[len(tokens) - n + 1 :])
    return [
        tokens[i + n - 1]
        for i in range(len(tokens) - n + 1)
        if tuple(tokens[i : i + n - 1]) == last
    ]


def sample(
    logits: Tensor, sampling: Sampling, generators: Sequence[torch.Generator | None]
) -> Tensor:
    """Draw a token from each row, each with its own source of chance: (batch)."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    probabilities = torch.softmax(truncate(logits, sampling).double(), -1)
    drawn = [
        torch.multinomial(row, 1, generator=generator)
        for row, generator in zip(probabilities, generators, strict=True)
    ]
    return torch.cat(drawn)


def truncate(logits: Tensor, sampling: Sampling) -> Tensor:
    """Logits (batch, vocabulary) by a temperature above 0; -inf outside top-k and top-p."""
    scores = logits / sampling.temperature
    if sampling.top_k and sampling.top_k < scores.shape[-1]:
        least = scores.topk(sampling.top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    if sampling.top_p < 1.0:
        scores = _nucleus(scores, sampling.top_p)
    return scores


def _nucleus(scores: Tensor, top_p: float) -> Tensor:
    ordered, order = scores.sort(descending=True)
    mass = torch.softmax(ordered, -1).cumsum(-1)
    # A token stays while the mass before it is below top_p: the first one always does.
    dropped = (mass - torch.softmax(ordered, -1)) >= top_p
    dropped[:, 0] = False
    return scores.masked_fill(dropped.scatter(1, order, dropped), float("-inf"))
