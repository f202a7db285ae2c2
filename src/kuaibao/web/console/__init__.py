"""The console of the text service in the browser: playground, applications, keys, usage, review.

The pages hold no data: their scripts call the service's own API with the key that a person types,
kept for the browser session alone. So what a page can do is what its key may do.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

__all__ = ["console_routes"]

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}  # fmt: skip


def console_routes() -> list[BaseRoute]:
    """The routes to add to the service's application: `/console` and the files under it."""
    return [
        Route("/", _to_console),
        Route("/console", _page, methods=["GET"]),
        Route("/console/{name}", _file, methods=["GET"]),
    ]


async def _to_console(request: Request) -> Response:
    return RedirectResponse(request.url_for("_page").path)


async def _page(request: Request) -> Response:
    return _answer("console.html")


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    return _answer(name) if name in _files() else Response("no such file", 404)


def _answer(name: str) -> Response:
    suffix = name[name.rindex(".") :]
    return Response(_files()[name], media_type=_TYPES[suffix], headers=dict(_HEADERS))


@cache
def _files() -> dict[str, bytes]:
    """The console's files by name, from the package: no path from outside is opened."""
    folder = importlib.resources.files("kuaibao.web.console") / "static"
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.name[file.name.rfind(".") :] in _TYPES
    }
