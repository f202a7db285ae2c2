"""What people tell each other: comments with error classes, notifications, the log of a piece."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from kuaibao import accounts
from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import NotFoundError
from kuaibao.bulletin.desk.pieces import load_piece
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.errors import InputError, did_you_mean

__all__ = [
    "ERROR_CLASSES", "Comment", "LogEntry", "Notification", "add_comment", "count_errors",
    "count_unread", "list_comments", "list_log", "list_notifications", "mark_read",
    "people_by_id", "resolve_comment",
]  # fmt: skip

ERROR_CLASSES = (
    "meaning", "omission", "addition", "terminology", "name", "number", "wording", "punctuation",
)  # fmt: skip
"""Classes after GB/T 19682 (core meaning, terminology, wording), split where counting helps."""

MAX_COMMENT = 5000


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A remark on a piece."""

    comment_id: int
    piece_id: int
    person_id: int
    at: float
    text: str
    error_class: str
    quote: str
    """The words that it is about."""
    resolved_at: float | None
    resolved_by: int | None


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A note for one person."""

    notification_id: int
    at: float
    kind: str
    piece_id: int | None
    issue_id: int | None
    details: dict[str, Any]
    read_at: float | None


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """Something that somebody did."""

    at: float
    person_id: int
    action: str
    piece_id: int | None
    issue_id: int | None
    from_state: str
    to_state: str
    revision: int
    details: dict[str, Any]


def add_comment(
    desk: Desk, actor: Actor, piece_id: int, text: str, *, error_class: str = "", quote: str = ""
) -> Comment:
    """Say something about a piece; whoever works on it is told."""
    actor.require("comment")
    text = text.strip()
    if not text or len(text) > MAX_COMMENT:
        raise InputError(f"a comment has 1 to {MAX_COMMENT} characters")
    if error_class and error_class not in ERROR_CLASSES:
        raise InputError(
            f"unknown error class {error_class!r}", hint=did_you_mean(error_class, ERROR_CLASSES)
        )
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        done = change.connection.execute(
            insert(tables.comment).values(
                piece_id=piece_id, person_id=actor.person_id, at=desk.now, text=text,
                error_class=error_class, quote=quote.strip()[:1000],
            )
        )  # fmt: skip
        key = done.inserted_primary_key
        assert key is not None
        change.log(actor, "comment", piece_id=piece_id, from_state=piece.state,
                   to_state=piece.state)  # fmt: skip
        earlier = change.connection.execute(
            select(tables.comment.c.person_id).where(tables.comment.c.piece_id == piece_id)
        ).scalars()
        details = {"title": piece.shown_title, "note": text[:200]}
        for person_id in {piece.compiler_id, piece.proofreader_id, *earlier}:
            change.notify(person_id, "commented", by=actor, piece_id=piece_id, details=details)
        row = change.connection.execute(
            select(tables.comment).where(tables.comment.c.comment_id == int(key[0]))
        ).one()
        return Comment(**row._mapping)


def list_comments(desk: Desk, actor: Actor, piece_id: int) -> list[Comment]:
    """The comments of a piece, oldest first."""
    actor.require("read_desk")
    query = (
        select(tables.comment)
        .where(tables.comment.c.piece_id == piece_id)
        .order_by(tables.comment.c.comment_id)
    )
    with desk.store.database.read() as connection:
        return [Comment(**row._mapping) for row in connection.execute(query)]


def resolve_comment(desk: Desk, actor: Actor, comment_id: int, is_resolved: bool = True) -> None:
    """Mark a comment as settled, or open it again."""
    actor.require("comment")
    with desk.change() as change:
        row = change.connection.execute(
            select(tables.comment.c.piece_id).where(tables.comment.c.comment_id == comment_id)
        ).first()
        if row is None:
            raise NotFoundError(f"there is no comment {comment_id}")
        change.connection.execute(
            update(tables.comment)
            .where(tables.comment.c.comment_id == comment_id)
            .values(
                resolved_at=desk.now if is_resolved else None,
                resolved_by=actor.person_id if is_resolved else None,
            )
        )
        change.log(actor, "resolve" if is_resolved else "unresolve", piece_id=row.piece_id)


def list_notifications(
    desk: Desk, actor: Actor, *, unread_only: bool = False, limit: int = 100
) -> list[Notification]:
    """One's own notes, newest first."""
    columns = tables.notification.c
    query = (
        select(tables.notification)
        .where(columns.person_id == actor.person_id)
        .order_by(columns.notification_id.desc())
        .limit(limit)
    )
    if unread_only:
        query = query.where(columns.read_at.is_(None))
    with desk.store.database.read() as connection:
        return [
            Notification(
                notification_id=row.notification_id, at=row.at, kind=row.kind,
                piece_id=row.piece_id, issue_id=row.issue_id, details=json.loads(row.details),
                read_at=row.read_at,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def count_unread(desk: Desk, actor: Actor) -> int:
    """How many notes wait."""
    columns = tables.notification.c
    query = select(func.count()).where(
        columns.person_id == actor.person_id, columns.read_at.is_(None)
    )
    with desk.store.database.read() as connection:
        return connection.execute(query).scalar_one()


def mark_read(desk: Desk, actor: Actor, notification_id: int | None = None) -> None:
    """Mark one of one's own notes as read, or all."""
    columns = tables.notification.c
    query = update(tables.notification).where(
        columns.person_id == actor.person_id, columns.read_at.is_(None)
    )
    if notification_id is not None:
        query = query.where(columns.notification_id == notification_id)
    with desk.store.database.write() as connection:
        connection.execute(query.values(read_at=desk.now))


def list_log(
    desk: Desk, actor: Actor, *, piece_id: int | None = None, issue_id: int | None = None,
    limit: int = 100,
) -> list[LogEntry]:  # fmt: skip
    """What was done, newest first."""
    actor.require("read_desk")
    columns = tables.event.c
    query = select(tables.event).order_by(columns.event_id.desc()).limit(limit)
    if piece_id is not None:
        query = query.where(columns.piece_id == piece_id)
    if issue_id is not None:
        query = query.where(columns.issue_id == issue_id)
    with desk.store.database.read() as connection:
        return [
            LogEntry(
                at=row.at, person_id=row.person_id, action=row.action, piece_id=row.piece_id,
                issue_id=row.issue_id, from_state=row.from_state, to_state=row.to_state,
                revision=row.revision, details=json.loads(row.details),
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def count_errors(desk: Desk, actor: Actor, *, since: float = 0.0) -> dict[str, dict[int, int]]:
    """Proofreading statistics: error class → compiler → how many were found in their texts."""
    actor.require("see_people")
    columns = tables.comment.c
    query = (
        select(columns.error_class, tables.piece.c.compiler_id, func.count())
        .join(tables.piece, tables.piece.c.piece_id == columns.piece_id)
        .where(columns.error_class != "", columns.at >= since)
        .group_by(columns.error_class, tables.piece.c.compiler_id)
    )
    counts: dict[str, dict[int, int]] = {}
    with desk.store.database.read() as connection:
        for error_class, person_id, n in connection.execute(query):
            counts.setdefault(error_class, {})[person_id or 0] = n
    return counts


def people_by_id(desk: Desk, wanted: Sequence[int] | None = None) -> dict[int, accounts.Person]:
    """Everybody by number."""
    with desk.store.database.read() as connection:
        people = accounts.list_people(connection)
    return {p.person_id: p for p in people if wanted is None or p.person_id in wanted}
