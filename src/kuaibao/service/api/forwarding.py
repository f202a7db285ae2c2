"""Requests for a model of another server: through the same ceilings, policy and ledger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi.responses import JSONResponse, Response

from kuaibao.service.api.forms import ChatForm, CompletionForm, EmbeddingForm
from kuaibao.service.api.streaming import event_stream
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.metering import Meter, metered
from kuaibao.service.policy import Side
from kuaibao.service.remote import RemoteServer, ask, stream
from kuaibao.service.service import Caller, Service

__all__ = ["forward"]

DEFAULT_TOKENS = 256
"""Set aside for an answer whose request names no length."""
CHARACTERS_A_TOKEN = 3
"""For the reservation only: the server's own count is what is billed."""

Form = CompletionForm | ChatForm | EmbeddingForm


async def forward(
    server: RemoteServer, path: str, form: Form, caller: Caller, service: Service
) -> Response:
    """Hand a request on and its answer back.

    With an output policy a stream is passed on when the whole of it has been examined.

    Raises:
        ApiError: A ceiling, the policy or the server refuses.
    """
    text = _text_in(form)
    body = form.model_dump(exclude_unset=True, exclude_none=True) | {"model": server.model}
    if body.get("user"):
        body["user"] = service.hash_end_user(body["user"])
    n_in, n_most = len(text) // CHARACTERS_A_TOKEN, _most_out(form, caller)
    endpoint = path.strip("/").replace("/", "-")
    meter = metered(
        service, caller, model=form.model or "", endpoint=endpoint, n_token=n_in, n_most=n_most
    )
    if isinstance(form, EmbeddingForm) or not form.stream:
        with meter as used:
            _let_pass(service, caller, "input", text, used)
            answer = await ask(server, path, body)
            _count(used, answer)
            if not isinstance(form, EmbeddingForm):
                _let_pass(service, caller, "output", _text_out(answer), used)
        return JSONResponse(answer | {"model": form.model})
    wants_usage = form.stream_options is not None and form.stream_options.include_usage
    body["stream_options"] = {"include_usage": True}

    async def events() -> AsyncIterator[list[Any]]:
        with meter as used:
            _let_pass(service, caller, "input", text, used)
            waits = bool(caller.application.policy.output)
            held: list[dict[str, Any]] = []
            async with aclosing(stream(server, path, body)) as parts:
                async for part in parts:
                    _count(used, part)
                    if not part.get("choices") and not wants_usage:
                        continue
                    part["model"] = form.model
                    if waits:
                        held.append(part)
                    else:
                        yield [part]
            _let_pass(service, caller, "output", "".join(map(_text_out, held)), used)
            yield held

    return event_stream(events(), {})


def _text_in(form: Form) -> str:
    if isinstance(form, ChatForm):
        return "\n".join(
            m.content if isinstance(m.content, str) else json.dumps(m.content, ensure_ascii=False)
            for m in form.messages
            if m.content
        )
    given = form.input if isinstance(form, EmbeddingForm) else form.prompt
    if given is None or isinstance(given, str):
        return given or ""
    # Token ids are the other server's: its policy cannot be run over them here.
    return "\n".join(part for part in given if isinstance(part, str))


def _most_out(form: Form, caller: Caller) -> int:
    if isinstance(form, EmbeddingForm):
        return 0
    asked = form.max_tokens
    if isinstance(form, ChatForm):
        asked = form.max_completion_tokens or asked
    ceiling = caller.application.ceilings.max_output_tokens
    if ceiling and (asked is None or asked > ceiling):
        raise InvalidRequestError(
            f"this application may ask for {ceiling} tokens, and a request must say how many",
            param="max_tokens",
            code="output_ceiling",
        )
    return (DEFAULT_TOKENS if asked is None else asked) * (form.n or 1)


def _count(used: Meter, answer: dict[str, Any]) -> None:
    usage = answer.get("usage")
    if isinstance(usage, dict):
        used.n_prompt_token = int(usage.get("prompt_tokens") or 0)
        used.n_completion_token = int(usage.get("completion_tokens") or 0)


def _text_out(answer: dict[str, Any]) -> str:
    pieces: list[str] = []
    for choice in answer.get("choices") or []:
        said = choice.get("message") or choice.get("delta") or {}
        pieces.append(choice.get("text") or said.get("content") or "")
    return "".join(pieces)


def _let_pass(service: Service, caller: Caller, side: Side, text: str, used: Meter) -> None:
    # Another server's words and requests are handed on as they are: nothing is redacted in them.
    service.guard.let_pass(
        caller.application, side, text, request_id=used.request_id, may_redact=False
    )
