"""Sessions: a cookie's secret, kept as a hash, with its CSRF token."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from kuaibao.accounts import tables
from kuaibao.accounts.people import Person, get_person
from kuaibao.accounts.tokens import hash_token, new_token

__all__ = ["Session", "end_session", "find_session", "start_session"]

LIFETIME_S = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Session:
    """A signed-in browser."""

    person: Person
    csrf_token: str
    """Every form sends it back; compare with `secrets.compare_digest`."""
    expires_at: float


def start_session(
    connection: Connection, person: Person, *, now: float | None = None
) -> tuple[str, Session]:
    """A new session and its secret for the cookie.

    A new secret at each sign-in is what stops session fixation.
    """
    at = time.time() if now is None else now
    token = new_token("session")
    session = Session(
        person=person, csrf_token=secrets.token_urlsafe(32), expires_at=at + LIFETIME_S
    )
    connection.execute(delete(tables.session).where(tables.session.c.expires_at < at))
    connection.execute(
        insert(tables.session).values(
            digest=token.digest,
            person_id=person.person_id,
            csrf_token=session.csrf_token,
            created_at=at,
            expires_at=session.expires_at,
        )
    )
    return token.secret, session


def find_session(
    connection: Connection, secret: str, *, now: float | None = None
) -> Session | None:
    """The live session of a cookie, or None."""
    at = time.time() if now is None else now
    row = connection.execute(
        select(tables.session).where(
            tables.session.c.digest == hash_token(secret), tables.session.c.expires_at >= at
        )
    ).first()
    if row is None:
        return None
    person = get_person(connection, row.person_id)
    if not person.is_active:
        return None
    return Session(person=person, csrf_token=row.csrf_token, expires_at=row.expires_at)


def end_session(connection: Connection, secret: str) -> None:
    """Sign out; unknown secrets are ignored."""
    connection.execute(delete(tables.session).where(tables.session.c.digest == hash_token(secret)))
