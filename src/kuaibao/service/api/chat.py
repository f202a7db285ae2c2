"""`/v1/chat/completions`: turns written out as a plain text for a model that continues texts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from kuaibao.service.api.access import CallerOf, CompletionsOf
from kuaibao.service.api.calls import sampling_of, stops_of, usage_of
from kuaibao.service.api.completions import limit_headers
from kuaibao.service.api.forms import ChatForm, ChatMessage
from kuaibao.service.api.forwarding import forward
from kuaibao.service.api.streaming import event_stream
from kuaibao.service.completions import Choice, CompletionCall, Run
from kuaibao.service.engine import LanguageModel
from kuaibao.service.engine.text import Piece, token_name
from kuaibao.service.errors import InvalidRequestError

__all__ = ["render_chat", "router"]

router = APIRouter(tags=["chat"])

_NAMES = {"user": "User", "assistant": "Assistant"}
_STOP = "\nUser:"


def render_chat(messages: Sequence[ChatMessage]) -> str:
    """The dialogue as a text that ends where the assistant begins to speak.

    Raises:
        InvalidRequestError: A message holds something other than text.
    """
    lines: list[str] = []
    for message in messages:
        text = _text_of(message)
        name = _NAMES.get(message.role)
        lines.append(f"{name}: {text}" if name else text)
    return "\n".join([*lines, "Assistant:"])


def _text_of(message: ChatMessage) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    parts: list[str] = []
    for part in message.content:
        if part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise InvalidRequestError(
                f"this model reads text, not {part.get('type')!r}", param="messages"
            )
        parts.append(part["text"])
    return "\n".join(parts)


@router.post("/v1/chat/completions")
async def create_chat_completion(
    form: ChatForm, caller: CallerOf, completions: CompletionsOf
) -> Response:
    """Answer a dialogue."""
    caller.require("complete")
    service = completions.service
    if server := service.pool.spec(form.model).remote:
        return await forward(server, "/chat/completions", form, caller, service)
    if form.tools:
        raise InvalidRequestError("this model calls no tools", param="tools")
    if form.response_format and form.response_format.get("type") not in (None, "text"):
        raise InvalidRequestError("only plain text is written here", param="response_format")
    model = (await completions.scheduler(form.model)).model
    call = _call(form, model)
    if form.stream:
        run, pieces = await completions.start(caller, call)
        include_usage = form.stream_options is not None and form.stream_options.include_usage
        scored_by = model if form.logprobs else None
        return event_stream(
            _events(run, pieces, scored_by, include_usage), limit_headers(caller, completions)
        )
    run = await completions.complete(caller, call)
    return JSONResponse(_answer(run, form, model), headers=limit_headers(caller, completions))


def _call(form: ChatForm, model: LanguageModel) -> CompletionCall:
    prompt = tuple(model.encode(render_chat(form.messages)))
    room = max(1, model.n_context - len(prompt))
    max_tokens = form.max_completion_tokens or form.max_tokens or min(256, room)
    n_logprobs = (form.top_logprobs or 0) if form.logprobs else None
    n = form.n or 1
    if n > 128:
        raise InvalidRequestError("n is at most 128", param="n")
    return CompletionCall(
        model=model.name,
        prompts=(prompt,),
        sampling=sampling_of(form, model, max_tokens, n_logprobs),
        n=n,
        best_of=n,
        stop=(*stops_of(form.stop), _STOP),
        user=form.user or "",
        endpoint="chat",
    )


def _head(run: Run, kind: str) -> dict[str, Any]:
    return {
        "id": run.request_id.replace("cmpl-", "chatcmpl-"),
        "object": kind,
        "created": run.created,
        "model": run.call.model,
    }


def _answer(run: Run, form: ChatForm, model: LanguageModel) -> dict[str, Any]:
    choices = [
        {
            "index": choice.index,
            "message": {"role": "assistant", "content": choice.text.strip(), "refusal": None},
            "logprobs": _logprobs(choice.pieces, model) if form.logprobs else None,
            "finish_reason": choice.finish_reason,
        }
        for choice in run.choices
    ]
    return _head(run, "chat.completion") | {"choices": choices, "usage": usage_of(run)}


def _logprobs(pieces: Sequence[Piece], model: LanguageModel) -> dict[str, Any]:
    def entry(token: int, logprob: float) -> dict[str, Any]:
        raw = model.token_bytes(token)
        return {"token": token_name(raw), "logprob": logprob, "bytes": list(raw)}

    content = [
        entry(token.event.token, token.event.logprob or 0.0)
        | {"top_logprobs": [entry(t, p) for t, p in token.event.top]}
        for piece in pieces
        for token in piece.tokens
    ]
    return {"content": content, "refusal": None}


async def _events(
    run: Run, pieces: Any, scored_by: LanguageModel | None, include_usage: bool
) -> AsyncIterator[list[Any]]:
    begun: set[int] = set()
    head = _head(run, "chat.completion.chunk")
    async with aclosing(pieces) as stream:
        async for batch in stream:
            bodies = [_delta(choice, piece, begun, scored_by) for choice, piece in batch]
            if chunks := [head | {"choices": [body]} for body in bodies if body]:
                yield chunks
    if include_usage:
        yield [head | {"choices": [], "usage": usage_of(run)}]


def _delta(
    choice: Choice, piece: Piece, begun: set[int], scored_by: LanguageModel | None
) -> dict[str, Any] | None:
    """What a piece adds to a choice; the first one names the role. None: nothing."""
    if choice.index not in begun:
        begun.add(choice.index)
        delta = {"role": "assistant"}
        if text := piece.text.lstrip():
            delta["content"] = text
    elif piece.text or piece.finish_reason or (scored_by and piece.tokens):
        delta = {"content": piece.text}
    else:
        return None
    body = {"index": choice.index, "delta": delta, "finish_reason": piece.finish_reason}
    return body | ({"logprobs": _logprobs([piece], scored_by)} if scored_by else {})
