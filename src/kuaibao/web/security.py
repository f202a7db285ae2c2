"""What holds for every answer: headers, the size of bodies, where a change may come from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

__all__ = ["CONTENT_POLICY", "MAX_BODY", "Guard"]

MAX_BODY = 2_000_000

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'self'; "
    "base-uri 'none'; manifest-src 'self'; frame-src 'self'"
)
"""No inline script, no inline style, nothing from elsewhere."""

PUBLISHED_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"
)
"""A published page carries its own policy with the hashes of its script; it is sandboxed besides,
so that it shares no origin, and no cookie, with the desk."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Pure ASGI, so that streams stay streams."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Check on the way in, add headers on the way out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        n_byte = 0

        async def bounded() -> Any:
            nonlocal n_byte
            message = await receive()
            n_byte += len(message.get("body", b""))
            if n_byte > MAX_BODY:
                raise _TooLargeError
            return message

        started = False

        async def dressed(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _dress(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self.app(scope, bounded, dressed)
        except _TooLargeError:
            if not started:
                await PlainTextResponse("the body is too large", 413)(scope, receive, send)
        except ClientDisconnect:
            pass  # nobody is there to be answered

    def _refusal(self, scope: Any, headers: Headers) -> PlainTextResponse | None:
        if scope["method"] in _SAFE:
            return None
        if scope["path"].startswith("/subscription/") and scope["path"].endswith("/leave"):
            return None  # one-click leaving (RFC 8058) comes from mail programs; the token decides
        if headers.get("authorization", "").lower().startswith("bearer "):
            return None  # a token is never sent by a browser on its own
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin")
        if site not in ("same-origin", "none"):
            return PlainTextResponse("refused: the request comes from another site", 403)
        if origin and urlsplit(origin).netloc != headers.get("host", ""):
            return PlainTextResponse("refused: the request comes from another origin", 403)
        return None


class _TooLargeError(Exception):
    pass


def _dress(headers: MutableHeaders, scope: Any) -> None:
    headers.setdefault("content-security-policy", CONTENT_POLICY)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("x-frame-options", "SAMEORIGIN")
    headers.setdefault("cross-origin-opener-policy", "same-origin")
    headers.setdefault("permissions-policy", "camera=(), microphone=(), geolocation=()")
    is_static = scope["path"].startswith("/static/")
    headers.setdefault("cache-control", "public, max-age=86400" if is_static else "no-store")
