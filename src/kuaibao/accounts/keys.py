"""API keys: shown once, stored hashed, with scopes, expiry, rotation."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kuaibao.accounts import tables
from kuaibao.accounts.errors import InvalidKeyError
from kuaibao.accounts.people import Person, get_person
from kuaibao.accounts.tokens import hash_token, new_token
from kuaibao.errors import InputError

__all__ = ["ApiKey", "check_key", "create_key", "list_keys", "revoke_key", "rotate_key"]

_KIND = "kb"
# Made once: every request to the text service looks its key up.
_BY_DIGEST = select(tables.api_key).where(tables.api_key.c.digest == bindparam("digest"))


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it may be listed: without its secret."""

    key_id: int
    person_id: int
    label: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None

    def use_is_due(self, now: float) -> bool:
        """Whether the noted time of use is more than a minute old."""
        return self.last_used_at is None or now - self.last_used_at > 60


def create_key(
    connection: Connection,
    person: Person,
    *,
    label: str = "",
    scopes: Iterable[str] = (),
    expires_at: float | None = None,
    now: float | None = None,
) -> tuple[str, ApiKey]:
    """A new key and its secret, which is known only now.

    Raises:
        InputError: A scope is empty or holds a blank.
    """
    names = tuple(sorted(set(scopes)))
    if any(not name or any(c.isspace() for c in name) for name in names):
        raise InputError("a scope is one word without blanks")
    token = new_token(_KIND)
    result = connection.execute(
        insert(tables.api_key).values(
            person_id=person.person_id,
            label=label,
            prefix=token.prefix,
            digest=token.digest,
            scopes=" ".join(names),
            created_at=time.time() if now is None else now,
            expires_at=expires_at,
        )
    )
    primary = result.inserted_primary_key
    assert primary is not None
    return token.secret, _get(connection, int(primary[0]))


def check_key(
    connection: Connection, secret: str, *, now: float | None = None, notes_use: bool = True
) -> tuple[ApiKey, Person]:
    """The key and its owner; notes the time of use, once a minute at most.

    Args:
        connection: Of a transaction that may write, if the use is noted.
        secret: The key.
        now: Seconds since 1970, for tests.
        notes_use: False only reads; `ApiKey.use_is_due` then tells whether it would have written.

    Raises:
        InvalidKeyError: Unknown, expired or revoked, or its owner is shut out.
    """
    at = time.time() if now is None else now
    row = connection.execute(_BY_DIGEST, {"digest": hash_token(secret)}).first()
    if row is None:
        raise InvalidKeyError("the key is unknown")
    key = _key(row)
    if key.revoked_at is not None:
        raise InvalidKeyError(f"the key {key.prefix}… was revoked")
    if key.expires_at is not None and key.expires_at < at:
        raise InvalidKeyError(f"the key {key.prefix}… has expired")
    person = get_person(connection, key.person_id)
    if not person.is_active:
        raise InvalidKeyError(f"the owner of the key {key.prefix}… has no access")
    if notes_use and key.use_is_due(at):
        connection.execute(
            update(tables.api_key)
            .where(tables.api_key.c.key_id == key.key_id)
            .values(last_used_at=at)
        )
    return key, person


def list_keys(connection: Connection, *, person_id: int | None = None) -> list[ApiKey]:
    """Keys of one person or of all, newest first."""
    query = select(tables.api_key).order_by(tables.api_key.c.key_id.desc())
    if person_id is not None:
        query = query.where(tables.api_key.c.person_id == person_id)
    return [_key(row) for row in connection.execute(query)]


def revoke_key(connection: Connection, key_id: int, *, now: float | None = None) -> ApiKey:
    """End a key; one that is revoked already stays as it is.

    Raises:
        InputError: There is no such key.
    """
    key = _get(connection, key_id)
    if key.revoked_at is None:
        connection.execute(
            update(tables.api_key)
            .where(tables.api_key.c.key_id == key_id)
            .values(revoked_at=time.time() if now is None else now)
        )
    return _get(connection, key_id)


def rotate_key(
    connection: Connection, key_id: int, *, grace_s: float = 0.0, now: float | None = None
) -> tuple[str, ApiKey]:
    """A successor with the same owner, label and scopes; the old one ends after `grace_s`.

    Raises:
        InputError: There is no such key, or it is revoked.
    """
    at = time.time() if now is None else now
    old = _get(connection, key_id)
    if old.revoked_at is not None:
        raise InputError(f"the key {old.prefix}… is revoked: make a new one")
    owner = get_person(connection, old.person_id)
    secret, new = create_key(
        connection,
        owner,
        label=old.label,
        scopes=old.scopes,
        expires_at=None if old.expires_at is None else at + (old.expires_at - old.created_at),
        now=at,
    )
    if grace_s > 0:
        ends = at + grace_s if old.expires_at is None else min(at + grace_s, old.expires_at)
        values = {"expires_at": ends}
    else:
        values = {"revoked_at": at}
    connection.execute(
        update(tables.api_key).where(tables.api_key.c.key_id == key_id).values(**values)
    )
    return secret, new


def _get(connection: Connection, key_id: int) -> ApiKey:
    row = connection.execute(
        select(tables.api_key).where(tables.api_key.c.key_id == key_id)
    ).first()
    if row is None:
        raise InputError(f"there is no key {key_id}")
    return _key(row)


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        person_id=row.person_id,
        label=row.label,
        prefix=row.prefix,
        scopes=tuple(row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
