"""Pictures at the desk: an item's are looked for, sorted, told apart; an issue's cover is drawn."""

from __future__ import annotations

from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.issues import get_desk_issue
from kuaibao.bulletin.desk.pieces import Piece, get_piece
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import get_series
from kuaibao.bulletin.desk.sources import original_of
from kuaibao.bulletin.model import Figure
from kuaibao.bulletin.sources.protocol import Fetches
from kuaibao.bulletin.writing import ItemPictures, Pictures
from kuaibao.errors import InputError

__all__ = ["choose_lead_picture", "draw_cover", "find_pictures", "known_pictures", "tell_picture"]


def known_pictures(desk: Desk, actor: Actor, piece: Piece) -> ItemPictures | None:
    """What is known of an item's pictures; None before anybody looked, or where none are wanted."""
    actor.require("read_desk")
    return desk.pictures.of(piece.item_id) if desk.pictures is not None else None


def find_pictures(desk: Desk, actor: Actor, piece_id: int, fetcher: Fetches) -> ItemPictures:
    """Fetch an item's pictures and let the engine sort them.

    Raises:
        InputError: The bulletin wants no pictures, or the engine can't be had.
    """
    pictures, piece = _editing(desk, actor, piece_id)
    original = original_of(desk, get_series(desk, piece.series_id), piece)
    found = pictures.gather(original.item, fetcher)
    _log(desk, actor, piece, "find_pictures", {"n": len(found.pictures), "lead": found.lead})
    return found


def tell_picture(desk: Desk, actor: Actor, piece_id: int, url: str, kind: str) -> ItemPictures:
    """Say what kind a picture is: the engine learns it, and the item's pictures are sorted anew."""
    pictures, piece = _editing(desk, actor, piece_id)
    found = pictures.tell_kind(piece.item_id, url, kind)
    _log(desk, actor, piece, "tell_picture", {"url": url, "kind": kind})
    return found


def choose_lead_picture(desk: Desk, actor: Actor, piece_id: int, url: str) -> ItemPictures:
    """Choose the lead picture; an empty address for none."""
    pictures, piece = _editing(desk, actor, piece_id)
    found = pictures.choose_lead(piece.item_id, url)
    _log(desk, actor, piece, "choose_lead", {"url": url})
    return found


def draw_cover(desk: Desk, actor: Actor, issue_id: int, seed: int) -> Figure:
    """Draw the strip at the head of an open issue; another seed draws another one."""
    actor.require("edit_issue")
    issue = get_desk_issue(desk, issue_id)
    if issue.state != "open":
        raise WorkflowError("the issue is closed", reason="issue_closed")
    pictures = _wanted(desk)
    series = get_series(desk, issue.series_id)
    drawn = pictures.draw_cover(series.name, issue.running_number, seed)
    with desk.change() as change:
        change.log(actor, "draw_cover", issue_id=issue_id, details={"seed": seed})
    return drawn


def _wanted(desk: Desk) -> Pictures:
    if desk.pictures is None:
        raise InputError(
            "this bulletin wants no pictures",
            hint="Set lead = true or cover = true under [pictures] in bulletin.toml.",
        )
    return desk.pictures


def _editing(desk: Desk, actor: Actor, piece_id: int) -> tuple[Pictures, Piece]:
    actor.require("edit_text")
    piece = get_piece(desk, actor, piece_id)
    if piece.state == "published":
        raise WorkflowError("a published item stays as it is", reason="published")
    return _wanted(desk), piece


def _log(desk: Desk, actor: Actor, piece: Piece, action: str, details: dict[str, object]) -> None:
    with desk.change() as change:
        change.log(
            actor, action, piece_id=piece.piece_id, from_state=piece.state, to_state=piece.state,
            details=details,
        )  # fmt: skip
