"""`/v1/images/completions`: image GPT goes on with a picture, pixel by pixel."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from kuaibao.service.api.access import CallerOf, ServiceOf
from kuaibao.service.api.forms import Form
from kuaibao.service.metering import metered
from kuaibao.service.picture_models import CompletedPictures, PictureModels, PictureOrder

__all__ = ["router"]

router = APIRouter(tags=["house"])

MAX_BASE64 = 8_000_000


class PictureForm(Form):
    """`POST /v1/images/completions`."""

    model: str
    image: Annotated[str, Field(max_length=MAX_BASE64)] | None = None
    """PNG in base64; without it pictures are drawn from nothing."""
    keep: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the picture that is kept, from the top."""
    n: Annotated[int, Field(ge=1, le=16)] = 1
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_k: Annotated[int, Field(ge=0, le=4096)] = 0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    response_format: Literal["b64_json"] = "b64_json"


@router.post("/v1/images/completions")
async def create_picture(form: PictureForm, caller: CallerOf, service: ServiceOf) -> dict[str, Any]:
    """Complete a picture, or draw one from nothing; a token is a pixel."""
    caller.require("complete")
    seed = secrets.randbits(31) if form.seed is None else form.seed
    values = form.model_dump(exclude={"response_format", "image", "seed"})
    order = PictureOrder(image=form.image or "", seed=seed, **values)
    models = service.picture_models
    n_given, n_drawn = await asyncio.to_thread(models.n_pixel, order)
    meter = metered(
        service, caller, model=form.model, endpoint="images", n_token=n_given, n_most=n_drawn
    )
    with meter as used:
        made = await _completed(models, order)
        used.n_completion_token = made.n_drawn
    return {
        "id": used.request_id,
        "object": "image.completion",
        "created": int(time.time()),
        "model": form.model,
        "size": f"{made.size}x{made.size}",
        "seed": seed,
        "data": [{"b64_json": picture} for picture in made.pictures],
        "usage": {
            "prompt_tokens": n_given,
            "completion_tokens": made.n_drawn,
            "total_tokens": n_given + made.n_drawn,
        },
    }


async def _completed(models: PictureModels, order: PictureOrder) -> CompletedPictures:
    """The drawing, which ends with the request."""
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(models.complete, order, given_up.is_set)
    finally:
        given_up.set()
