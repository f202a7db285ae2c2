"""Reminders: whoever has an item in hand is told the day before it is due, and once it is late."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import Connection, select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.pieces import Piece, piece_from

__all__ = ["remind"]

_IN_HAND = ("assigned", "compiled")
MAX_AT_ONCE = 500


def remind(desk: Desk) -> int:
    """Leave the notes that are due now, each once for a person, an item and its day.

    Gives how many were left. An item that gets another day is told of anew.
    """
    today = desk.today
    columns = tables.piece.c
    query = (
        select(tables.piece)
        .where(columns.state.in_(_IN_HAND), columns.due != "")
        .where(columns.due <= (today + timedelta(days=1)).isoformat())
        .order_by(columns.due, columns.piece_id)
        .limit(MAX_AT_ONCE)
    )
    with desk.store.database.read() as connection:
        waiting = [
            (piece, person_id, kind)
            for piece in map(piece_from, connection.execute(query))
            if (person_id := _in_hand_of(piece)) is not None
            for kind in ("late" if piece.is_late(today) else "due_soon",)
            if not _was_told(connection, piece, person_id, kind)
        ]
    if waiting:
        with desk.change() as change:
            for piece, person_id, kind in waiting:
                details = {"title": piece.shown_title, "due": piece.due}
                change.notify(person_id, kind, by=None, piece_id=piece.piece_id, details=details)
    return len(waiting)


def _in_hand_of(piece: Piece) -> int | None:
    """Whose turn it is."""
    return piece.compiler_id if piece.state == "assigned" else piece.proofreader_id


def _was_told(connection: Connection, piece: Piece, person_id: int, kind: str) -> bool:
    columns = tables.notification.c
    known = connection.execute(
        select(columns.details).where(
            columns.person_id == person_id, columns.piece_id == piece.piece_id,
            columns.kind == kind,
        )
    ).scalars()  # fmt: skip
    return any(json.loads(details).get("due") == piece.due for details in known)
