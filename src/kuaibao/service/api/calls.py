"""From a form to a checked call, and from a run to OpenAI's answer."""

from __future__ import annotations

import secrets
from typing import Any

from kuaibao.service.api.forms import CompletionForm, Prompt, SamplingForm
from kuaibao.service.completions import Choice, CompletionCall, Run
from kuaibao.service.engine import LanguageModel, Sampling
from kuaibao.service.engine.text import Piece, token_name
from kuaibao.service.errors import InvalidRequestError

__all__ = [
    "completion_answer",
    "completion_call",
    "completion_chunk",
    "encode_prompts",
    "sampling_of",
    "stops_of",
    "usage_of",
]


def encode_prompts(prompt: Prompt | None, model: LanguageModel) -> tuple[tuple[int, ...], ...]:
    """All four prompt forms as token ids; an empty one is the start of a text.

    Raises:
        InvalidRequestError: A token id beyond the vocabulary.
    """
    start = (model.end_token,)
    if prompt is None:
        return (start,)
    if isinstance(prompt, str):
        return (tuple(model.encode(prompt)) or start,)
    prompts: list[tuple[int, ...]] = []
    single: list[int] = []
    for part in prompt:
        if isinstance(part, str):
            prompts.append(tuple(model.encode(part)) or start)
        elif isinstance(part, int):
            single.append(part)
        else:
            prompts.append(tuple(part))
    if single:
        prompts.append(tuple(single))
    for tokens in prompts:
        highest = max(tokens)
        if highest >= model.n_vocabulary:
            raise InvalidRequestError(
                f"token {highest} is not in the vocabulary of {model.n_vocabulary} tokens",
                param="prompt",
            )
    return tuple(prompts)


def sampling_of(
    form: SamplingForm, model: LanguageModel, max_tokens: int, n_logprobs: int | None
) -> Sampling:
    """The settings of a form; without a seed one is drawn.

    Raises:
        InvalidRequestError: `logit_bias` names something that is no token.
    """
    bias: dict[int, float] = {}
    for name, value in (form.logit_bias or {}).items():
        if not name.isascii() or not name.isdigit() or int(name) >= model.n_vocabulary:
            raise InvalidRequestError(
                f"logit_bias: {name!r} is no token id of this model", param="logit_bias"
            )
        bias[int(name)] = value
    seed = form.seed if form.seed is not None else secrets.randbits(63)
    return Sampling(
        max_tokens=max_tokens,
        temperature=1.0 if form.temperature is None else form.temperature,
        top_p=1.0 if form.top_p is None else form.top_p,
        presence_penalty=form.presence_penalty or 0.0,
        frequency_penalty=form.frequency_penalty or 0.0,
        logit_bias=bias,
        seed=seed % 2**63,
        n_logprobs=n_logprobs,
    )


def stops_of(stop: str | list[str] | None) -> tuple[str, ...]:
    """The stop strings; empty ones do not count."""
    strings = [stop] if isinstance(stop, str) else (stop or [])
    return tuple(s for s in strings if s)


def completion_call(form: CompletionForm, model: LanguageModel) -> CompletionCall:
    """The call that a form asks for.

    Raises:
        InvalidRequestError: Fields that do not go together.
    """
    if form.suffix:
        raise InvalidRequestError(
            "insertion (suffix) is not supported: these models only continue a text",
            param="suffix",
        )
    n = form.n or 1
    best_of = form.best_of or n
    if best_of < n:
        raise InvalidRequestError(f"best_of ({best_of}) must be at least n ({n})", param="best_of")
    if form.stream and best_of > n:
        raise InvalidRequestError("best_of cannot be streamed", param="best_of")
    max_tokens = 16 if form.max_tokens is None else form.max_tokens
    prompts = encode_prompts(form.prompt, model)
    if len(prompts) * best_of > 128:
        raise InvalidRequestError(
            f"{len(prompts)} prompts x {best_of} candidates: at most 128 at once", param="best_of"
        )
    return CompletionCall(
        model=model.name,
        prompts=prompts,
        sampling=sampling_of(form, model, max_tokens, form.logprobs),
        n=n,
        best_of=best_of,
        stop=stops_of(form.stop),
        echo=bool(form.echo),
        user=form.user or "",
    )


def usage_of(run: Run) -> dict[str, int]:
    """Tokens of a run; all candidates of `best_of` count."""
    return {
        "prompt_tokens": run.n_prompt_token,
        "completion_tokens": run.n_completion_token,
        "total_tokens": run.n_prompt_token + run.n_completion_token,
    }


def completion_answer(run: Run, model: LanguageModel) -> dict[str, Any]:
    """The `text_completion` object."""
    choices = [
        {
            "text": choice.text,
            "index": choice.index,
            "logprobs": _logprobs(choice.pieces, run, model),
            "finish_reason": choice.finish_reason,
        }
        for choice in run.choices
    ]
    return _head(run) | {"choices": choices, "usage": usage_of(run)}


def completion_chunk(run: Run, choice: Choice, piece: Piece, model: LanguageModel) -> Any:
    """One event of a stream."""
    body = {
        "text": piece.text,
        "index": choice.index,
        "logprobs": _logprobs([piece], run, model),
        "finish_reason": piece.finish_reason,
    }
    return _head(run) | {"choices": [body]}


def _head(run: Run) -> dict[str, Any]:
    return {
        "id": run.request_id,
        "object": "text_completion",
        "created": run.created,
        "model": run.call.model,
    }


def _logprobs(pieces: list[Piece], run: Run, model: LanguageModel) -> dict[str, Any] | None:
    n = run.call.sampling.n_logprobs
    if n is None:
        return None
    names: list[str] = []
    logprobs: list[float | None] = []
    tops: list[dict[str, float] | None] = []
    offsets: list[int] = []
    for piece in pieces:
        for token in piece.tokens:
            event = token.event
            name = token_name(model.token_bytes(event.token))
            names.append(name)
            logprobs.append(event.logprob)
            offsets.append(token.offset)
            tops.append(_top(event.top, event.token, event.logprob, model))
    return {
        "tokens": names,
        "token_logprobs": logprobs,
        "top_logprobs": tops if n else None,
        "text_offset": offsets,
    }


def _top(
    top: tuple[tuple[int, float], ...], token: int, logprob: float | None, model: LanguageModel
) -> dict[str, float] | None:
    """The likeliest tokens, and the chosen one if it is not among them."""
    if logprob is None:
        return None
    named = {token_name(model.token_bytes(t)): p for t, p in top}
    named.setdefault(token_name(model.token_bytes(token)), logprob)
    return named
