"""The steps that people take with a piece, each written down with who took it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.pieces import Piece, load_facts, load_piece, load_text
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.teaching import CHOOSING, teach, teach_choice
from kuaibao.bulletin.desk.workflow import Decision, Move, decide
from kuaibao.bulletin.model import SectionKind
from kuaibao.bulletin.writing import draw_figures
from kuaibao.errors import InputError

__all__ = ["add_author", "apply_decision", "assign", "move_piece", "set_section", "undo_move"]

_UNDOABLE = ("pick", "drop", "restore", "take", "assign")


def move_piece(
    desk: Desk,
    actor: Actor,
    piece_id: int,
    move: Move,
    *,
    revision: int | None = None,
    is_translation: bool = False,
    note: str = "",
) -> Piece:
    """Take a step of the workflow.

    Args:
        desk: Where.
        actor: Who.
        piece_id: Which piece.
        move: Which step; `assign` has a function of its own.
        revision: The text that was read; signing another one than stands is refused.
        is_translation: The text is signed as translated rather than compiled.
        note: Why (of a piece that is sent back).

    Raises:
        WorkflowError: A rule forbids it.
        InputError: A block of the text that is signed can't be drawn.
    """
    if move == "compile":
        _check_drawings(desk, actor, piece_id)
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        facts = load_facts(change.connection, piece)
        decision = decide(facts, actor, move, is_translation=is_translation)
        if move == "publish":
            raise WorkflowError("items are published with their issue", reason="wrong_state")
        if decision.signs and revision is not None and revision != piece.revision:
            raise WorkflowError(
                "the text was changed since you read it: read it again, then sign", reason="stale"
            )
        values: dict[str, Any] = {}
        if move == "take" or (move == "compile" and piece.compiler_id is None):
            values["compiler_id"] = actor.person_id
        if move == "drop" or move == "restore":
            values |= {"issue_id": None}
        apply_decision(change, actor, piece, decision, move, values=values, note=note)
        if move in CHOOSING:
            teach_choice(change, actor, piece, decision.state)
        _notify_of_move(change, actor, piece, move, note)
        return load_piece(change.connection, piece_id)


def assign(
    desk: Desk,
    actor: Actor,
    piece_id: int,
    *,
    compiler_id: int | None = None,
    proofreader_id: int | None = None,
    due: str = "",
) -> Piece:
    """Say who compiles, who proofreads and until when.

    Raises:
        InputError: The due day is none.
        WorkflowError: One person for both, or the piece is past assigning.
    """
    actor.require("assign")
    due = _day(due)
    if compiler_id is not None and compiler_id == proofreader_id:
        raise WorkflowError("nobody proofreads their own text", reason="own_text")
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        facts = load_facts(change.connection, piece)
        if proofreader_id is not None and proofreader_id in facts.authors:
            raise WorkflowError("nobody proofreads their own text", reason="own_text")
        decision = Decision(state=facts.state)
        if facts.state in ("picked", "assigned"):
            decision = decide(facts, actor, "assign")
        elif facts.state not in ("compiled", "proofread"):
            raise WorkflowError(
                f"assigning is not possible in the state '{facts.state}'", reason="wrong_state"
            )
        if compiler_id is None and facts.state == "picked":
            decision = Decision(state="picked")
        values = {"compiler_id": compiler_id, "proofreader_id": proofreader_id, "due": due}
        apply_decision(change, actor, piece, decision, "assign", values=values)
        details = {"title": piece.shown_title, "due": due}
        if compiler_id != piece.compiler_id:
            change.notify(compiler_id, "assigned", by=actor, piece_id=piece_id, details=details)
        if proofreader_id != piece.proofreader_id:
            change.notify(
                proofreader_id, "to_proofread", by=actor, piece_id=piece_id, details=details
            )
        return load_piece(change.connection, piece_id)


def set_section(desk: Desk, actor: Actor, piece_id: int, section: SectionKind) -> Piece:
    """Move a piece to another section: one more decision that the ranking can learn from."""
    actor.require("pick")
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        if piece.state == "published":
            raise WorkflowError("a published item stays where it is", reason="published")
        change.connection.execute(
            update(tables.piece)
            .where(tables.piece.c.piece_id == piece_id)
            .values(section=section, changed_at=desk.now)
        )
        change.log(
            actor, "move_section", piece_id=piece_id, from_state=piece.state,
            to_state=piece.state, details={"from_section": piece.section, "to_section": section},
        )  # fmt: skip
        if section != piece.section:
            teach(change, actor, piece, "moved", section)
        return load_piece(change.connection, piece_id)


def undo_move(desk: Desk, actor: Actor, piece_id: int) -> Piece:
    """Take back one's own last step with a piece, if nothing came after it and nothing was signed.

    Raises:
        WorkflowError: There is nothing to take back.
    """
    actor.require("pick")
    columns = tables.event.c
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        last = change.connection.execute(
            select(tables.event)
            .where(columns.piece_id == piece_id)
            .order_by(columns.event_id.desc())
            .limit(1)
        ).first()
        if last is None or last.action not in _UNDOABLE or last.person_id != actor.person_id:
            raise WorkflowError("there is no step of yours to take back", reason="nothing_to_undo")
        values: dict[str, Any] = {"state": last.from_state, "changed_at": desk.now}
        before = json.loads(last.details).get("before")
        values |= before if isinstance(before, dict) else {}
        change.connection.execute(
            update(tables.piece).where(tables.piece.c.piece_id == piece_id).values(**values)
        )
        change.log(
            actor, "undo", piece_id=piece_id, from_state=piece.state, to_state=last.from_state,
            details={"undone": last.action},
        )  # fmt: skip
        if last.action in CHOOSING:
            teach_choice(change, actor, piece, last.from_state)
        return load_piece(change.connection, piece_id)


# -- within a transaction ------------------------------------------------------------------


def apply_decision(
    change: Change,
    actor: Actor,
    piece: Piece,
    decision: Decision,
    action: str,
    *,
    values: dict[str, Any] | None = None,
    note: str = "",
    text_hash: str | None = None,
    revision: int | None = None,
) -> None:
    """Write a decision down: state, signatures, authors, log. All in the caller's transaction."""
    connection, now = change.connection, change.desk.now
    changed = dict(values or {})
    before = {name: getattr(piece, name) for name in changed if hasattr(piece, name)}
    connection.execute(
        update(tables.piece)
        .where(tables.piece.c.piece_id == piece.piece_id)
        .values(state=decision.state, changed_at=now, **changed)
    )
    signed_hash = text_hash if text_hash is not None else piece.text_hash
    details: dict[str, Any] = {"before": before}
    details |= {"note": note} if note else {}
    details |= {"signs": decision.signs, "text_hash": signed_hash} if decision.signs else {}
    audit_hash = change.log(
        actor, action, piece_id=piece.piece_id, issue_id=piece.issue_id, from_state=piece.state,
        to_state=decision.state, details=details,
        revision=piece.revision if revision is None else revision,
    )  # fmt: skip
    columns = tables.signature.c
    if decision.voids:
        connection.execute(
            update(tables.signature)
            .where(columns.piece_id == piece.piece_id, columns.voided_at.is_(None))
            .where(columns.role.in_(sorted(decision.voids)))
            .values(voided_at=now)
        )
    if decision.signs:
        connection.execute(
            insert(tables.signature).values(
                piece_id=piece.piece_id, role=decision.signs, person_id=actor.person_id,
                name=actor.person.display_name, at=now, text_hash=signed_hash,
                audit_hash=audit_hash,
            )
        )  # fmt: skip
    if decision.makes_author:
        add_author(connection, piece.piece_id, actor.person_id)


