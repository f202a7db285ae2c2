"""The waiting list: a stranger applies, and follows what becomes of it with a key of their own."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from kuaibao.service.api.access import ServiceOf
from kuaibao.service.api.forms import StrictForm
from kuaibao.service.errors import ForbiddenError, RateLimitError
from kuaibao.service.policy import ApplicationForm

__all__ = ["SignUpLimit", "router"]

router = APIRouter(prefix="/v1/kuaibao", tags=["house"])

PER_ADDRESS_AND_HOUR = 5
_N_ADDRESS = 10_000


class SignUpForm(StrictForm):
    """Who applies, and for what."""

    person: str = Field(min_length=1, max_length=100)
    email: str = Field(default="", max_length=200)
    name: str = Field(min_length=1, max_length=200)
    purpose: str
    audience: str
    output_seen_by: str
    human_in_the_loop: str
    expected_tokens_per_day: int = Field(default=0, ge=0, le=10**12)


class SignUpLimit:
    """At most so many applications from one address in an hour; bounded memory."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def count(self, address: str, *, now: float | None = None) -> None:
        """Count an application.

        Raises:
            RateLimitError: The address has filed too many.
        """
        now = time.monotonic() if now is None else now
        with self._lock:
            recent = [t for t in self._times.pop(address, []) if now - t < 3600]
            if len(recent) >= PER_ADDRESS_AND_HOUR:
                self._times[address] = recent
                raise RateLimitError(
                    "too many applications from this address",
                    code="sign_up_limit",
                    retry_after_s=3600 - (now - recent[0]),
                )
            self._times[address] = [*recent, now]
            while len(self._times) > _N_ADDRESS:
                self._times.popitem(last=False)


@router.post("/sign-up")
def sign_up(form: SignUpForm, request: Request, service: ServiceOf) -> dict[str, Any]:
    """File an application without an account; the key is shown this once.

    It opens nothing until an administrator approves; until then it reads the application and
    answers questions.
    """
    if not service.settings.open_sign_up:
        raise ForbiddenError("sign-up is closed: ask an administrator", code="sign_up_closed")
    limit: SignUpLimit = request.app.state.sign_up_limit
    limit.count(request.client.host if request.client else "")
    values = form.model_dump()
    person, email, name = (values.pop(key) for key in ("person", "email", "name"))
    secret, application = service.sign_up(person, email, name, ApplicationForm(**values))
    return {
        "application_id": application.application_id,
        "status": application.status,
        "secret": secret,
    }
