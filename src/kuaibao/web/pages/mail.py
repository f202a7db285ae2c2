"""Subscribers: the public pages to subscribe and leave, and the office of those who mail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from kuaibao.bulletin.desk import get_series, list_issues
from kuaibao.bulletin.mailing import (
    PASSWORD_VARIABLE,
    add_subscriber,
    confirm,
    count_subscribers,
    find_by_token,
    list_mailings,
    list_subscribers,
    mail_settings,
    queue_issue,
    requeue,
    subscribe,
    unsubscribe,
)
from kuaibao.errors import InputError
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf
from kuaibao.web.rendering import make_ui, render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_MAIL_SETTINGS = ("smtp_host", "smtp_port", "smtp_user", "smtp_security", "mail_sender",
                  "public_url", "mail_per_minute")  # fmt: skip


@router.get("/subscribe/{series_id}")
def subscribe_page(request: Request, desk: DeskOf, series_id: int) -> Response:
    """The public form, if mail is set up."""
    if mail_settings(desk) is None:
        raise HTTPException(404)
    return render_page(
        request, "subscribe.html", series=get_series(desk, series_id), step="ask", token=""
    )


@router.post("/subscribe/{series_id}")
def ask_to_subscribe(
    request: Request, desk: DeskOf, newsroom: NewsroomOf, series_id: int,
    email: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Queue the letter that asks to confirm; the answer is the same for every address."""
    settings = mail_settings(desk)
    if settings is None:
        raise HTTPException(404)
    newsroom.allow_stranger(request.client.host if request.client else "")
    subscribe(desk, series_id, email, base_url=settings.base_url)
    newsroom.mail.wake()
    return render_page(
        request, "subscribe.html", series=get_series(desk, series_id), step="asked", token=""
    )


@router.get("/subscription/{token}")
def subscription(request: Request, desk: DeskOf, token: str) -> Response:
    """Where the links in letters lead: a page with a button, so that no scanner confirms."""
    found = find_by_token(desk, token)
    if found is None:
        raise HTTPException(404)
    step = {"pending": "confirm", "active": "active"}.get(found.state, "left")
    series = get_series(desk, found.series_id)
    return render_page(request, "subscribe.html", series=series, step=step, token=token)


@router.post("/subscription/{token}")
def confirm_subscription(request: Request, desk: DeskOf, token: str) -> Response:
    """The second yes."""
    found = confirm(desk, token)
    if found is None:
        raise HTTPException(404)
    series = get_series(desk, found.series_id)
    return render_page(request, "subscribe.html", series=series, step="active", token=token)


@router.get("/subscription/{token}/leave")
def leave_page(request: Request, desk: DeskOf, token: str) -> Response:
    """The page behind the link at the foot of every mail."""
    return subscription(request, desk, token)


@router.post("/subscription/{token}/leave")
def leave(request: Request, desk: DeskOf, token: str) -> Response:
    """Leave at one click (RFC 8058): the token alone is enough."""
    found = unsubscribe(desk, token)
    if found is None:
        raise HTTPException(404)
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("left")
    series = get_series(desk, found.series_id)
    return render_page(request, "subscribe.html", series=series, step="left", token=token)


@router.get("/subscribers")
def subscribers_page(
    request: Request, desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf
) -> Response:
    """Who reads by mail, what was mailed and how far it is."""
    actor.require("manage_subscribers")
    ui = make_ui(request)
    series_id = ui.current.series_id if ui.current else 0
    mailings = {m.issue_id: m for m in list_mailings(desk)}
    return render_page(
        request, "subscribers.html", ui=ui,
        counts=count_subscribers(desk, actor).get(series_id, {}),
        subscribers=list_subscribers(desk, actor, series_id, limit=200), mailings=mailings,
        issues=list_issues(desk, series_id=series_id, state="published"),
        settings=desk.settings(), is_set=mail_settings(desk) is not None,
        problem=newsroom.mail.problem, password_variable=PASSWORD_VARIABLE,
    )  # fmt: skip


@router.post("/subscribers", dependencies=CHECKED)
def new_subscriber(
    desk: DeskOf, actor: ActorOf, series_id: Annotated[int, Form()],
    email: Annotated[str, Form()],
) -> Response:  # fmt: skip
    """Add an address whose owner agreed elsewhere."""
    add_subscriber(desk, actor, series_id, email)
    return RedirectResponse("/subscribers", 303)


@router.post("/subscribers/settings", dependencies=CHECKED)
async def change_mail_settings(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Where mail is handed in."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    values = {name: str(form.get(name, "")).strip()[:300] for name in _MAIL_SETTINGS}
    if values["smtp_security"] not in ("starttls", "tls", "none"):
        raise InputError("security is starttls, tls or none")
    if values["public_url"] and not values["public_url"].startswith(("http://", "https://")):
        raise InputError("the address begins with http:// or https://")

    def save() -> None:
        for name, value in values.items():
            desk.set_setting(actor, name, value)

    await run_in_threadpool(save)
    return RedirectResponse("/subscribers", 303)


@router.post("/issues/{issue_id}/mail", dependencies=CHECKED)
def mail_issue(desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf, issue_id: int) -> Response:
    """Queue an issue for its subscribers, once."""
    queue_issue(desk, actor, issue_id)
    newsroom.mail.wake()
    return RedirectResponse("/subscribers", 303)


@router.post("/mailings/{mailing_id}/requeue", dependencies=CHECKED)
def queue_again(
    desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf, mailing_id: int,
    state: Annotated[str, Form()] = "failed",
) -> Response:  # fmt: skip
    """Try again what failed, or what a kill left uncertain."""
    requeue(desk, actor, mailing_id, state)
    newsroom.mail.wake()
    return RedirectResponse("/subscribers", 303)
