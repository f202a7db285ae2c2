"""Who wants the bulletin by mail: asked twice before, let go at one click."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from kuaibao.bulletin.desk import Actor, Desk, get_series
from kuaibao.bulletin.mailing import tables
from kuaibao.database import Migration, migrate
from kuaibao.errors import InputError

__all__ = [
    "MAILING_ROOM", "Subscriber", "add_subscriber", "confirm", "count_subscribers",
    "find_by_token", "list_subscribers", "open_mailing", "subscribe", "unsubscribe",
]  # fmt: skip

MAILING_ROOM = "mailing"
CONFIRM_WITHIN_S = 7 * 86_400
ASK_AGAIN_S = 3600.0
"""A second request to confirm within this time is not mailed: nobody is flooded by others."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_WORDS = {
    "en": ("Confirm your subscription to {series}",
           "Somebody, probably you, asked for {series} by mail.\n\nTo confirm: {link}\n\n"
           "If it was not you, do nothing: no mail will come.\n"),
    "zh": ("请确认订阅《{series}》",
           "有人（可能是您）申请通过邮件订阅《{series}》。\n\n确认订阅：{link}\n\n"
           "如非本人操作，请忽略此信，您不会收到邮件。\n"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """An address that asked for a series."""

    subscriber_id: int
    series_id: int
    email: str
    state: str
    """pending, active, left, bounced."""
    token: str
    """In the links of their mail: it confirms and it leaves, nothing else."""
    asked_at: float
    confirmed_at: float | None
    left_at: float | None
    n_bounce: int


def open_mailing(desk: Desk) -> None:
    """Make the tables of this room in the desk's database."""

    def first(connection: Connection) -> None:
        tables.metadata.create_all(connection)

    migrate(
        desk.store.database, MAILING_ROOM, (Migration(1, "subscribers, mailings, letters", first),)
    )


def subscribe(desk: Desk, series_id: int, email: str, *, base_url: str) -> None:
    """Note a wish and queue the letter that asks to confirm it.

    It says nothing of whether the address was known: nobody learns who reads.

    Raises:
        InputError: The address is none.
    """
    address = checked_address(email)
    series = get_series(desk, series_id)
    now = desk.now
    with desk.store.database.write() as connection:
        known = _by_address(connection, series_id, address)
        if known is not None and (known.state == "active" or now - known.asked_at < ASK_AGAIN_S):
            return
        token = secrets.token_urlsafe(32)
        values = {"state": "pending", "token": token, "asked_at": now, "left_at": None}
        if known is None:
            connection.execute(
                insert(tables.subscriber).values(series_id=series_id, email=address, **values)
            )
        else:
            own = tables.subscriber.c.subscriber_id == known.subscriber_id
            connection.execute(update(tables.subscriber).where(own).values(**values))
        subject, body = _WORDS.get(series.language, _WORDS["en"])
        link = f"{base_url.rstrip('/')}/subscription/{token}"
        queue_letter(
            connection, address, subject.format(series=series.name),
            body.format(series=series.name, link=link),
        )  # fmt: skip


def confirm(desk: Desk, token: str) -> Subscriber | None:
    """The second yes; None if the token is unknown or too old."""
    now = desk.now
    with desk.store.database.write() as connection:
        found = _by_token(connection, token)
        if found is None or found.state not in ("pending", "active"):
            return None
        if found.state == "pending":
            if now - found.asked_at > CONFIRM_WITHIN_S:
                return None
            own = tables.subscriber.c.subscriber_id == found.subscriber_id
            connection.execute(
                update(tables.subscriber)
                .where(own)
                .values(state="active", confirmed_at=now, n_bounce=0)
            )
        return _by_token(connection, token)


def unsubscribe(desk: Desk, token: str) -> Subscriber | None:
    """Leave; leaving twice is no error. Queued messages are not sent any more."""
    with desk.store.database.write() as connection:
        found = _by_token(connection, token)
        if found is None:
            return None
        if found.state != "left":
            own = tables.subscriber.c.subscriber_id == found.subscriber_id
            connection.execute(
                update(tables.subscriber).where(own).values(state="left", left_at=desk.now)
            )
        waiting = tables.delivery.c
        connection.execute(
            update(tables.delivery)
            .where(waiting.subscriber_id == found.subscriber_id, waiting.state == "queued")
            .values(state="skipped", message="left")
        )
        return _by_token(connection, token)


def add_subscriber(desk: Desk, actor: Actor, series_id: int, email: str) -> Subscriber:
    """Add an address whose owner has agreed elsewhere (on paper, in another system).

    Raises:
        InputError: The address is none, or its owner has left.
    """
    actor.require("manage_subscribers")
    address = checked_address(email)
    get_series(desk, series_id)
    with desk.change() as change:
        known = _by_address(change.connection, series_id, address)
        if known is not None and known.state in ("left", "bounced"):
            raise InputError(f"{address} has left or bounced: its owner can subscribe again")
        if known is None:
            change.connection.execute(
                insert(tables.subscriber).values(
                    series_id=series_id, email=address, state="active", asked_at=desk.now,
                    token=secrets.token_urlsafe(32), confirmed_at=desk.now,
                )
            )  # fmt: skip
            change.log(actor, "add_subscriber", details={"series": series_id})
        found = _by_address(change.connection, series_id, address)
        assert found is not None
        return found


def list_subscribers(
    desk: Desk, actor: Actor, series_id: int, *, limit: int = 500, offset: int = 0
) -> list[Subscriber]:
    """The addresses of a series, by address."""
    actor.require("manage_subscribers")
    columns = tables.subscriber.c
    query = (
        select(tables.subscriber)
        .where(columns.series_id == series_id)
        .order_by(columns.email)
        .limit(limit)
        .offset(offset)
    )
    with desk.store.database.read() as connection:
        return [Subscriber(**row._mapping) for row in connection.execute(query)]


def count_subscribers(desk: Desk, actor: Actor) -> dict[int, dict[str, int]]:
    """Series → state → how many."""
    actor.require("manage_subscribers")
    columns = tables.subscriber.c
    query = select(columns.series_id, columns.state, func.count()).group_by(
        columns.series_id, columns.state
    )
    counts: dict[int, dict[str, int]] = {}
    with desk.store.database.read() as connection:
        for series_id, state, n in connection.execute(query):
            counts.setdefault(series_id, {})[state] = n
    return counts


def find_by_token(desk: Desk, token: str) -> Subscriber | None:
    """The subscriber of a link."""
    with desk.store.database.read() as connection:
        return _by_token(connection, token)


def checked_address(email: str) -> str:
    """The address with its domain in lower case.

    Raises:
        InputError: It is none.
    """
    address = email.strip()
    if len(address) > 320 or not _ADDRESS.fullmatch(address):
        raise InputError(f"{email[:100]!r} is no mail address")
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def queue_letter(connection: Connection, recipient: str, subject: str, body: str) -> None:
    """Queue a single letter, in the caller's transaction."""
    connection.execute(
        insert(tables.letter).values(recipient=recipient, subject=subject, body=body)
    )


def _by_address(connection: Connection, series_id: int, email: str) -> Subscriber | None:
    columns = tables.subscriber.c
    return _one(connection, (columns.series_id == series_id) & (columns.email == email))


def _by_token(connection: Connection, token: str) -> Subscriber | None:
    return _one(connection, tables.subscriber.c.token == token) if token else None


def _one(connection: Connection, condition: Any) -> Subscriber | None:
    row = connection.execute(select(tables.subscriber).where(condition)).first()
    return None if row is None else Subscriber(**row._mapping)
