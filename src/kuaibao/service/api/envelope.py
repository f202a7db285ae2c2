"""What is around every answer: its id, its time, and a line in the log."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any

__all__ = ["Envelope", "request_log"]

request_log = logging.getLogger("kuaibao.service.requests")
"""One line a request; no path's values, no text, no secret."""


class Envelope:
    """Adds `x-request-id` and OpenAI's headers, and logs what was answered."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Wrap one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        status = 500

        async def enveloped(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                passed_ms = round((time.perf_counter() - started) * 1000)
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"openai-version", b"2020-10-01"),
                    (b"openai-processing-ms", str(passed_ms).encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, enveloped)
        finally:
            if request_log.isEnabledFor(logging.INFO):
                fields = _fields(scope, request_id, status, started)
                request_log.info("request", extra={"fields": fields})


def _request_id(scope: Any) -> str:
    """The caller's own id where it is a plain one, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and 0 < len(value) <= 100 and all(32 < c < 127 for c in value):
            return value.decode("ascii")
    return secrets.token_hex(16)


def _fields(scope: Any, request_id: str, status: int, started: float) -> dict[str, Any]:
    route = scope.get("route")
    fields: dict[str, Any] = {
        "request_id": request_id,
        "method": scope["method"],
        "route": getattr(route, "path", None),
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
    }
    caller = scope.get("state", {}).get("caller")
    if caller is not None:
        fields["key_id"] = caller.key.key_id
        fields["application_id"] = caller.application.application_id
    return fields
