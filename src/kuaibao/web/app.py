"""The application: routes, errors as people read them, live updates, files."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from kuaibao import __version__
from kuaibao.accounts import (
    InvalidKeyError,
    PermissionDeniedError,
    SignInError,
    TooManyAttemptsError,
)
from kuaibao.bulletin.desk import (
    EndpointError,
    NoAccountError,
    NotFoundError,
    NotReadyError,
    StaleError,
    WorkflowError,
    has_people,
)
from kuaibao.errors import InputError, KuaibaoError
from kuaibao.web.access import ActorOf, CsrfError, NeedsSignInError, NewsroomOf
from kuaibao.web.api import routers as api_routers
from kuaibao.web.figures import figures
from kuaibao.web.newsroom import Newsroom, TooManyRequestsError
from kuaibao.web.oidc import OidcError
from kuaibao.web.pages import (
    board,
    entrance,
    hooks,
    inbox,
    mail,
    office,
    pictures,
    piece,
    reading,
    settings,
    trends,
)
from kuaibao.web.rendering import render_page
from kuaibao.web.security import Guard
from kuaibao.web.words import Words, negotiate

__all__ = ["create_app"]

_log = logging.getLogger("kuaibao.web")

N_THREAD = 6
"""Requests worked on at once; more wait their turn without a thread."""

_STATUS: tuple[tuple[type[KuaibaoError], int], ...] = (
    (NeedsSignInError, 401), (InvalidKeyError, 401), (SignInError, 401),
    (TooManyAttemptsError, 429), (TooManyRequestsError, 429),
    (PermissionDeniedError, 403), (CsrfError, 403),
    (OidcError, 502), (NoAccountError, 403),
    (NotFoundError, 404), (NotReadyError, 409), (StaleError, 409), (WorkflowError, 409),
    (EndpointError, 502), (InputError, 422),
)  # fmt: skip


def create_app(newsroom: Newsroom) -> FastAPI:
    """The pages and the API over a newsroom, which is closed when the application ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        # A thread may hold two connections (a write that reads besides); the pool has fifteen.
        # With more threads than that allows, all could wait for a connection that all hold.
        to_thread.current_default_thread_limiter().total_tokens = N_THREAD
        newsroom.start()
        yield
        newsroom.stop()

    app = FastAPI(
        title="Kuaibao desk", version=__version__, lifespan=lifespan, docs_url=None,
        redoc_url=None, openapi_url="/api/openapi.json",
        description="Everything that the desk's pages do, as JSON. Tokens are made in the settings "
        "and sent as `Authorization: Bearer …`.",
    )  # fmt: skip
    app.state.newsroom = newsroom
    app.state.setup_code = "" if has_people(newsroom.desk) else secrets.token_urlsafe(9)
    for module in (
        entrance, inbox, piece, pictures, board, reading, office, settings, hooks, mail, trends,
    ):  # fmt: skip
        app.include_router(module.router)
    for router in api_routers:
        app.include_router(router)
    app.router.routes.append(figures(newsroom))
    app.add_api_route("/live", live, include_in_schema=False)
    static = resources.files("kuaibao.web") / "static"
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    _add_errors(app)
    app.add_middleware(Guard)
    return app


async def live(actor: ActorOf, newsroom: NewsroomOf) -> Response:
    """What happens at the desk, as it happens."""
    actor.require("read_desk")
    stream = newsroom.hub.listen(actor.person_id)
    return EventStream(
        stream, media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )  # fmt: skip


class EventStream(StreamingResponse):
    """Ends its generator with the connection: left to the collector, it would listen on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until one of the two sides leaves."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()


def _add_errors(app: FastAPI) -> None:
    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, KuaibaoError)
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        return _answer(request, status, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first: dict[str, Any] = dict(error.errors()[0]) if error.errors() else {}
        place = ".".join(str(part) for part in first.get("loc", ())[1:])
        message = str(first.get("msg", "the request is ill-formed"))
        # The field by its name, as the page and the API call it: `day: Field required`.
        said = f"{place or 'request'}: {message}"
        return _answer(request, 422, InputError(said))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _answer(
            request, error.status_code, KuaibaoError(str(error.detail)), dict(error.headers or {})
        )

    async def failure(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(request, 500, KuaibaoError("the server had an error"))

    app.add_exception_handler(KuaibaoError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, failure)


def _answer(
    request: Request, status: int, error: KuaibaoError, headers: dict[str, str] | None = None
) -> Response:
    """JSON for the API, a sentence for htmx, a page for people."""
    if request.url.path.startswith("/api/"):
        body = error.to_json() | {"status": status}
        language = negotiate(request.headers.get("accept-language", ""))
        if language != "en":  # English unless another language is asked for
            body["message"] = Words.of(language).error(error, status)
        if isinstance(error, WorkflowError):
            body["reason"] = error.reason
        if isinstance(error, NotReadyError):
            body["obstacles"] = [
                {"reason": o.reason, "piece_id": o.piece_id, "title": o.title}
                for o in error.obstacles
            ]
        return JSONResponse(body, status, headers)
    is_fragment = request.headers.get("hx-request") == "true"
    if status == 401 and not is_fragment:
        return RedirectResponse(f"/signin?next={quote(request.url.path)}", 303)
    try:
        name = "parts/toast.html" if is_fragment else "error.html"
        return render_page(request, name, status=status, error=error, code=status)
    except Exception:  # the page of an error must not fail in its turn
        _log.exception("no page for an error")
        return Response("error", status, media_type="text/plain")
