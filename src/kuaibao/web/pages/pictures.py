"""An item's pictures and an issue's cover: looked for, told apart, chosen, drawn."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from kuaibao.bulletin.desk import choose_lead_picture, draw_cover, find_pictures, tell_picture
from kuaibao.fetching import Fetcher
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
MAX_SEED = 2**31


@router.post("/pieces/{piece_id}/pictures", dependencies=CHECKED)
def find(desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf, piece_id: int) -> Response:
    """Fetch the item's pictures and sort them."""
    with Fetcher(newsroom.fetch_settings) as fetcher:
        find_pictures(desk, actor, piece_id, fetcher)
    return RedirectResponse(f"/pieces/{piece_id}#pictures", 303)


@router.post("/pieces/{piece_id}/pictures/kind", dependencies=CHECKED)
def kind(
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    url: Annotated[str, Form(max_length=4000)],
    kind: Annotated[str, Form(max_length=100)],
) -> Response:
    """Say what kind a picture is: the probe learns it."""
    tell_picture(desk, actor, piece_id, url, kind)
    return RedirectResponse(f"/pieces/{piece_id}#pictures", 303)


@router.post("/pieces/{piece_id}/pictures/lead", dependencies=CHECKED)
def lead(
    desk: DeskOf, actor: ActorOf, piece_id: int, url: Annotated[str, Form(max_length=4000)] = ""
) -> Response:
    """Choose the lead picture, or none."""
    choose_lead_picture(desk, actor, piece_id, url)
    return RedirectResponse(f"/pieces/{piece_id}#pictures", 303)


@router.post("/issues/{issue_id}/cover", dependencies=CHECKED)
def cover(
    desk: DeskOf,
    actor: ActorOf,
    issue_id: int,
    seed: Annotated[int, Form(ge=0, le=MAX_SEED)] = 0,
) -> Response:
    """Draw the cover strip."""
    draw_cover(desk, actor, issue_id, seed)
    return RedirectResponse(f"/issues/{issue_id}#cover", 303)