def add_author(connection: Connection, piece_id: int, person_id: int) -> None:
    """Note that a person wrote of the text."""
    own = (tables.author.c.piece_id == piece_id) & (tables.author.c.person_id == person_id)
    if connection.execute(select(tables.author).where(own)).first() is None:
        connection.execute(insert(tables.author).values(piece_id=piece_id, person_id=person_id))


def _notify_of_move(change: Change, actor: Actor, piece: Piece, move: Move, note: str) -> None:
    details = {"title": piece.shown_title, "note": note}
    if move == "compile":
        change.notify(
            piece.proofreader_id, "to_proofread", by=actor, piece_id=piece.piece_id, details=details
        )
    if move in ("send_back", "proofread", "accept"):
        kind = {"send_back": "sent_back", "proofread": "was_proofread", "accept": "was_accepted"}
        change.notify(
            piece.compiler_id, kind[move], by=actor, piece_id=piece.piece_id, details=details
        )


def _check_drawings(desk: Desk, actor: Actor, piece_id: int) -> None:
    """Nobody signs a diagram that would be printed as its program.

    Outside the transaction, for drawing takes seconds; a text that changes meanwhile is drawn when
    the issue is closed.
    """
    actor.require("read_desk")
    with desk.store.database.read() as connection:
        text = load_text(connection, piece_id, load_piece(connection, piece_id).revision)
    if text.is_markdown and (notices := draw_figures(text.body).notices):
        raise InputError(notices[0])


def _day(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise InputError(f"{text!r} is no day", hint="Write it as 2026-11-30.") from error
