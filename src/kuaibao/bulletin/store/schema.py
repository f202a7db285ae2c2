"""The numbered steps that lead to the bulletin's tables."""

from __future__ import annotations

from sqlalchemy import Connection, select

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.store import codec
from kuaibao.bulletin.store.searchable import index_entries
from kuaibao.bulletin.store.tables import apart, archive, decision, entry, metadata
from kuaibao.database import Migration

__all__ = ["MIGRATIONS", "ROOM"]

ROOM = "bulletin"
_BLOCK = 2_000
"""Entries indexed together."""


def _first_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    archive.create(connection)


def _decisions(connection: Connection) -> None:
    decision.create(connection, checkfirst=True)


def _apart(connection: Connection) -> None:
    apart.create(connection, checkfirst=True)


def _facts(connection: Connection) -> None:
    archive.drop(connection)
    archive.create(connection)
    columns = entry.c
    is_rest = columns.is_current.is_(True)
    query = select(columns.entry_key, columns.payload).order_by(columns.entry_key).limit(_BLOCK)
    last = 0
    while rows := connection.execute(query.where(is_rest, columns.entry_key > last)).all():
        last = rows[-1].entry_key
        entries = [(row.entry_key, codec.decode(Entry, row.payload)) for row in rows]
        index_entries(connection, entries)


MIGRATIONS = (
    Migration(1, "entries, items, drafts, issues, archive", _first_tables),
    Migration(2, "editors' decisions", _decisions),
    Migration(3, "stories kept apart", _apart),
    Migration(4, "source, kind, language and day in the archive's index", _facts),
)
