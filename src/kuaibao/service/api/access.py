"""Who is asking: the key in the header, for every route."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from kuaibao.service.completions import Completions
from kuaibao.service.service import Caller, Service

__all__ = ["CallerOf", "CompletionsOf", "ServiceOf"]


def _service(request: Request) -> Service:
    return request.app.state.service


async def _caller(request: Request) -> Caller:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        secret = request.headers.get("api-key", "")
    return await asyncio.to_thread(_service(request).identify, secret.strip())


def _completions(request: Request) -> Completions:
    return Completions(_service(request))


ServiceOf = Annotated[Service, Depends(_service)]
CallerOf = Annotated[Caller, Depends(_caller)]
CompletionsOf = Annotated[Completions, Depends(_completions)]
