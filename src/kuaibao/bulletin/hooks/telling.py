"""Tells hooks what happened: in order, signed, again and again until they answer.

An event is told at least once: a kill between the answer and its note tells it twice, under the
same `webhook-id`, by which the receiver knows it again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from kuaibao.accounts import tables as account_tables
from kuaibao.bulletin.desk import Desk, alone
from kuaibao.bulletin.desk import tables as desk_tables
from kuaibao.bulletin.hooks import tables
from kuaibao.bulletin.hooks.registry import Hook, hook_from
from kuaibao.fetching import Fetcher, FetchError, GoneError

__all__ = ["sign", "tell_hooks"]

BACKOFF_S = (30, 120, 600, 1800, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""After the last of these a hook is set aside until a person resumes it."""
BATCH = 200
MAX_ANSWER = 64_000


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message (Standard Webhooks 1.0: HMAC-SHA256, base64)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def tell_hooks(
    desk: Desk, fetcher: Fetcher, *, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Tell every hook that is due what it does not know yet; gives how many events were taken.

    One teller at a time: a second one (another process on the same database) finds the lock taken.
    """
    columns = tables.hook.c
    query = select(tables.hook).where(columns.is_active, columns.not_before <= desk.now)
    with alone(desk, "hook") as is_alone:
        if not is_alone:
            return 0
        with desk.store.database.read() as connection:
            rows = connection.execute(query.order_by(columns.hook_id)).all()
        return sum(_tell(desk, fetcher, row, should_stop) for row in rows)


def _tell(desk: Desk, fetcher: Fetcher, row: Any, should_stop: Callable[[], bool]) -> int:
    """What one hook does not know yet, in order, up to the first failure."""
    hook, n_told, cursor = hook_from(row), 0, row.cursor
    while not should_stop():
        with desk.store.database.read() as connection:
            events = connection.execute(
                select(desk_tables.event)
                .where(desk_tables.event.c.event_id > cursor)
                .order_by(desk_tables.event.c.event_id)
                .limit(BATCH)
            ).all()
            wanted = [(one.event_id, _body(connection, one)) for one in events
                      if hook.wants(one.action)]  # fmt: skip
        for event_id, body in wanted:
            if should_stop() or not _post(desk, fetcher, hook, row.secret, event_id, body):
                return n_told
            n_told += 1
        if not events:
            break
        cursor = events[-1].event_id
        _note(desk, hook.hook_id, cursor=cursor)
    return n_told


def _post(
    desk: Desk, fetcher: Fetcher, hook: Hook, secret: str, event_id: int, body: bytes
) -> bool:
    message_id, timestamp = f"event-{event_id}", int(desk.now)
    headers = {
        "Content-Type": "application/json", "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id, timestamp, body),
    }  # fmt: skip
    try:
        fetcher.post(hook.url, body, headers=headers, max_bytes=MAX_ANSWER)
    except FetchError as error:
        _fail(desk, hook.hook_id, error)
        return False
    _note(desk, hook.hook_id, cursor=event_id, n_try=0, not_before=0.0, told_at=desk.now,
          message="")  # fmt: skip
    return True


def _fail(desk: Desk, hook_id: int, error: FetchError) -> None:
    own = tables.hook.c.hook_id == hook_id
    with desk.store.database.read() as connection:
        n_try = 1 + (connection.execute(select(tables.hook.c.n_try).where(own)).scalar() or 0)
    is_over = n_try > len(BACKOFF_S) or isinstance(error, GoneError)
    wait = BACKOFF_S[min(n_try, len(BACKOFF_S)) - 1]
    _note(desk, hook_id, n_try=n_try, is_active=not is_over, not_before=desk.now + wait,
          message=str(error)[:500])  # fmt: skip


def _note(desk: Desk, hook_id: int, **values: Any) -> None:
    with desk.store.database.write() as connection:
        connection.execute(
            update(tables.hook).where(tables.hook.c.hook_id == hook_id).values(**values)
        )


def _body(connection: Connection, event: Any) -> bytes:
    """The event as JSON: who, what, which item and issue; texts are read through the API."""
    value: dict[str, Any] = {
        "id": event.event_id, "type": event.action,
        "timestamp": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds"),
        "by": _person(connection, event.person_id), "piece": None, "issue": None,
    }  # fmt: skip
    piece, issue = desk_tables.piece, desk_tables.issue
    if event.piece_id:
        columns = (piece.c.piece_id, piece.c.series_id, piece.c.item_id, piece.c.state,
                   piece.c.revision, piece.c.title, piece.c.url)  # fmt: skip
        row = connection.execute(select(*columns).where(piece.c.piece_id == event.piece_id)).first()
        value["piece"] = None if row is None else dict(row._mapping)
    if event.issue_id:
        columns = (issue.c.issue_id, issue.c.series_id, issue.c.year, issue.c.number,
                   issue.c.running_number, issue.c.title, issue.c.state,
                   issue.c.content_hash)  # fmt: skip
        row = connection.execute(select(*columns).where(issue.c.issue_id == event.issue_id)).first()
        value["issue"] = None if row is None else dict(row._mapping)
    return json.dumps(value, ensure_ascii=False).encode()


def _person(connection: Connection, person_id: int) -> dict[str, Any] | None:
    person = account_tables.person.c
    row = connection.execute(
        select(person.person_id, person.display_name).where(person.person_id == person_id)
    ).first()
    return None if row is None else dict(row._mapping)
