"""Who is asking: a signed-in browser, a token, or nobody."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from kuaibao import accounts
from kuaibao.bulletin.desk import Actor, Desk
from kuaibao.errors import KuaibaoError
from kuaibao.web.newsroom import Newsroom

__all__ = [
    "CHECKED",
    "SESSION_COOKIE",
    "ActorOf",
    "CsrfError",
    "DeskOf",
    "NeedsSignInError",
    "NewsroomOf",
    "TokenOrSession",
    "Visitor",
    "VisitorOf",
    "client_address",
    "desk_of",
    "visitor_of",
]  # fmt: skip

SESSION_COOKIE = "kuaibao_session"


class NeedsSignInError(KuaibaoError):
    """Nobody is signed in."""

    def __init__(self) -> None:
        super().__init__("sign in first")


class CsrfError(KuaibaoError):
    """The form was not made by this session."""

    def __init__(self) -> None:
        super().__init__("the form is out of date", hint="Load the page again, then send it.")


@dataclass(frozen=True)
class Visitor:
    """Whoever asks for a page."""

    actor: Actor | None = None
    csrf: str = ""

    @property
    def signed_in(self) -> Actor:
        """The actor.

        Raises:
            NeedsSignInError: There is none.
        """
        if self.actor is None:
            raise NeedsSignInError
        return self.actor


async def _newsroom(request: Request) -> Newsroom:  # async: no hand-over to a thread
    return request.app.state.newsroom


def desk_of(request: Request) -> Desk:
    """The application's desk."""
    return request.app.state.newsroom.desk


async def _desk(request: Request) -> Desk:
    return desk_of(request)


def _visitor(request: Request) -> Visitor:
    """The browser's session, looked up once a request."""
    known = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    visitor = Visitor()
    secret = request.cookies.get(SESSION_COOKIE, "")
    if secret:
        with desk_of(request).store.database.read() as connection:
            session = accounts.find_session(connection, secret)
        if session is not None:
            visitor = Visitor(Actor(session.person), session.csrf_token)
    request.state.visitor = visitor
    return visitor


def visitor_of(request: Request) -> Visitor:
    """Whoever asks, for routes that FastAPI's dependencies do not reach."""
    return _visitor(request)


def _signed_in(request: Request) -> Actor:
    return _visitor(request).signed_in


async def _check_csrf(request: Request) -> None:
    """Every change by a browser carries its session's token, in the form or in a header.

    Raises:
        CsrfError: It does not.
    """
    visitor = await run_in_threadpool(_visitor, request)
    if visitor.actor is None:
        raise NeedsSignInError
    given = request.headers.get("x-csrf-token", "")
    if not given:
        form = await request.form()
        value = form.get("csrf", "")
        given = value if isinstance(value, str) else ""
    if not secrets.compare_digest(given.encode(), visitor.csrf.encode()):
        raise CsrfError


CHECKED = [Depends(_check_csrf)]
"""The `dependencies` of every route by which a page changes something."""


async def _token_or_session(request: Request) -> Actor:
    """For the JSON API: a token of the header, else the session (with its CSRF token)."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await run_in_threadpool(_by_token, desk_of(request), secret.strip())
    if request.method not in ("GET", "HEAD"):
        visitor = await run_in_threadpool(_visitor, request)
        given = request.headers.get("x-csrf-token", "")
        if visitor.actor is None:
            raise NeedsSignInError
        if not secrets.compare_digest(given.encode(), visitor.csrf.encode()):
            raise CsrfError
    return (await run_in_threadpool(_visitor, request)).signed_in


def _by_token(desk: Desk, secret: str) -> Actor:
    with desk.store.database.write() as connection:
        key, person = accounts.check_key(connection, secret)
    return Actor(person, frozenset(key.scopes))


def client_address(request: Request) -> str:
    """Where the request comes from; a proxy's headers are not believed."""
    return request.client.host if request.client else "unknown"


NewsroomOf = Annotated[Newsroom, Depends(_newsroom)]
DeskOf = Annotated[Desk, Depends(_desk)]
VisitorOf = Annotated[Visitor, Depends(_visitor)]
ActorOf = Annotated[Actor, Depends(_signed_in)]
TokenOrSession = Annotated[Actor, Depends(_token_or_session)]
