"""`/v1/completions` and, by the same handler, `/v1/engines/{id}/completions` of 2020."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from kuaibao.service.api.access import CallerOf, CompletionsOf
from kuaibao.service.api.calls import (
    completion_answer,
    completion_call,
    completion_chunk,
    usage_of,
)
from kuaibao.service.api.content_filter import content_filter_answer, is_content_filter
from kuaibao.service.api.forms import CompletionForm
from kuaibao.service.api.forwarding import forward
from kuaibao.service.api.streaming import event_stream
from kuaibao.service.completions import Completions
from kuaibao.service.engine import LanguageModel
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.service import Caller

__all__ = ["limit_headers", "router"]

router = APIRouter(tags=["completions"])


@router.post("/v1/completions")
async def create_completion(
    form: CompletionForm, caller: CallerOf, completions: CompletionsOf
) -> Response:
    """Continue one or more prompts."""
    if not form.model:
        raise InvalidRequestError("you must provide a model parameter", param="model")
    return await _complete(form, caller, completions)


@router.post("/v1/engines/{engine_id}/completions")
async def create_engine_completion(
    engine_id: str, form: CompletionForm, caller: CallerOf, completions: CompletionsOf
) -> Response:
    """The same, as it was called in 2020."""
    return await _complete(form.model_copy(update={"model": engine_id}), caller, completions)


async def _complete(form: CompletionForm, caller: Caller, completions: Completions) -> Response:
    caller.require("complete")
    if is_content_filter(form.model):
        return JSONResponse(content_filter_answer(form))
    service = completions.service
    if server := service.pool.spec(form.model).remote:
        return await forward(server, "/completions", form, caller, service)
    model = (await completions.scheduler(form.model)).model
    call = completion_call(form, model)
    if form.stream:
        run, pieces = await completions.start(caller, call)
        include_usage = form.stream_options is not None and form.stream_options.include_usage
        return event_stream(
            _events(run, pieces, model, include_usage), limit_headers(caller, completions)
        )
    run = await completions.complete(caller, call)
    headers = limit_headers(caller, completions) | {"openai-model": model.name}
    return JSONResponse(completion_answer(run, model), headers=headers)


async def _events(
    run: Any, pieces: Any, model: LanguageModel, include_usage: bool
) -> AsyncIterator[list[Any]]:
    async with aclosing(pieces) as stream:
        async for batch in stream:
            chunks = [
                completion_chunk(run, choice, piece, model)
                for choice, piece in batch
                if piece.text or piece.tokens or piece.finish_reason
            ]
            if chunks:
                yield chunks
    if include_usage:
        yield [completion_chunk_of_usage(run)]


def completion_chunk_of_usage(run: Any) -> dict[str, Any]:
    """The last chunk of a stream whose client asked for usage."""
    return {
        "id": run.request_id,
        "object": "text_completion",
        "created": run.created,
        "model": run.call.model,
        "choices": [],
        "usage": usage_of(run),
    }


def limit_headers(caller: Caller, completions: Completions) -> dict[str, str]:
    """`x-ratelimit-*` for the caller's application."""
    application = caller.application
    return completions.service.quotas.headers(application.application_id, application.ceilings)
