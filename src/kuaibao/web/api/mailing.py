"""Subscribers, mailings, mail that came back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel

from kuaibao.bulletin.desk import get_series
from kuaibao.bulletin.mailing import (
    Mailing,
    Progress,
    Subscriber,
    add_subscriber,
    confirm,
    list_mailings,
    list_subscribers,
    mail_settings,
    queue_issue,
    read_bounce,
    record_bounce,
    requeue,
    subscribe,
    unsubscribe,
)
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession, client_address
from kuaibao.web.api.forms import BounceForm, SubscriberForm
from kuaibao.web.api.pieces import PieceId

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["mail"])
SubscriptionToken = Annotated[str, Path(max_length=200)]
_TYPES = (Progress,)  # what Mailing is made of


class Bounced(BaseModel):
    """What a message that came back led to."""

    n_bounce: int
    n_ended: int


@router.get("/series/{series_id}/subscribers")
def subscribers(
    desk: DeskOf,
    actor: TokenOrSession,
    series_id: PieceId,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> list[Subscriber]:
    """The addresses of a series."""
    return list_subscribers(desk, actor, series_id, limit=limit, offset=offset)


@router.post("/series/{series_id}/subscribers", status_code=201)
def new_subscriber(
    desk: DeskOf, actor: TokenOrSession, series_id: PieceId, form: SubscriberForm
) -> Subscriber:
    """An address whose owner agreed elsewhere."""
    get_series(desk, series_id)
    return add_subscriber(desk, actor, series_id, form.email)


@router.post("/series/{series_id}/subscribe", status_code=202)
def ask_to_subscribe(
    request: Request, desk: DeskOf, newsroom: NewsroomOf, series_id: PieceId, form: SubscriberForm
) -> dict[str, bool]:
    """Anybody's wish to read by mail; the answer is the same for every address."""
    settings = mail_settings(desk)
    if settings is None:
        raise HTTPException(404, "mail is not set up")
    newsroom.allow_stranger(client_address(request))
    subscribe(desk, series_id, form.email, base_url=settings.base_url)
    newsroom.mail.wake()
    return {"is_asked": True}


@router.post("/subscriptions/{token}/confirm")
def confirm_subscription(desk: DeskOf, token: SubscriptionToken) -> dict[str, str]:
    """The second yes, by the token of the letter."""
    return _state(confirm(desk, token))


@router.post("/subscriptions/{token}/leave")
def leave(desk: DeskOf, token: SubscriptionToken) -> dict[str, str]:
    """Leave; the token alone is enough."""
    return _state(unsubscribe(desk, token))


def _state(found: Subscriber | None) -> dict[str, str]:
    if found is None:
        raise HTTPException(404, "no such subscription")
    return {"state": found.state}


@router.get("/mailings")
def mailings(desk: DeskOf, actor: TokenOrSession) -> list[Mailing]:
    """Every mailing with its progress, newest first."""
    actor.require("manage_subscribers")
    return list_mailings(desk)


@router.post("/issues/{issue_id}/mail", status_code=202)
def mail_issue(
    desk: DeskOf, actor: TokenOrSession, newsroom: NewsroomOf, issue_id: PieceId
) -> Mailing:
    """Queue a published issue for its subscribers; a second call adds none."""
    made = queue_issue(desk, actor, issue_id)
    newsroom.mail.wake()
    return made


@router.post("/mailings/{mailing_id}/requeue", status_code=202)
def queue_again(
    desk: DeskOf,
    actor: TokenOrSession,
    newsroom: NewsroomOf,
    mailing_id: PieceId,
    state: Literal["failed", "handing"] = "failed",
) -> dict[str, int]:
    """Try again what failed, or what a kill left uncertain."""
    n_queued = requeue(desk, actor, mailing_id, state)
    newsroom.mail.wake()
    return {"n_queued": n_queued}


@router.post("/bounces")
def bounce(desk: DeskOf, actor: TokenOrSession, form: BounceForm) -> Bounced:
    """Read a message that came back; subscriptions that it shows to be dead end."""
    actor.require("manage_subscribers")
    found = read_bounce(form.message.encode("utf-8", "replace"))
    return Bounced(
        n_bounce=len(found), n_ended=sum(record_bounce(desk, actor, one) for one in found)
    )
