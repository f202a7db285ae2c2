"""An append-only log whose entries are chained by hashes: a change or a gap shows.

Each entry's hash covers its own fields and the hash before it, so that no past entry can be altered
or dropped without breaking every later one. The last hash, kept elsewhere, guards the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from kuaibao.accounts.errors import BrokenAuditError
from kuaibao.accounts.tables import audit
from kuaibao.files import hash_value

__all__ = ["AuditEntry", "append_audit", "latest_audit", "list_audit", "verify_audit"]

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what to what, and when."""

    chain: str
    position: int
    at: float
    """Seconds since 1970, UTC."""
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


def append_audit(
    connection: Connection,
    *,
    chain: str,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
    now: float | None = None,
) -> AuditEntry:
    """Add an entry at the end of a chain, in the caller's transaction.

    Two writers at once cannot take the same position: the second one's insert fails.
    """
    last = connection.execute(
        select(audit.c.position, audit.c.hash)
        .where(audit.c.chain == chain)
        .order_by(audit.c.position.desc())
        .limit(1)
    ).first()
    fields: dict[str, Any] = {
        "chain": chain,
        "position": last.position + 1 if last else 1,
        "at": time.time() if now is None else float(now),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True),
        "previous_hash": last.hash if last else GENESIS,
    }
    fields["hash"] = hash_value(fields)
    connection.execute(insert(audit).values(**fields))
    return AuditEntry(**(fields | {"details": json.loads(fields["details"])}))


def list_audit(
    connection: Connection, *, chain: str, after: int = 0, limit: int = 1000
) -> list[AuditEntry]:
    """Entries behind position `after`, oldest first."""
    rows = connection.execute(
        select(audit)
        .where(audit.c.chain == chain, audit.c.position > after)
        .order_by(audit.c.position)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def latest_audit(connection: Connection, *, chain: str, limit: int) -> list[AuditEntry]:
    """The last entries, newest first."""
    rows = connection.execute(
        select(audit).where(audit.c.chain == chain).order_by(audit.c.position.desc()).limit(limit)
    )
    return [_entry(row) for row in rows]


def verify_audit(
    connection: Connection, *, chain: str, expected_last_hash: str | None = None
) -> int:
    """Walk the whole chain; gives the number of entries.

    Args:
        connection: Where the log is.
        chain: Which log.
        expected_last_hash: The hash kept elsewhere; without it a cut-off end can't be seen.

    Raises:
        BrokenAuditError: Names the first position that does not hold.
    """
    previous, count = GENESIS, 0
    while page := list_audit(connection, chain=chain, after=count):
        for entry in page:
            if entry.position != count + 1 or entry.previous_hash != previous:
                raise BrokenAuditError(f"{chain}: an entry is missing before {entry.position}")
            if hash_value(_hashed_fields(entry)) != entry.hash:
                raise BrokenAuditError(f"{chain}: entry {entry.position} was changed")
            previous, count = entry.hash, count + 1
    if expected_last_hash is not None and previous != expected_last_hash:
        raise BrokenAuditError(f"{chain}: the end of the log was cut off or rewritten")
    return count


def _hashed_fields(entry: AuditEntry) -> dict[str, Any]:
    return {
        "chain": entry.chain,
        "position": entry.position,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": json.dumps(dict(entry.details), ensure_ascii=False, sort_keys=True),
        "previous_hash": entry.previous_hash,
    }


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    return AuditEntry(
        chain=row.chain,
        position=row.position,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=json.loads(row.details),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
