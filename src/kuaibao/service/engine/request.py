"""What is asked of the engine, and what comes back token by token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["FinishReason", "GenerationRequest", "Sampling", "TokenEvent"]

FinishReason = Literal["stop", "length", "cancelled", "deadline"]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn (OpenAI's names and ranges)."""

    max_tokens: int = 16
    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict[int, float])
    seed: int = 0
    n_logprobs: int | None = None
    """How many likeliest tokens to report at each position; None: no log-probabilities."""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One sequence to complete."""

    prompt: tuple[int, ...]
    sampling: Sampling
    stop: tuple[bytes, ...] = ()
    """UTF-8 of the stop strings."""
    score_prompt: bool = False
    """Report the log-probability of each prompt token given those before it."""
    tenant: str = ""
    """Whose queue it waits in: tenants take turns."""
    deadline: float | None = None
    """Monotonic time after which it is dropped."""


@dataclass(frozen=True, kw_only=True)
class TokenEvent:
    """One token, of the prompt when it is scored, or generated."""

    token: int
    is_prompt: bool = False
    logprob: float | None = None
    """Natural logarithm; None for the first token of a prompt."""
    top: tuple[tuple[int, float], ...] = ()
    """The likeliest tokens with their log-probabilities, best first."""
    finish_reason: FinishReason | None = None
    """Set on the last event."""
