"""Who is asking: the key in the header, for every route."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import Depends, Request

from kuaibao.service.completions import Completions
from kuaibao.service.service import Caller, Service

__all__ = ["ApplicantOf", "CallerOf", "CompletionsOf", "ServiceOf"]


# All of these are coroutines: a plain function would be run by another thread.


async def _service(request: Request) -> Service:
    return _service_of(request)


def _service_of(request: Request) -> Service:
    return request.app.state.service


def _secret(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        secret = request.headers.get("api-key", "")
    return secret.strip()


async def _caller(request: Request) -> Caller:
    return await _identified(request, must_be_open=True)


async def _applicant(request: Request) -> Caller:
    return await _identified(request, must_be_open=False)


async def _identified(request: Request, *, must_be_open: bool) -> Caller:
    service, secret = _service_of(request), _secret(request)
    # Three look-ups in SQLite by index: sooner done than handed to another thread.
    caller = service.identify(secret, must_be_open=must_be_open)
    if caller.key.use_is_due(time.time()):
        await asyncio.to_thread(service.note_use, secret)
    request.state.caller = caller  # for the log
    return caller


async def _completions(request: Request) -> Completions:
    return Completions(_service_of(request), is_gone=request.is_disconnected)


ServiceOf = Annotated[Service, Depends(_service)]
CallerOf = Annotated[Caller, Depends(_caller)]
ApplicantOf = Annotated[Caller, Depends(_applicant)]
"""A key holder whose application may still wait for its approval."""
CompletionsOf = Annotated[Completions, Depends(_completions)]
