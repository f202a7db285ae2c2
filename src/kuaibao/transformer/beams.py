"""Beam search: several continuations are followed at once, the best by length-normalised score.

The rules are those of transformers, so that beams agree: of 2 · num_beams candidates the finished
ones among the first num_beams are kept with score / length^penalty, the search of a prompt ends
when num_beams are finished and the best unfinished one could not overtake them at its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from kuaibao.transformer.errors import GenerationError
from kuaibao.transformer.generation import Generated, check_prompts, give_memory
from kuaibao.transformer.sampling import Sampling, adjust_logits
from kuaibao.transformer.stepping import Stepper

__all__ = ["beam_search"]


@dataclass
class _Beam:
    tokens: list[int]
    score: float
    """Sum of log-probabilities."""
    slot: int


@dataclass
class _Search:
    """The state of one prompt."""

    prompt: list[int]
    beams: list[_Beam]
    finished: list[Generated] = field(default_factory=list[Generated])
    is_done: bool = False


def beam_search(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    early_stopping: bool = False,
    sampling: Sampling | None = None,
    n: int = 1,
    eos_id: int | None = None,
    sources: Sequence[Sequence[int]] | None = None,
    on_token: Callable[[int], None] = lambda n_done: None,
) -> list[list[Generated]]:
    """The `n` best continuations of each prompt.

    Args:
        model: `Decoder`, or `EncoderDecoder` with `sources`.
        prompts: Token ids of each; for an encoder-decoder its start token.
        num_beams: Continuations that are followed.
        max_new_tokens: At most so many, the end token included; an encoder-decoder is made to end.
        length_penalty: A finished text's score is divided by its length to this power.
        early_stopping: End as soon as `num_beams` are finished.
        sampling: Only its penalties, bias and ban on repeated n-grams count.
        n: At most `num_beams`.
        eos_id: The end token; the model's own if not given.
        sources: The encoder's input of each prompt.
        on_token: Told after each step how many tokens are done.

    Raises:
        GenerationError: Settings out of range, or no end token.
    """
    if not 1 <= n <= num_beams:
        raise GenerationError(f"n must lie from 1 to num_beams ({num_beams}), got {n}")
    check_prompts(model, prompts, max_new_tokens)
    end = model.config.eos_id if eos_id is None else eos_id
    longest = max(map(len, prompts))
    stepper = Stepper(model, len(prompts) * num_beams, longest + max(0, max_new_tokens - 1))
    if sources is not None:
        give_memory(model, stepper, [list(s) for s in sources], num_beams)
    searches, logits = _begin(stepper, prompts, num_beams)
    for step in range(max_new_tokens):
        scores = torch.log_softmax(logits.float(), -1)
        scores = _adjusted(scores, searches, sampling)
        if end is not None and model.config.is_encoder_decoder and step == max_new_tokens - 1:
            scores = torch.full_like(scores, float("-inf"))
            scores[:, end] = 0.0
        is_last = step == max_new_tokens - 1
        row = 0
        for search in searches:
            if not search.is_done:
                own = scores[row : row + len(search.beams)]
                row += len(search.beams)
                _advance(search, own, num_beams, end, length_penalty, early_stopping, is_last)
        on_token(step + 1)
        if is_last or all(search.is_done for search in searches):
            break
        logits = _step(stepper, searches)
    return [search.finished[:n] for search in searches]


def _begin(
    stepper: Stepper, prompts: Sequence[Sequence[int]], num_beams: int
) -> tuple[list[_Search], Tensor]:
    """Read each prompt once; all its beams start from it, only the first may be chosen from."""
    firsts = [i * num_beams for i in range(len(prompts))]
    searches = [
        _Search(list(prompt), [_Beam([], 0.0, first)])
        for prompt, first in zip(prompts, firsts, strict=True)
    ]
    if all(len(prompt) == 1 for prompt in prompts):
        return searches, stepper.step(firsts, [prompt[0] for prompt in prompts])
    logits = [stepper.prefill(f, p) for f, p in zip(firsts, prompts, strict=True)]
    return searches, torch.cat(logits)


def _adjusted(scores: Tensor, searches: list[_Search], sampling: Sampling | None) -> Tensor:
    if sampling is None:
        return scores
    live = [(search.prompt, beam.tokens) for search in searches if not search.is_done
            for beam in search.beams]  # fmt: skip
    return adjust_logits(scores, sampling, [p for p, _ in live], [t for _, t in live])


def _advance(
    search: _Search, scores: Tensor, num_beams: int, end: int | None, length_penalty: float,
    early_stopping: bool, is_last: bool,
) -> None:  # fmt: skip
    """One token for every beam of a prompt."""
    sums = torch.tensor([beam.score for beam in search.beams], device=scores.device)
    total = (scores + sums[:, None]).flatten()
    best, where = total.topk(min(2 * num_beams, len(total)))
    n_vocabulary = scores.shape[1]
    going: list[_Beam] = []
    for rank, (score, place) in enumerate(zip(best.tolist(), where.tolist(), strict=True)):
        beam, token = search.beams[place // n_vocabulary], place % n_vocabulary
        is_end = token == end
        if (is_end or is_last) and rank < num_beams and score > float("-inf"):
            _finish(search, beam, token, score, num_beams, length_penalty, is_end)
        elif not is_end and len(going) < num_beams:
            going.append(_Beam([*beam.tokens, token], score, beam.slot))
    search.beams = going
    length = len(going[0].tokens) if going else 1
    is_full = len(search.finished) == num_beams
    could_win = bool(going) and going[0].score / length**length_penalty > min(
        (g.score for g in search.finished), default=float("-inf")
    )
    search.is_done = is_last or not going or (is_full and (early_stopping or not could_win))


def _finish(
    search: _Search, beam: _Beam, token: int, score: float, num_beams: int, length_penalty: float,
    is_end: bool,
) -> None:  # fmt: skip
    length = len(beam.tokens) + 1
    text = beam.tokens if is_end else [*beam.tokens, token]
    reason = "stop" if is_end else "length"
    search.finished.append(Generated(text, [], reason, score / length**length_penalty))
    search.finished.sort(key=lambda g: -g.score)
    del search.finished[num_beams:]


def _step(stepper: Stepper, searches: list[_Search]) -> Tensor:
    """Give every beam the cache it grew from, and append its last token."""
    order = torch.arange(stepper.cache.n_slot, device=stepper.model.device)
    slots: list[int] = []
    tokens: list[int] = []
    num_beams = stepper.cache.n_slot // len(searches)
    for i, search in enumerate(searches):
        if search.is_done:
            continue
        for rank, beam in enumerate(search.beams):
            slot = i * num_beams + rank
            order[slot] = beam.slot
            beam.slot = slot
            slots.append(slot)
            tokens.append(beam.tokens[-1])
    stepper.reorder(order)
    return stepper.step(slots, tokens)
