"""Log-probabilities of given text: what search, evaluation and few-shot rest on."""

from __future__ import annotations

from collections.abc import Sequence

from kuaibao.service.completions import CompletionCall, Completions
from kuaibao.service.engine import Sampling
from kuaibao.service.service import Caller

__all__ = ["last_logprobs"]


async def last_logprobs(
    completions: Completions, caller: Caller, model: str, prompts: Sequence[tuple[int, ...]],
    n_last: int, *, user: str = "", endpoint: str,
) -> list[list[float]]:  # fmt: skip
    """The log-probability of each of the last `n_last` tokens of every prompt."""
    call = CompletionCall(
        model=model,
        prompts=tuple(prompts),
        sampling=Sampling(max_tokens=0, n_logprobs=0),
        echo=True,
        user=user,
        endpoint=endpoint,
    )
    run = await completions.complete(caller, call)
    found: list[list[float]] = []
    for choice in run.choices:
        events = [t.event for piece in choice.pieces for t in piece.tokens]
        found.append([event.logprob or 0.0 for event in events[-n_last:]])
    return found
