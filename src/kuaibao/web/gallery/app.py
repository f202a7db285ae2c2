"""Pages and requests of the gallery."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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

__all__ = ["Host", "gallery_app", "gallery_routes"]

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

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Host:
    """The application around a gallery: who may what, and in which language."""

    check: Callable[[Request], None] = lambda _: None
    """Raises what the application answers to somebody who may not see the gallery."""
    may_write: Callable[[Request], bool] = lambda _: True
    """Whether who asks may bake."""
    language: Callable[[Request], str] | None = None
    """`en` or `zh`; by default the query, a cookie or the browser decides."""
    theme: Callable[[Request], str] = lambda _: "system"
    """`light`, `dark` or `system`."""
    home: tuple[str, str] | None = None
    """Address and name of the page to go back to."""


def gallery_app(path: Path) -> Starlette:
    """The gallery of one program or of a folder, for a browser on this machine.

    Raises:
        InputError: There is no trio file at that place.
    """
    programs = Programs(path)
    if not programs.names():
        raise InputError(
            f"no program at {path}", hint="Name a file like a.trio.json, or a folder of them."
        )
    hosts = ["127.0.0.1", "localhost", "testserver"]
    return Starlette(
        routes=gallery_routes(programs),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )


def gallery_routes(programs: Programs, host: Host | None = None) -> list[BaseRoute]:
    """The routes of a gallery, to be mounted at a path of another application.

    Args:
        programs: What is shown.
        host: The application around it.
    """
    host = host or Host()
    pages = _Pages(programs, host)
    rows: list[tuple[str, Endpoint, str]] = [
        ("/", pages.index, "GET"),
        ("/program/{name:path}/layouts", _told(pages.layouts), "GET"),
        ("/program/{name:path}/again", _told(pages.again), "POST"),
        ("/program/{name:path}/bake", _told(pages.bake), "POST"),
        ("/program/{name:path}/unbake", _told(pages.unbake), "POST"),
        ("/program/{name:path}", pages.program, "GET"),
    ]
    return [
        Mount("/static", StaticFiles(directory=_FOLDER / "static"), name="gallery-static"),
        *(Route(path, _checked(endpoint, host), methods=[how]) for path, endpoint, how in rows),
    ]


def _checked(endpoint: Endpoint, host: Host) -> Endpoint:
    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        await run_in_threadpool(host.check, request)
        return await endpoint(request)

    return answer


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
    def __init__(self, programs: Programs, host: Host) -> None:
        self.programs = programs
        self.host = host
        self.templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
        )

    async def index(self, request: Request) -> Response:
        """All programs; a single one at once."""
        names = await run_in_threadpool(self.programs.names)
        base = _base(request)
        if len(names) == 1 and self.host.home is None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{base}/program/{quote(names[0])}{query}")
        return self._page(request, "index.html", names=names)

    async def program(self, request: Request) -> Response:
        """One program's gallery."""
        name = request.path_params["name"]
        if name not in await run_in_threadpool(self.programs.names):
            return self._page(request, "missing.html", status_code=404, name=name)
        may_write = await run_in_threadpool(self.host.may_write, request)
        return self._page(request, "program.html", name=name, may_write=may_write)

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
        await self._writing(request)
        name = request.path_params["name"]
        made = await run_in_threadpool(
            self.programs.bake, name, body.get("inputs"), body.get("pins", {})
        )
        return _json(made)

    async def unbake(self, request: Request) -> Response:
        """Let go of a choice."""
        await _body(request)
        await self._writing(request)
        return _json(await run_in_threadpool(self.programs.unbake, request.path_params["name"]))

    async def _writing(self, request: Request) -> None:
        if not await run_in_threadpool(self.host.may_write, request):
            raise InputError("you may look at this gallery but not choose for others")

    def _page(
        self, request: Request, template: str, *, status_code: int = 200, **values: Any
    ) -> Response:
        chosen = self.host.language
        language = chosen(request) if chosen is not None else _language(request)
        text = self.templates.get_template(template).render(
            base=_base(request), language=language, words=_words(language),
            other="zh" if language == "en" else "en", home=self.host.home,
            theme=self.host.theme(request), is_free=chosen is None, **values,
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
