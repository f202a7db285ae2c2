"""A wrong join taken back at the desk: an entry becomes a story, and a piece, of its own."""

from __future__ import annotations

import dataclasses

from sqlalchemy import select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.collecting import file_found
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.pieces import Piece, get_piece, piece_from
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.reading import claims_of
from kuaibao.bulletin.store import Telling, get_items, split_item, tellings_of

__all__ = ["part_entry", "tellings_of_piece"]


def tellings_of_piece(desk: Desk, actor: Actor, piece_id: int) -> list[Telling]:
    """The entries of a piece's story, and why each is one."""
    return tellings_of(desk.store, get_piece(desk, actor, piece_id).item_id)


def part_entry(desk: Desk, actor: Actor, piece_id: int, reference: str) -> Piece:
    """Take an entry out of a piece's story; gives the new piece, found like any other.

    Raises:
        InputError: The story has no such entry, or only this one.
        WorkflowError: The piece is published: what it was written from stays.
    """
    actor.require("pick")
    piece = get_piece(desk, actor, piece_id)
    if piece.state == "published":
        raise WorkflowError("a published item stays as it is", reason="published")
    name = actor.person.display_name or actor.person.name
    new_id = split_item(desk.store, piece.item_id, [reference], claims_of, f"parted by {name}")
    with desk.change() as change:
        change.log(
            actor, "part_entry", piece_id=piece_id, from_state=piece.state, to_state=piece.state,
            details={"reference": reference, "new_item": new_id},
        )  # fmt: skip
    desk.cache.clear()
    (item,) = get_items(desk.store, [new_id])
    file_found(desk, [dataclasses.replace(item, section=piece.section, score=piece.score)])
    columns = tables.piece.c
    query = select(tables.piece).where(
        columns.series_id == piece.series_id, columns.item_id == new_id
    )
    with desk.store.database.read() as connection:
        row = connection.execute(query).first()
    return piece if row is None else piece_from(row)  # the series may not take its language
