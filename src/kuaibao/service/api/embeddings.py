"""`/v1/embeddings`: one unit vector a text."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from numpy.typing import NDArray

from kuaibao.service.api.access import CallerOf, CompletionsOf
from kuaibao.service.api.calls import encode_prompts
from kuaibao.service.api.forms import EmbeddingForm
from kuaibao.service.api.forwarding import forward
from kuaibao.service.completions import Completions, pass_prompts
from kuaibao.service.engine import Scheduler
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.metering import metered
from kuaibao.service.service import Caller

__all__ = ["router"]

router = APIRouter(tags=["embeddings"])


@router.post("/v1/embeddings")
async def create_embedding(
    form: EmbeddingForm, caller: CallerOf, completions: CompletionsOf
) -> Any:
    """A vector for each text, of length 1."""
    if not form.model:
        raise InvalidRequestError("you must provide a model parameter", param="model")
    return await _embed(form, caller, completions)


@router.post("/v1/engines/{engine_id}/embeddings")
async def create_engine_embedding(
    engine_id: str, form: EmbeddingForm, caller: CallerOf, completions: CompletionsOf
) -> Any:
    """The same, as it was called in 2021."""
    return await _embed(form.model_copy(update={"model": engine_id}), caller, completions)


async def _embed(
    form: EmbeddingForm, caller: Caller, completions: Completions
) -> dict[str, Any] | Response:
    caller.require("embed")
    service = completions.service
    if server := service.pool.spec(form.model).remote:
        return await forward(server, "/embeddings", form, caller, service)
    scheduler = await completions.scheduler(form.model, is_exact=True)
    prompts = encode_prompts(form.input, scheduler.model)
    for prompt in prompts:
        if len(prompt) > scheduler.model.n_context:
            raise InvalidRequestError(
                f"{len(prompt)} tokens do not fit the context of {scheduler.model.n_context}",
                param="input",
                code="context_length_exceeded",
            )
    n_token = sum(len(p) for p in prompts)
    meter = metered(service, caller, model=form.model, endpoint="embeddings", n_token=n_token)
    with meter as used:
        if caller.application.policy.input:
            prompts = await asyncio.to_thread(
                pass_prompts, service.guard, caller.application, prompts, scheduler.model,
                used.request_id,
            )  # fmt: skip
        vectors = await asyncio.to_thread(_vectors, scheduler, prompts)
    data = [
        {"object": "embedding", "index": i, "embedding": _encode(_cut(v, form.dimensions), form)}
        for i, v in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": data,
        "model": form.model,
        "usage": {"prompt_tokens": n_token, "total_tokens": n_token},
    }


def _vectors(
    scheduler: Scheduler, prompts: tuple[tuple[int, ...], ...]
) -> list[NDArray[np.float32]]:
    vectors: list[NDArray[np.float32]] = []
    for prompt in prompts:
        scheduler.call(lambda p=prompt: vectors.append(scheduler.model.embed(p)))
    if len(vectors) != len(prompts):
        raise InvalidRequestError("this model gives no embeddings", param="model")
    return vectors


def _cut(vector: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    if dimensions is not None and dimensions > len(vector):
        raise InvalidRequestError(
            f"this model's vectors have {len(vector)} dimensions", param="dimensions"
        )
    cut = vector[:dimensions].astype(np.float32)
    return cut / max(float(np.linalg.norm(cut)), 1e-12)


def _encode(vector: NDArray[np.float32], form: EmbeddingForm) -> str | list[float]:
    if form.encoding_format == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(x) for x in vector]
