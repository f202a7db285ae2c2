"""Pages and requests of the gallery."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.web.gallery.programs import Programs

__all__ = ["gallery_app", "gallery_routes"]

_FOLDER = Path(__file__).parent
_LANGUAGES = ("en", "zh")
_MAX_BODY = 4_000_000
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

MayWrite = Callable[[Request], bool]
Endpoint = Callable[[Request], Awaitable[Response]]


def gallery_app(path: Path) -> Starlette:
    """The gallery of one program or of a folder, for a browser on this machine.

    Raises:
        InputError: There is no trio file at that place.
    """
    hosts = ["127.0.0.1", "localhost", "testserver"]
    return Starlette(
        routes=gallery_routes(Programs(path)),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )


def gallery_routes(programs: Programs, *, may_write: MayWrite | None = None) -> list[BaseRoute]:
    """The routes of a gallery, to be mounted at a path of another application.

    Args:
        programs: What is shown.
        may_write: Whether who asks may bake; everybody who may see by default.
    """
    pages = _Pages(programs, may_write or (lambda _: True))
    return [
        Route("/", pages.index),
        Mount("/static", StaticFiles(directory=_FOLDER / "static"), name="gallery-static"),
        Route("/program/{name:path}/layouts", _told(pages.layouts)),
        Route("/program/{name:path}/again", _told(pages.again), methods=["POST"]),
        Route("/program/{name:path}/bake", _told(pages.bake), methods=["POST"]),
        Route("/program/{name:path}/unbake", _told(pages.unbake), methods=["POST"]),
        Route("/program/{name:path}", pages.program),
    ]


def _told(endpoint: Endpoint) -> Endpoint:
    """Errors that a user can mend as JSON."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except KuaibaoError as error:
            document = {**error.to_json(), "text": error.render()}
            return JSONResponse(document, status_code=422, headers=_HEADERS)

    return answer


class _Pages:
    def __init__(self, programs: Programs, may_write: MayWrite) -> None:
        self.programs = programs
        self.may_write = may_write
        self.templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
        )

    async def index(self, request: Request) -> Response:
        """All programs; a single one at once."""
        names = await run_in_threadpool(self.programs.names)
        base = _base(request)
        if len(names) == 1:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{base}/program/{quote(names[0])}{query}")
        return self._page(request, "index.html", names=names)

    async def program(self, request: Request) -> Response:
        """One program's gallery."""
        name = request.path_params["name"]
        if name not in await run_in_threadpool(self.programs.names):
            return self._page(request, "missing.html", status_code=404, name=name)
        return self._page(request, "program.html", name=name, may_write=self.may_write(request))

    async def layouts(self, request: Request) -> Response:
        """A new gallery."""
        query = request.query_params
        count = query.get("n", "16")
        if not count.isdecimal() or len(count) > 3:
            raise InputError(f"'{count[:20]}' is not a number of layouts")
        name, seed = request.path_params["name"], query.get("seed", "")[:100]
        return _json(await run_in_threadpool(self.programs.layouts, name, int(count), seed))

    async def again(self, request: Request) -> Response:
        """Around pins."""
        body = await _body(request)
        name = request.path_params["name"]
        made = await run_in_threadpool(
            self.programs.again, name, body.get("inputs"), body.get("pins", {})
        )
        return _json(made)

    async def bake(self, request: Request) -> Response:
        """Keep a choice."""
        body = await _body(request)
        self._writing(request)
        name = request.path_params["name"]
        made = await run_in_threadpool(
            self.programs.bake, name, body.get("inputs"), body.get("pins", {})
        )
        return _json(made)

    async def unbake(self, request: Request) -> Response:
        """Let go of a choice."""
        await _body(request)
        self._writing(request)
        return _json(await run_in_threadpool(self.programs.unbake, request.path_params["name"]))

    def _writing(self, request: Request) -> None:
        if not self.may_write(request):
            raise InputError("you may look at this gallery but not choose for others")

    def _page(
        self, request: Request, template: str, *, status_code: int = 200, **values: Any
    ) -> Response:
        language = _language(request)
        text = self.templates.get_template(template).render(
            base=_base(request), language=language, words=_words(language),
            other="zh" if language == "en" else "en", **values,
        )  # fmt: skip
        response = HTMLResponse(text, status_code=status_code, headers=_HEADERS)
        if request.query_params.get("lang") in _LANGUAGES:
            response.set_cookie("kuaibao_language", language, samesite="lax")
        return response


def _base(request: Request) -> str:
    """The path at which the gallery is mounted, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _language(request: Request) -> str:
    asked = request.query_params.get("lang") or request.cookies.get("kuaibao_language")
    if asked in _LANGUAGES:
        return asked
    accepted = request.headers.get("accept-language", "")
    return "zh" if accepted.lower().startswith("zh") else "en"


@functools.cache
def _words(language: str) -> dict[str, str]:
    return json.loads((_FOLDER / "locales" / f"{language}.json").read_text(encoding="utf-8"))


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object from our own page.

    Raises:
        InputError: It is too large, no JSON object, or from another site.
    """
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise InputError("the request must be JSON")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise InputError("the request comes from another site")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _MAX_BODY:
            raise InputError(f"the request is larger than {_MAX_BODY} bytes")
        chunks.append(chunk)
    try:
        body: Any = json.loads(b"".join(chunks) or b"{}")
    except (ValueError, RecursionError) as error:
        raise InputError(f"the request is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise InputError("the request must be a JSON object")
    return cast("dict[str, Any]", body)


def _json(document: Any) -> Response:
    return JSONResponse(document, headers={**_HEADERS, "Cache-Control": "no-store"})
