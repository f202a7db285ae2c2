"""Coming in and going out: the first administrator, signing in, language, colours."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kuaibao import accounts
from kuaibao.bulletin.desk import Desk, NotFoundError, admit, first_administrator, has_people
from kuaibao.errors import KuaibaoError
from kuaibao.web.access import (
    CHECKED,
    SESSION_COOKIE,
    CsrfError,
    DeskOf,
    NewsroomOf,
    VisitorOf,
    client_address,
    desk_of,
)
from kuaibao.web.oidc import Journey, OidcError, Provider, provider_of
from kuaibao.web.rendering import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    back_to,
    make_ui,
    render_page,
)
from kuaibao.web.words import LANGUAGES

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_BEFORE_COOKIE = "kuaibao_before"
_JOURNEY_COOKIE = "kuaibao_journey"
_YEAR_S = 31_536_000


@router.get("/")
def home(desk: DeskOf, visitor: VisitorOf) -> Response:
    """Where a person's work is."""
    if visitor.actor is None:
        is_open = desk.setting("anonymous_reading") == "yes" and has_people(desk)
        return RedirectResponse("/read" if is_open else "/signin", 303)
    if not visitor.actor.may("read_desk"):
        return RedirectResponse("/read", 303)
    return RedirectResponse("/inbox" if visitor.actor.may("pick") else "/work", 303)


@router.get("/signin")
def sign_in_page(request: Request, desk: DeskOf, visitor: VisitorOf, next: str = "/") -> Response:
    """The form; on a desk without people the one that makes the administrator."""
    if visitor.actor is not None:
        return RedirectResponse(_local(next), 303)
    return _form(request, is_setup=not has_people(desk), next_path=_local(next))


