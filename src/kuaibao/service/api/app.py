"""The application: routes, errors as OpenAI's clients read them, headers, limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from kuaibao import __version__
from kuaibao.errors import InputError
from kuaibao.service.api import (
    budgets,
    chat,
    completions,
    diagrams,
    embeddings,
    files,
    fine_tuning,
    images,
    models,
    operation,
    published_rules,
    retrieval,
    review,
    sign_up,
    summaries,
    templates,
)
from kuaibao.service.api.envelope import Envelope
from kuaibao.service.errors import ApiError, InvalidRequestError
from kuaibao.service.service import Service

__all__ = ["create_app"]

_log = logging.getLogger("kuaibao.service")


def create_app(service: Service) -> FastAPI:
    """The API over a service; the service is closed when the application ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        fine_tuning.start_worker(service)
        tidying = asyncio.create_task(_tidy(service))
        yield
        tidying.cancel()
        fine_tuning.stop_worker(service)
        service.close()

    app = FastAPI(
        title="Kuaibao text service",
        version=__version__,
        description="OpenAI-compatible completions on one's own machine, with its doors guarded.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.sign_up_limit = sign_up.SignUpLimit()
    for module in (
        completions, chat, models, embeddings, retrieval, files, fine_tuning, review, sign_up,
        operation, published_rules, summaries, diagrams, images, templates, budgets,
    ):  # fmt: skip
        app.include_router(module.router)
    _add_errors(app)
    app.add_middleware(BodyLimit, service=service)
    app.add_middleware(Envelope)
    return app


async def _tidy(service: Service) -> None:
    """Delete what has outlived its retention, now and then, for as long as the service runs."""
    while True:
        try:
            n_deleted = await asyncio.to_thread(service.review_queue.purge)
            if n_deleted:
                _log.info("retention", extra={"fields": {"n_deleted": n_deleted}})
        except Exception as error:
            _log.error("held texts could not be deleted", exc_info=error)
        await asyncio.sleep(service.settings.tidy_every_s)


def _add_errors(app: FastAPI) -> None:
    async def api_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return JSONResponse(error.body(), error.status, error.headers)

    async def input_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, InputError)
        wrong = InvalidRequestError(error.message)
        return JSONResponse(wrong.body(), wrong.status)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = _as_invalid(error)
        return JSONResponse(wrong.body(), wrong.status)

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        body = {
            "error": {
                "message": str(error.detail),
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        }
        return JSONResponse(body, error.status_code, dict(error.headers or {}))

    async def failure(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse(ApiError("The server had an error.").body(), 500)

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(InputError, input_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, failure)


def _as_invalid(error: RequestValidationError) -> InvalidRequestError:
    """The first wrong field, in OpenAI's shape.

    A union of forms (as `prompt` has) gives one complaint a form: they share the field's name.
    """
    complaints = [dict(one) for one in error.errors()]
    # That a list is no string says nothing where a list may stand: its own fault goes before.
    told = [one for one in complaints if not str(one.get("type", "")).endswith("_type")]
    first: dict[str, Any] = (told or complaints)[0]
    if first.get("type") == "json_invalid":
        why = first.get("ctx", {}).get("error", "")
        where = first.get("loc", (0,))[-1]
        return InvalidRequestError(
            f"We could not parse the JSON body of your request: {why} at character {where}"
        )
    place = [str(part) for part in first.get("loc", ()) if part not in ("body", "query", "path")]
    field = place[0] if place else None
    message = str(first.get("msg", "invalid request"))
    return InvalidRequestError(
        f"{field}: {message}" if field else f"We could not parse the body: {message}", param=field
    )


class BodyLimit:
    """Refuses a body that is too large, also when its length was not told."""

    def __init__(self, app: Any, service: Service) -> None:
        self.app = app
        self.settings = service.settings

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count bytes as they come."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_upload = scope["path"].endswith("/files")
        limit = self.settings.max_file_bytes if is_upload else self.settings.max_body_bytes
        n_byte = 0

        async def counted() -> Any:
            nonlocal n_byte
            message = await receive()
            n_byte += len(message.get("body", b""))
            if n_byte > limit:
                raise HTTPException(413, f"the body is larger than {limit} bytes")
            return message

        await self.app(scope, counted, send)
