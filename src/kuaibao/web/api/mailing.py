"""Subscribers, mailings, mail that came back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from kuaibao.bulletin.desk import get_series
from kuaibao.bulletin.mailing import (
    Mailing,
    Progress,
    Subscriber,
    add_subscriber,
    list_mailings,
    list_subscribers,
    queue_issue,
    read_bounce,
    record_bounce,
    requeue,
)
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession
from kuaibao.web.api.forms import BounceForm, SubscriberForm
from kuaibao.web.api.pieces import PieceId

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["mail"])
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
