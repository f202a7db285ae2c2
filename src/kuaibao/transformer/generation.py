"""Text from a model: drawing, best-of and stop sequences, with log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from kuaibao.transformer.errors import GenerationError
from kuaibao.transformer.sampling import Sampling, adjust_logits, sample
from kuaibao.transformer.stepping import Stepper

__all__ = ["Generated", "check_prompts", "generate", "give_memory", "log_probabilities", "pad"]


@dataclass
class Generated:
    """One continuation."""

    tokens: list[int] = field(default_factory=list[int])
    """Without the prompt, and without the stop sequence or end token that ended it."""
    log_probabilities: list[float] = field(default_factory=list[float])
    """Of each token under the model itself, before penalties and temperature."""
    finish_reason: str = "length"
    """`stop`, or `length` where the limit ended it."""
    score: float = 0.0
    """What best-of and beams are ranked by."""


def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int = 16,
    sampling: Sampling | None = None,
    stop: Sequence[Sequence[int]] = (),
    n: int = 1,
    best_of: int | None = None,
    seed: int | None = None,
    eos_id: int | None = None,
    sources: Sequence[Sequence[int]] | None = None,
    on_token: Callable[[int], None] = lambda n_done: None,
) -> list[list[Generated]]:
    """Continue prompts of any lengths; each gets the text that it would get alone.

    Args:
        model: `Decoder`, or `EncoderDecoder` with `sources`.
        prompts: Token ids of each, at least one.
        max_new_tokens: At most so many tokens.
        sampling: How tokens are drawn; the likeliest if not given.
        stop: Runs of tokens that end a text.
        n: Continuations of each prompt.
        best_of: How many to draw; the `n` with the highest mean log-probability are kept.
        seed: Makes draws repeatable, for each prompt and continuation by its place.
        eos_id: The end token; the model's own if not given.
        sources: For an encoder-decoder the encoder's input of each prompt.
        on_token: Told after each step how many tokens are done.

    Returns:
        For each prompt its `n` continuations.

    Raises:
        GenerationError: Settings out of range, an empty prompt, a token that the model lacks, or
            more positions than it has.
    """
    sampling = sampling or Sampling(temperature=0)
    drawn = best_of or n
    check_prompts(model, prompts, max_new_tokens)
    if not 1 <= n <= drawn:
        raise GenerationError(f"best_of ≥ n ≥ 1 is wanted, got n={n}, best_of={best_of}")
    end = model.config.eos_id if eos_id is None else eos_id
    rows = [list(p) for p in prompts for _ in range(drawn)]
    # The last new token is never read, so it needs no position.
    stepper = Stepper(model, len(rows), max(map(len, rows)) + max(0, max_new_tokens - 1))
    if sources is not None:
        give_memory(model, stepper, [list(s) for s in sources], drawn)
    generators = _generators(model, len(rows), seed)
    results = [Generated() for _ in rows]
    logits = torch.cat([_read(stepper, i, row, i % drawn) for i, row in enumerate(rows)])
    going = list(range(len(rows)))
    for step in range(max_new_tokens):
        chosen = _draw(logits, going, rows, results, sampling, generators)
        kept = _accept(chosen, logits, going, results, stop, end)
        going = [going[i] for i in kept]
        on_token(step + 1)
        if not going or step + 1 == max_new_tokens:
            break
        logits = stepper.step(going, chosen[kept])
    for result in results:
        result.score = _mean(result.log_probabilities)
    return [_best(results[i * drawn : (i + 1) * drawn], n) for i in range(len(prompts))]


def check_prompts(model: Any, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> None:
    """Raise `GenerationError` for prompts that the model can't read."""
    n_token = model.tokens.num_embeddings
    if not prompts:
        raise GenerationError("no prompts")
    if max_new_tokens < 0:
        raise GenerationError(f"max_new_tokens must not be negative, got {max_new_tokens}")
    for prompt in prompts:
        if len(prompt) == 0:
            raise GenerationError("a prompt is empty", hint="Begin with the start or end token.")
        if not all(0 <= t < n_token for t in prompt):
            raise GenerationError(f"a prompt holds a token outside 0 … {n_token - 1}")


def _read(stepper: Stepper, slot: int, row: list[int], copy: int) -> Tensor:
    """Read a prompt; a further continuation of the same prompt takes over its cache."""
    if copy == 0:
        return stepper.prefill(slot, row)
    stepper.cache.copy(slot - copy, slot, len(row) - 1)
    return stepper.prefill(slot, row[-1:])


def give_memory(model: Any, stepper: Stepper, sources: list[list[int]], n_copy: int = 1) -> None:
    """Run the encoder over each source once; `n_copy` slots in a row then look at it."""
    ids, mask = pad(sources, model.config.pad_id or 0, model.device)
    with torch.inference_mode():
        stepper.set_memory(model.encode(ids, mask), mask, n_copy)


def pad(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of one length, padded at the end, and the mask of what is real."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad_id, device=device)
    mask = torch.zeros((len(rows), longest), dtype=torch.long, device=device)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(list(row), device=device)
        mask[i, : len(row)] = 1
    return ids, mask


def _generators(model: Any, n: int, seed: int | None) -> list[torch.Generator | None]:
    if seed is None:
        return [None] * n
    return [torch.Generator(device=model.device).manual_seed(seed + i) for i in range(n)]


def _draw(
    logits: Tensor, going: list[int], rows: list[list[int]], results: list[Generated],
    sampling: Sampling, generators: list[torch.Generator | None],
) -> Tensor:  # fmt: skip
    adjusted = adjust_logits(
        logits, sampling, [rows[i] for i in going], [results[i].tokens for i in going]
    )
    return sample(adjusted, sampling, [generators[i] for i in going])


def _accept(
    chosen: Tensor, logits: Tensor, going: list[int], results: list[Generated],
    stop: Sequence[Sequence[int]], end: int | None,
) -> list[int]:  # fmt: skip
    """Note the tokens; gives the places in `going` that go on."""
    scores = torch.log_softmax(logits.float(), -1).gather(1, chosen[:, None])[:, 0].tolist()
    kept: list[int] = []
    for place, (row, token, score) in enumerate(zip(going, chosen.tolist(), scores, strict=True)):
        result = results[row]
        if token == end:
            result.finish_reason = "stop"
            continue
        result.tokens.append(token)
        result.log_probabilities.append(score)
        ended = next((s for s in stop if s and result.tokens[-len(s) :] == list(s)), None)
        if ended is None:
            kept.append(place)
        else:
            del result.tokens[-len(ended) :], result.log_probabilities[-len(ended) :]
            result.finish_reason = "stop"
    return kept


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _best(drawn: list[Generated], n: int) -> list[Generated]:
    return drawn if len(drawn) == n else sorted(drawn, key=lambda g: -g.score)[:n]


@torch.inference_mode()
def log_probabilities(model: Any, tokens: Sequence[int]) -> list[float]:
    """Log-probability of each token after the first, given those before it."""
    ids = torch.tensor([list(tokens)], device=model.device)
    logits = model(ids[:, :-1])[0].float()
    scores = torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None])
    return scores[:, 0].tolist()
