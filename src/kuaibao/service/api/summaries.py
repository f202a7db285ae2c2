"""`/v1/summaries`: the sentences that matter, or a summary in a model's own words."""

from __future__ import annotations

import asyncio
import importlib.metadata
import time
from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated, Any, Protocol

from fastapi import APIRouter
from pydantic import Field

from kuaibao.errors import InputError
from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.forms import Form
from kuaibao.service.errors import InvalidRequestError
from kuaibao.service.metering import metered
from kuaibao.text import STRATEGIES, detect_language, summarize, words

__all__ = ["router"]

router = APIRouter(tags=["house"])


class SummaryForm(Form):
    """`POST /v1/summaries`."""

    text: Annotated[str, Field(min_length=1, max_length=400_000)]
    model: str = "ind-orig"
    """An extractive strategy, or an installed summariser's name."""
    n_sentences: Annotated[int, Field(ge=1, le=50)] = 3


class _Summarizer(Protocol):
    def summarize(self, document: str, *, n_sentence: int, language: str) -> Sequence[str]: ...


@router.post("/v1/summaries")
async def create_summary(form: SummaryForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Summarise a text, English or Chinese; extracted sentences come with their places."""
    caller.require("complete")
    is_extractive = form.model in STRATEGIES
    engine = None if is_extractive else await asyncio.to_thread(_engine, form.model)
    meter = metered(
        service, caller, model=form.model, endpoint="summaries", n_token=len(words(form.text))
    )
    with meter as used:
        let_pass = partial(service.guard.let_pass, caller.application, request_id=used.request_id)
        text = let_pass("input", form.text, param="text")
        sentences = await asyncio.to_thread(
            _sentences, form.model_copy(update={"text": text}), engine
        )
        written = "\n".join(sentence["text"] for sentence in sentences)
        used.n_completion_token = len(words(written))
        if engine is not None:
            passed = let_pass("output", written)
            sentences = [{"text": line} for line in passed.split("\n")] if sentences else []
    return {
        "id": used.request_id,
        "object": "summary",
        "created": int(time.time()),
        "model": form.model,
        "sentences": sentences,
        "is_extractive": is_extractive,
        "usage": {
            "prompt_tokens": used.n_prompt_token,
            "completion_tokens": used.n_completion_token,
            "total_tokens": used.n_prompt_token + used.n_completion_token,
        },
    }


@cache
def _engine(name: str) -> _Summarizer:
    points = {p.name: p for p in importlib.metadata.entry_points(group="kuaibao.summarizers")}
    if name not in points:
        known = ", ".join([*STRATEGIES, *points])
        raise InvalidRequestError(f"no summariser {name!r}; known: {known}", param="model")
    return points[name].load()()


def _sentences(form: SummaryForm, engine: _Summarizer | None) -> list[dict[str, Any]]:
    if engine is not None:
        language = detect_language(form.text)
        written = engine.summarize(form.text, n_sentence=form.n_sentences, language=language)
        return [{"text": " ".join(text.split())} for text in written]
    try:
        found = summarize(form.text, strategy=form.model, n_sentences=form.n_sentences)
    except InputError as error:
        raise InvalidRequestError(error.message, param="text") from error
    return [
        {"text": s.text, "index": s.index, "start": s.start, "end": s.end} for s in found.sentences
    ]