@router.post("/signin")
def sign_in(
    request: Request,
    desk: DeskOf,
    newsroom: NewsroomOf,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    before: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """A new session at each sign-in; a session from before is never taken over."""
    _check_before(request, before)
    error: KuaibaoError | None = None
    secret = ""
    with desk.store.database.write() as connection:
        try:
            person = accounts.sign_in(
                connection, name.strip(), password, address=client_address(request)
            )
            old = request.cookies.get(SESSION_COOKIE, "")
            if old:
                accounts.end_session(connection, old)
            secret, _ = accounts.start_session(connection, person)
        except accounts.AccountsError as wrong:
            error = wrong  # told after the transaction, which keeps the count of failures
    if error is not None:
        status = 429 if isinstance(error, accounts.TooManyAttemptsError) else 401
        return _form(
            request, is_setup=False, next_path=_local(next), error=error, status=status, name=name
        )
    return _with_session(RedirectResponse(_local(next), 303), newsroom.is_secure, secret)


@router.get("/oidc/start")
def leave_for_house(
    request: Request, desk: DeskOf, newsroom: NewsroomOf, next: str = "/"
) -> Response:
    """Off to the house that vouches for people."""
    journey = Journey.begin(_local(next))
    response = RedirectResponse(_provider(desk).begin(journey, _return_address(request, desk)), 303)
    response.set_cookie(
        _JOURNEY_COOKIE, journey.to_text(), max_age=600, httponly=True, samesite="lax",
        secure=newsroom.is_secure, path="/oidc",
    )  # fmt: skip
    return response


@router.get("/oidc/return")
def come_from_house(
    request: Request, desk: DeskOf, newsroom: NewsroomOf, state: str = "", code: str = ""
) -> Response:
    """Back with a code: a new session, as at every sign-in."""
    journey = Journey.from_text(request.cookies.get(_JOURNEY_COOKIE, ""))
    if journey is None or not secrets.compare_digest(journey.state.encode(), state.encode()):
        raise CsrfError
    if not code:
        raise OidcError("the house did not vouch for you")
    who = _provider(desk).finish(journey, code, _return_address(request, desk))
    person = admit(desk, who, newcomer_role=desk.setting("oidc_role"))
    with desk.store.database.write() as connection:
        accounts.end_session(connection, request.cookies.get(SESSION_COOKIE, ""))
        secret, _ = accounts.start_session(connection, person)
    response = _with_session(RedirectResponse(journey.next_path, 303), newsroom.is_secure, secret)
    response.delete_cookie(_JOURNEY_COOKIE, path="/oidc")
    return response


@router.post("/setup")
def set_up(
    request: Request,
    desk: DeskOf,
    newsroom: NewsroomOf,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    before: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Make the first administrator: who can read the terminal knows the code."""
    _check_before(request, before)
    wanted = request.app.state.setup_code
    ui = make_ui(request)
    if not wanted or not secrets.compare_digest(code.strip().encode(), wanted.encode()):
        message = KuaibaoError("the code is not the one that the terminal shows")
        return _form(request, is_setup=True, error=message, status=403, name=name)
    try:
        made = first_administrator(desk, name.strip(), password or "", language=ui.words.language)
    except KuaibaoError as error:
        return _form(request, is_setup=True, error=error, status=422, name=name)
    if made is None:
        return RedirectResponse("/signin", 303)
    with desk.store.database.write() as connection:
        secret, _ = accounts.start_session(connection, made[0])
    return _with_session(RedirectResponse("/", 303), newsroom.is_secure, secret)


@router.post("/signout", dependencies=CHECKED)
def sign_out(request: Request, desk: DeskOf) -> Response:
    """End the session."""
    with desk.store.database.write() as connection:
        accounts.end_session(connection, request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/signin", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/language")
def set_language(
    request: Request, language: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Switch the language of the pages at once."""
    return _remember(request, back, LANGUAGE_COOKIE, language, LANGUAGES)


@router.post("/theme")
def set_theme(
    request: Request, theme: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Light, dark, or as the system is."""
    return _remember(request, back, THEME_COOKIE, theme, THEMES)


def _remember(
    request: Request, back: str, cookie: str, choice: str, known: tuple[str, ...]
) -> Response:
    """A choice that the browser keeps for a year; one that we do not know changes nothing."""
    response = back_to(request, _local(back))
    if choice in known:
        response.set_cookie(cookie, choice, max_age=_YEAR_S, samesite="lax")
    return response


def _form(
    request: Request,
    *,
    is_setup: bool,
    next_path: str = "/",
    error: KuaibaoError | None = None,
    status: int = 200,
    name: str = "",
) -> Response:
    before = request.cookies.get(_BEFORE_COOKIE) or secrets.token_urlsafe(24)
    response = render_page(
        request, "signin.html", status=status, is_setup=is_setup, next_path=next_path,
        error=error, before=before, name=name, house=_house(request),
    )  # fmt: skip
    response.set_cookie(_BEFORE_COOKIE, before, httponly=True, samesite="strict")
    return response


def _house(request: Request) -> str:
    """The host of the house that vouches for people, if there is one."""
    provider = provider_of(desk_of(request))
    return (urlsplit(provider.issuer).hostname or "") if provider else ""


def _provider(desk: Desk) -> Provider:
    provider = provider_of(desk)
    if provider is None:
        raise NotFoundError("no house vouches for people here")
    return provider


def _return_address(request: Request, desk: Desk) -> str:
    base = desk.setting("public_url") or str(request.base_url)
    return f"{base.rstrip('/')}/oidc/return"


def _check_before(request: Request, given: str) -> None:
    """Nobody is signed in by a form of another site (login CSRF)."""
    cookie = request.cookies.get(_BEFORE_COOKIE, "")
    if not cookie or not secrets.compare_digest(cookie.encode(), given.encode()):
        raise CsrfError


def _with_session(response: Response, is_secure: bool, secret: str) -> Response:
    response.set_cookie(
        SESSION_COOKIE, secret, max_age=14 * 86_400, httponly=True, samesite="lax",
        secure=is_secure,
    )  # fmt: skip
    return response


def _local(path: str) -> str:
    """A path of this application; anything else would be an open redirect."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_local and "\n" not in path and "\r" not in path else "/"
