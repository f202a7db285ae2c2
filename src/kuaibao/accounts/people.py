"""People, their roles, and signing in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from kuaibao.accounts import passwords, tables
from kuaibao.accounts.errors import SignInError, TooManyAttemptsError
from kuaibao.errors import InputError

__all__ = [
    "Person",
    "create_person",
    "find_person",
    "get_person",
    "list_people",
    "set_active",
    "set_password",
    "set_roles",
    "sign_in",
]

MAX_FAILURES = 5
"""Failed attempts for one name or one address before sign-in waits."""

LOCK_S = 300
"""How long failures count, in seconds."""

# Made once: every request that carries a key looks its owner up.
_BY_ID = select(tables.person).where(tables.person.c.person_id == bindparam("person_id"))
_ROLES = (
    select(tables.person_role.c.role)
    .where(tables.person_role.c.person_id == bindparam("person_id"))
    .order_by(tables.person_role.c.role)
)

_NAME = re.compile(r"[\w.@-]{1,100}", re.UNICODE)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account."""

    person_id: int
    name: str
    """What they sign in with; unique."""
    display_name: str
    """What stands in a signature line."""
    email: str
    language: str
    is_active: bool
    roles: tuple[str, ...]


def create_person(
    connection: Connection,
    name: str,
    *,
    password: str | None,
    roles: Iterable[str],
    display_name: str = "",
    email: str = "",
    language: str = "en",
) -> Person:
    """Add a person; `password=None` makes an account that cannot sign in by password.

    Raises:
        InputError: The name is taken or has characters beyond letters, digits, `. _ - @`;
            or the password is too short.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name to sign in with",
            hint="Use up to 100 letters, digits and . _ - @ without blanks.",
        )
    if find_person(connection, name) is not None:
        raise InputError(f"the name {name!r} is taken")
    values = {
        "name": name,
        "display_name": display_name or name,
        "email": email,
        "language": language,
        "password_hash": "" if password is None else passwords.hash_password(password),
        "is_active": True,
        "created_at": time.time(),
    }
    result = connection.execute(insert(tables.person).values(**values))
    key = result.inserted_primary_key
    assert key is not None
    set_roles(connection, int(key[0]), roles)
    return get_person(connection, int(key[0]))


def get_person(connection: Connection, person_id: int) -> Person:
    """The person with that number.

    Raises:
        InputError: There is none.
    """
    row = connection.execute(_BY_ID, {"person_id": person_id}).first()
    if row is None:
        raise InputError(f"there is no person {person_id}")
    return _person(connection, row)


def find_person(connection: Connection, name: str) -> Person | None:
    """The person with that name, or None."""
    row = connection.execute(select(tables.person).where(tables.person.c.name == name)).first()
    return None if row is None else _person(connection, row)


def list_people(connection: Connection) -> list[Person]:
    """Everybody, by display name."""
    rows = connection.execute(
        select(tables.person).order_by(tables.person.c.display_name, tables.person.c.person_id)
    )
    roles: dict[int, list[str]] = {}
    for person_id, role in connection.execute(
        select(tables.person_role.c.person_id, tables.person_role.c.role).order_by(
            tables.person_role.c.role
        )
    ):
        roles.setdefault(person_id, []).append(role)
    return [_person_of(row, roles.get(row.person_id, ())) for row in rows.all()]


def set_roles(connection: Connection, person_id: int, roles: Iterable[str]) -> None:
    """Replace a person's roles."""
    connection.execute(
        delete(tables.person_role).where(tables.person_role.c.person_id == person_id)
    )
    rows = [{"person_id": person_id, "role": role} for role in sorted(set(roles))]
    if rows:
        connection.execute(insert(tables.person_role), rows)


def set_active(connection: Connection, person_id: int, is_active: bool) -> None:
    """Let a person in or shut them out; shutting out ends their sessions."""
    connection.execute(
        update(tables.person)
        .where(tables.person.c.person_id == person_id)
        .values(is_active=is_active)
    )
    if not is_active:
        connection.execute(delete(tables.session).where(tables.session.c.person_id == person_id))


def set_password(connection: Connection, person_id: int, password: str) -> None:
    """Change a password; every session of the person ends.

    Raises:
        InputError: The password is too short.
    """
    connection.execute(
        update(tables.person)
        .where(tables.person.c.person_id == person_id)
        .values(password_hash=passwords.hash_password(password))
    )
    connection.execute(delete(tables.session).where(tables.session.c.person_id == person_id))


def sign_in(
    connection: Connection, name: str, password: str, *, address: str, now: float | None = None
) -> Person:
    """The person whose name and password fit.

    Failures are counted per name and per address. The caller commits even when this raises, or
    the count is lost.

    Raises:
        TooManyAttemptsError: `MAX_FAILURES` within `LOCK_S` seconds.
        SignInError: Name or password is wrong, or the account is shut.
    """
    at = time.time() if now is None else now
    subjects = (f"name:{name[:100]}", f"address:{address[:200]}")
    _refuse_if_locked(connection, subjects, at)
    row = connection.execute(select(tables.person).where(tables.person.c.name == name)).first()
    fits = passwords.verify_password(row.password_hash if row else "", password)
    if row is None or not fits or not row.is_active:
        connection.execute(
            insert(tables.sign_in_attempt), [{"subject": s, "at": at} for s in subjects]
        )
        raise SignInError
    connection.execute(
        delete(tables.sign_in_attempt).where(tables.sign_in_attempt.c.subject == subjects[0])
    )
    if passwords.needs_rehash(row.password_hash):
        connection.execute(
            update(tables.person)
            .where(tables.person.c.person_id == row.person_id)
            .values(password_hash=passwords.hash_password(password))
        )
    return _person(connection, row)


def _refuse_if_locked(connection: Connection, subjects: tuple[str, str], now: float) -> None:
    attempt = tables.sign_in_attempt.c
    connection.execute(delete(tables.sign_in_attempt).where(attempt.at < now - LOCK_S))
    # An office shares one address: it may fail more often than one name.
    for subject, limit in zip(subjects, (MAX_FAILURES, MAX_FAILURES * 4), strict=True):
        count, newest = connection.execute(
            select(func.count(), func.max(attempt.at)).where(attempt.subject == subject)
        ).one()
        if count >= limit:
            raise TooManyAttemptsError(max(1, round(newest + LOCK_S - now)))


def _person(connection: Connection, row: Row[tuple[object, ...]]) -> Person:
    roles = connection.execute(_ROLES, {"person_id": row.person_id}).scalars()
    return _person_of(row, roles)


def _person_of(row: Row[tuple[object, ...]], roles: Iterable[str]) -> Person:
    return Person(
        person_id=row.person_id,
        name=row.name,
        display_name=row.display_name,
        email=row.email,
        language=row.language,
        is_active=bool(row.is_active),
        roles=tuple(roles),
    )
