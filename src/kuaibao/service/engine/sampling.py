"""From logits to a token: bias, penalties, temperature, nucleus, draw; all in float64.

The order is OpenAI's documented one: bias and penalties change the logits, temperature scales them,
`top_p` cuts the tail. Reported log-probabilities are those of the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kuaibao.service.engine.request import Sampling

__all__ = ["choose_token", "log_softmax", "top_logprobs"]

Floats = NDArray[np.floating]


def log_softmax(logits: Floats) -> NDArray[np.float64]:
    """Log-probabilities over the last axis, in float64."""
    x = logits.astype(np.float64)
    x -= x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def top_logprobs(logprobs: NDArray[np.float64], n: int) -> tuple[tuple[int, float], ...]:
    """The `n` likeliest tokens of one position, best first; ties go to the smaller id."""
    n = min(n, logprobs.shape[-1])
    if n == 0:
        return ()
    # All that tie with the n-th are candidates; argpartition alone would pick any of them.
    threshold = np.partition(logprobs, -n)[-n]
    candidates = np.flatnonzero(logprobs >= threshold)
    order = candidates[np.argsort(-logprobs[candidates], kind="stable")][:n]
    return tuple((int(i), float(logprobs[i])) for i in order)


def choose_token(
    logits: Floats,
    sampling: Sampling,
    counts: Mapping[int, int],
    generator: np.random.Generator,
) -> int:
    """Draw one token.

    Args:
        logits: (vocabulary,).
        sampling: The settings.
        counts: How often each token has been generated so far.
        generator: The sequence's own; exactly one draw is taken when the temperature is above 0,
            so that a batch cannot change what a sequence draws.
    """
    is_greedy = sampling.temperature == 0.0 or sampling.top_p == 0.0
    has_penalty = bool(counts and (sampling.presence_penalty or sampling.frequency_penalty))
    if is_greedy and not (sampling.logit_bias or has_penalty):
        return int(logits.argmax())
    x = logits.astype(np.float64)
    for token, bias in sampling.logit_bias.items():
        x[token] += bias
    if has_penalty:
        tokens = np.fromiter(counts.keys(), dtype=np.int64)
        times = np.fromiter(counts.values(), dtype=np.float64)
        x[tokens] -= sampling.presence_penalty + sampling.frequency_penalty * times
    if is_greedy:
        return int(x.argmax())
    x /= sampling.temperature
    x -= x.max()
    return _draw(np.exp(x), sampling.top_p, generator)


def _draw(weights: NDArray[np.float64], top_p: float, generator: np.random.Generator) -> int:
    """An index, drawn by weights of any sum."""
    uniform = generator.random()
    if top_p >= 1.0:
        cumulative = np.cumsum(weights)
        return int(min(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"),
                       len(cumulative) - 1))  # fmt: skip
    order = np.argsort(-weights, kind="stable")
    cumulative = np.cumsum(weights[order])
    # The smallest set whose probability reaches top_p; always at least one token.
    kept = int(np.searchsorted(cumulative, top_p * cumulative[-1], side="left")) + 1
    cumulative = cumulative[:kept]
    position = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return int(order[min(int(position), kept - 1)])
