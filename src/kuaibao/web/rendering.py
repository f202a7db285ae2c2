"""Pages from templates: the words, the reader and what they may do are at hand in each."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from kuaibao.bulletin.desk import STATES, Desk, Series, count_unread, list_series
from kuaibao.bulletin.publishing.cleaning import safe_url
from kuaibao.web.access import Visitor, desk_of, visitor_of
from kuaibao.web.words import LANGUAGES, Words, negotiate

__all__ = ["Ui", "back_to", "make_ui", "of_one_state", "render_page",
           "theme_of"]  # fmt: skip

LANGUAGE_COOKIE = "kuaibao_language"
THEME_COOKIE = "kuaibao_theme"
SERIES_COOKIE = "kuaibao_series"
THEMES = ("system", "light", "dark")


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Ui:
    """What every template knows."""

    words: Words
    visitor: Visitor
    theme: str
    path: str
    series: tuple[Series, ...]
    current: Series | None
    n_unread: int
    is_fragment: bool

    def may(self, action: str) -> bool:
        """Whether the reader may do something."""
        return self.visitor.actor is not None and self.visitor.actor.may(action)


def make_ui(request: Request) -> Ui:
    """Gather it for a request."""
    visitor, desk = visitor_of(request), desk_of(request)
    series = tuple(list_series(desk))
    wanted = request.query_params.get("series") or request.cookies.get(SERIES_COOKIE, "")
    current = next((s for s in series if str(s.series_id) == wanted), None)
    return Ui(
        words=Words.of(language_of(request, visitor)),
        visitor=visitor,
        theme=theme_of(request),
        path=request.url.path,
        series=series,
        current=current or (series[0] if series else None),
        n_unread=count_unread(desk, visitor.actor) if visitor.actor else 0,
        is_fragment=request.headers.get("hx-request") == "true",
    )


def theme_of(request: Request) -> str:
    """The colours that the reader chose; those of the system by default."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "system"


def language_of(request: Request, visitor: Visitor) -> str:
    """The cookie's language, else the person's own, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    if visitor.actor is not None and visitor.actor.person.language in LANGUAGES:
        return visitor.actor.person.language
    return negotiate(request.headers.get("accept-language", ""))


def render_page(
    request: Request, name: str, /, *, status: int = 200, ui: Ui | None = None, **values: Any
) -> HTMLResponse:
    """A template with the reader's words."""
    ui = ui or make_ui(request)
    template = environment().get_template(name)
    html = template.render(ui=ui, t=ui.words, csrf=ui.visitor.csrf, STATES=STATES, **values)
    response = HTMLResponse(html, status)
    if request.query_params.get("series") and ui.current is not None:
        response.set_cookie(
            SERIES_COOKIE, str(ui.current.series_id), max_age=31_536_000, samesite="lax",
            httponly=True,
        )  # fmt: skip
    return response


def of_one_state(handler: Callable[P, T]) -> Callable[P, T]:
    """A page that asks the database many small questions: all in one transaction.

    The handler takes `desk` by name, is no coroutine, and changes nothing.
    """

    @functools.wraps(handler)
    def held(*arguments: P.args, **named: P.kwargs) -> T:
        desk = cast("Desk", named["desk"])
        with desk.store.database.read():
            return handler(*arguments, **named)

    return held


def back_to(request: Request, path: str, **query: Any) -> Response:
    """After a change: the page again (for htmx: where it should go)."""
    target = path + ("?" + urlencode(query) if query else "")
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


@functools.cache
def environment() -> Environment:
    """The templates; whatever is filled in is escaped."""
    made = Environment(
        loader=PackageLoader("kuaibao.web", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_address
    made.filters["host"] = _host
    made.filters["link"] = _link
    return made


@functools.cache
def static_address(name: str) -> str:
    """The address of a file of ours, changing with its content."""
    data = (resources.files("kuaibao.web") / "static" / name).read_bytes()
    return f"/static/{name}?{hashlib.sha256(data).hexdigest()[:10]}"


def _link(url: str) -> str:
    """The address if a page may lead there, else nothing."""
    return safe_url(url)


def _host(url: str) -> str:
    return safe_url(url).partition("://")[2].partition("/")[0].removeprefix("www.")
