"""Pictures: an item's, sorted by an engine; an issue's cover."""

from __future__ import annotations

from fastapi import APIRouter

from kuaibao.bulletin.desk import (
    choose_lead_picture,
    draw_cover,
    find_pictures,
    get_piece,
    known_pictures,
    tell_picture,
)
from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.writing import ItemPicture, ItemPictures
from kuaibao.fetching import Fetcher
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession
from kuaibao.web.api.forms import CoverForm, LeadForm, PictureKindForm
from kuaibao.web.api.pieces import PieceId

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["pictures"])
_TYPES = (ItemPicture,)  # what ItemPictures is made of


@router.get("/pieces/{piece_id}/pictures")
def pictures(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> ItemPictures:
    """The item's pictures as they were sorted; empty before anybody looked."""
    return known_pictures(desk, actor, get_piece(desk, actor, piece_id)) or ItemPictures()


@router.post("/pieces/{piece_id}/pictures")
def find(
    desk: DeskOf, actor: TokenOrSession, newsroom: NewsroomOf, piece_id: PieceId
) -> ItemPictures:
    """Fetch and sort them."""
    with Fetcher(newsroom.fetch_settings) as fetcher:
        return find_pictures(desk, actor, piece_id, fetcher)


@router.put("/pieces/{piece_id}/pictures/kind")
def kind(
    desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: PictureKindForm
) -> ItemPictures:
    """Say what kind one is: the engine learns it."""
    return tell_picture(desk, actor, piece_id, form.url, form.kind)


@router.put("/pieces/{piece_id}/pictures/lead")
def lead(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: LeadForm) -> ItemPictures:
    """Choose the lead, or none."""
    return choose_lead_picture(desk, actor, piece_id, form.url)


@router.post("/issues/{issue_id}/cover")
def cover(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId, form: CoverForm) -> Figure:
    """Draw the cover strip of an open issue."""
    return draw_cover(desk, actor, issue_id, form.seed)
