"""Pieces: an item in a series, its place in the workflow, and the steps that people take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.errors import NotFoundError, WorkflowError
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.teaching import CHOOSING, teach, teach_choice
from kuaibao.bulletin.desk.workflow import Decision, Move, PieceFacts, State, decide
from kuaibao.bulletin.model import SectionKind
from kuaibao.errors import InputError

__all__ = [
    "Piece",
    "PieceSignature",
    "assign",
    "count_states",
    "facts_of",
    "get_piece",
    "list_pieces",
    "load_facts",
    "move_piece",
    "set_section",
    "signatures_of",
    "undo_move",
]

MAX_LISTED = 500
_UNDOABLE = ("pick", "drop", "restore", "take", "assign")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A row of the desk."""

    piece_id: int
    series_id: int
    item_id: str
    section: SectionKind
    state: State
    score: float
    reasons: tuple[str, ...]
    lead_title: str
    source_id: str
    url: str
    day: str
    source_language: str
    issue_id: int | None
    position: float
    compiler_id: int | None
    proofreader_id: int | None
    due: str
    revision: int
    title: str
    has_text: bool
    text_hash: str
    is_machine: bool
    """Nobody has touched the text yet."""
    changed_at: float

    @property
    def shown_title(self) -> str:
        """The printed title, or the source's while there is none."""
        return self.title or self.lead_title

    def is_late(self, today: date) -> bool:
        """Whether it is past its day and not yet ready."""
        return bool(self.due) and self.due < today.isoformat() and self.state in (
            "picked", "assigned", "compiled", "proofread",
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PieceSignature:
    """Who signed what, by which step."""

    role: str
    person_id: int
    name: str
    at: float
    text_hash: str
    is_void: bool


def get_piece(desk: Desk, actor: Actor, piece_id: int) -> Piece:
    """One piece.

    Raises:
        NotFoundError: There is none.
    """
    actor.require("read_desk")
    with desk.store.database.read() as connection:
        return load_piece(connection, piece_id)


def list_pieces(
    desk: Desk,
    actor: Actor,
    *,
    series_id: int | None = None,
    states: Sequence[str] = (),
    issue_id: int | None = None,
    person_id: int | None = None,
    section: str = "",
    words: str = "",
    limit: int = 100,
    offset: int = 0,
) -> list[Piece]:
    """Pieces that fit, the best first (of an issue: in print order)."""
    actor.require("read_desk")
    columns = tables.piece.c
    query = select(tables.piece)
    if series_id is not None:
        query = query.where(columns.series_id == series_id)
    if states:
        query = query.where(columns.state.in_(list(states)))
    if section:
        query = query.where(columns.section == section)
    if person_id is not None:
        query = query.where(
            or_(columns.compiler_id == person_id, columns.proofreader_id == person_id)
        )
    for word in words.split()[:8]:
        pattern = f"%{_escaped(word)}%"
        query = query.where(
            or_(
                columns.lead_title.ilike(pattern, escape="\\"),
                columns.title.ilike(pattern, escape="\\"),
                columns.source_id.ilike(pattern, escape="\\"),
            )
        )
    if issue_id is not None:
        query = query.where(columns.issue_id == issue_id).order_by(columns.position)
    else:
        query = query.order_by(columns.score.desc(), columns.piece_id)
    query = query.limit(max(1, min(limit, MAX_LISTED))).offset(max(0, min(offset, 2**31)))
    with desk.store.database.read() as connection:
        return [piece_from(row) for row in connection.execute(query)]


def count_states(desk: Desk, actor: Actor, series_id: int) -> dict[str, int]:
    """How many pieces are in each state."""
    actor.require("read_desk")
    columns = tables.piece.c
    query = (
        select(columns.state, func.count())
        .where(columns.series_id == series_id)
        .group_by(columns.state)
    )
    with desk.store.database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


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
    """
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


def signatures_of(desk: Desk, actor: Actor, piece_id: int) -> list[PieceSignature]:
    """Every signature there ever was on a piece, oldest first."""
    actor.require("read_desk")
    with desk.store.database.read() as connection:
        return load_signatures(connection, piece_id)


def facts_of(desk: Desk, piece: Piece) -> PieceFacts:
    """What decides about a piece."""
    with desk.store.database.read() as connection:
        return load_facts(connection, piece)


# -- within a transaction ------------------------------------------------------------------


def load_piece(connection: Connection, piece_id: int) -> Piece:
    """The piece as it stands."""
    row = connection.execute(
        select(tables.piece).where(tables.piece.c.piece_id == piece_id)
    ).first()
    if row is None:
        raise NotFoundError(f"there is no piece {piece_id}")
    return piece_from(row)


def load_signatures(connection: Connection, piece_id: int) -> list[PieceSignature]:
    """Every signature of a piece, oldest first."""
    rows = connection.execute(
        select(tables.signature)
        .where(tables.signature.c.piece_id == piece_id)
        .order_by(tables.signature.c.signature_id)
    )
    return [_signature(row) for row in rows]


def _signature(row: Row[Any]) -> PieceSignature:
    return PieceSignature(
        role=row.role, person_id=row.person_id, name=row.name, at=row.at,
        text_hash=row.text_hash, is_void=row.voided_at is not None,
    )  # fmt: skip


def load_facts(connection: Connection, piece: Piece) -> PieceFacts:
    """What decides about a piece, as it stands in this transaction."""
    return load_all_facts(connection, [piece])[piece.piece_id]


def load_all_facts(connection: Connection, pieces: Sequence[Piece]) -> dict[int, PieceFacts]:
    """The same of several pieces at once."""
    author, signature = tables.author.c, tables.signature
    authors: dict[int, list[int]] = {p.piece_id: [] for p in pieces}
    signed: dict[int, list[PieceSignature]] = {p.piece_id: [] for p in pieces}
    wanted = list(authors)
    for row in connection.execute(select(tables.author).where(author.piece_id.in_(wanted))):
        authors[row.piece_id].append(row.person_id)
    for row in connection.execute(select(signature).where(signature.c.piece_id.in_(wanted))):
        signed[row.piece_id].append(_signature(row))
    return {p.piece_id: _facts(p, authors[p.piece_id], signed[p.piece_id]) for p in pieces}


def _facts(
    piece: Piece, authors: Sequence[int], signatures: Sequence[PieceSignature]
) -> PieceFacts:
    valid = [
        s
        for s in signatures
        if not s.is_void and (s.role != "proofread" or s.text_hash == piece.text_hash)
    ]
    return PieceFacts(
        state=piece.state,
        title=piece.shown_title,
        has_text=piece.has_text and bool(piece.title.strip()),
        has_source=bool(piece.source_id),
        has_link=piece.url.startswith(("http://", "https://")),
        compiler=piece.compiler_id,
        proofreader=piece.proofreader_id,
        authors=frozenset(authors),
        signed=frozenset(s.role for s in valid),
        proofread_by=frozenset(s.person_id for s in valid if s.role == "proofread"),
    )


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


def piece_from(row: Row[Any]) -> Piece:
    """A row as a value."""
    values = dict(row._mapping)
    values.pop("n_revision")
    values["reasons"] = tuple(json.loads(values["reasons"]))
    values["has_text"], values["is_machine"] = bool(values["has_text"]), bool(values["is_machine"])
    return Piece(**cast("dict[str, Any]", values))


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


def _day(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise InputError(f"{text!r} is no day", hint="Write it as 2026-11-30.") from error


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
