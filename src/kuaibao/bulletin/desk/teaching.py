"""What people decide at the desk, written into the log that the ranking learns from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kuaibao.bulletin.desk.desk import Change
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.model import SectionKind
from kuaibao.bulletin.store import Action, Decision, insert_decision

if TYPE_CHECKING:
    from kuaibao.bulletin.desk.pieces import Piece

__all__ = ["CHOOSING", "teach", "teach_choice"]

CHOOSING = frozenset({"pick", "drop", "restore"})
"""Steps that say whether an item is wanted; the others only say who works on it."""


def teach_choice(change: Change, actor: Actor, piece: Piece, state: str) -> None:
    """The piece is in `state` now: wanted, not wanted, or undecided again."""
    action: Action = "picked"
    if state == "dropped":
        action = "dropped"
    elif state == "found":
        action = "undone"
    teach(change, actor, piece, action)


def teach(
    change: Change,
    actor: Actor,
    piece: Piece,
    action: Action,
    to_section: SectionKind | None = None,
) -> None:
    """Keep a decision in the transaction of the step that it is."""
    decision = Decision(
        item_id=piece.item_id,
        section=piece.section,
        action=action,
        at=datetime.fromtimestamp(change.desk.now, UTC),
        person=actor.person.name,
        to_section=to_section,
    )
    insert_decision(change.connection, decision)
