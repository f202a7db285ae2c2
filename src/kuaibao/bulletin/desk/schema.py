"""The numbered steps that lead to the desk's tables."""

from __future__ import annotations

from sqlalchemy import Connection

from kuaibao import accounts
from kuaibao.bulletin.desk.tables import identity, memory_index, metadata
from kuaibao.database import Migration

__all__ = ["MIGRATIONS", "ROOM"]

ROOM = "desk"


def _first_tables(connection: Connection) -> None:
    accounts.create_tables(connection)
    metadata.create_all(connection)
    memory_index.create(connection)


def _identities(connection: Connection) -> None:
    identity.create(connection, checkfirst=True)


MIGRATIONS = (
    Migration(1, "series, pieces, revisions, issues, talk, terms", _first_tables),
    Migration(2, "identities at houses that vouch for people", _identities),
)
