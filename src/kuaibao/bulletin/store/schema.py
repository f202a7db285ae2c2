"""The numbered steps that lead to the bulletin's tables."""

from __future__ import annotations

from sqlalchemy import Connection

from kuaibao.bulletin.store.tables import apart, archive, decision, metadata
from kuaibao.database import Migration

__all__ = ["MIGRATIONS", "ROOM"]

ROOM = "bulletin"


def _first_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    archive.create(connection)


def _decisions(connection: Connection) -> None:
    decision.create(connection, checkfirst=True)


def _apart(connection: Connection) -> None:
    apart.create(connection, checkfirst=True)


MIGRATIONS = (
    Migration(1, "entries, items, drafts, issues, archive", _first_tables),
    Migration(2, "editors' decisions", _decisions),
    Migration(3, "stories kept apart", _apart),
)
