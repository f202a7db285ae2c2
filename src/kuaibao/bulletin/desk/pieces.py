"""Pieces: an item in a series, its place in the workflow, its signatures and what they mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, Row, func, or_, select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.text import PieceText
from kuaibao.bulletin.desk.workflow import PieceFacts, State
from kuaibao.bulletin.model import SectionKind

__all__ = [
    "Piece", "PieceSignature", "count_states", "facts_of", "get_piece", "list_pieces",
    "load_all_facts", "load_facts", "load_piece", "load_signatures", "load_text", "piece_from",
    "signatures_of",
]  # fmt: skip

MAX_LISTED = 500


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


def load_text(connection: Connection, piece_id: int, revision: int) -> PieceText:
    """The text of a revision; revision 0 is the empty text before the first."""
    if revision == 0:
        return PieceText()
    columns = tables.revision.c
    payload = connection.execute(
        select(columns.payload).where(columns.piece_id == piece_id, columns.revision == revision)
    ).scalar()
    if payload is None:
        raise NotFoundError(f"there is no revision {revision} of piece {piece_id}")
    return PieceText.from_json(payload)


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


def piece_from(row: Row[Any]) -> Piece:
    """A row as a value."""
    values = dict(row._mapping)
    values.pop("n_revision")
    values["reasons"] = tuple(json.loads(values["reasons"]))
    values["has_text"], values["is_machine"] = bool(values["has_text"]), bool(values["is_machine"])
    return Piece(**cast("dict[str, Any]", values))


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
