"""Remembers every value of the flow; each call is one transaction, so a kill loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.dates import last_day
from kuaibao.bulletin.store.schema import MIGRATIONS, ROOM
from kuaibao.bulletin.store.searchable import index_entries
from kuaibao.database import Database, migrate, open_database

__all__ = ["BATCH", "FetchRecord", "Run", "SourceRecord", "Store", "StoredEntry"]

BATCH = 500
"""Rows held in memory at a time."""

SINGLE = '{"single": 1}'
"""The counts of a run of one source."""
KEEP_SINGLE_RUNS = timedelta(days=7)
_FAILURES = ("broken", "changed_layout", "out_of_quota")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One build, perhaps begun by a process that was killed."""

    run_id: int
    now: datetime
    is_resumed: bool


@dataclass(frozen=True, kw_only=True)
class FetchRecord:
    """What came of asking a source in a run."""

    source_id: str
    status: str
    message: str
    n_entry: int
    n_new: int


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """What a source said the last time."""

    source_id: str
    kind: str
    state: Mapping[str, str]
    status: str
    message: str
    asked_at: datetime | None
    new_at: datetime | None
    """When it last gave something new."""
    n_failure: int
    """In a row."""


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """An entry with the number that it has in the store."""

    entry_key: int
    entry: Entry


class Store:
    """The store's runs, sources and entries. Items, drafts and issues: the modules beside."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, where: str | os.PathLike[str]) -> Store:
        """Open (or make) a store and bring its tables to their newest shape."""
        database = open_database(where)
        migrate(database, ROOM, MIGRATIONS)
        return cls(database)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Store:
        """Itself; closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def begin_run(self, now: datetime) -> Run:
        """Go on with the unfinished run, under its own clock, or begin a new one."""
        with self.database.write() as connection:
            row = connection.execute(
                select(tables.run.c.run_id, tables.run.c.now)
                .where(tables.run.c.is_finished.is_(False))
                .order_by(tables.run.c.run_id.desc())
            ).first()
            if row is not None:
                then = datetime.fromisoformat(row.now)
                return Run(run_id=row.run_id, now=then, is_resumed=True)
            now = now.astimezone(UTC)
            done = connection.execute(
                insert(tables.run).values(now=now.isoformat(), is_finished=False, counts="{}")
            )
            assert done.inserted_primary_key is not None
            return Run(run_id=int(done.inserted_primary_key[0]), now=now, is_resumed=False)

    def single_run(self, now: datetime) -> Run:
        """A run of one source, finished when it begins: nobody goes on with it."""
        now = now.astimezone(UTC)
        with self.database.write() as connection:
            old = (now - KEEP_SINGLE_RUNS).isoformat()
            columns = tables.run.c
            connection.execute(
                delete(tables.run).where(columns.counts == SINGLE, columns.now < old)
            )
            done = connection.execute(
                insert(tables.run).values(now=now.isoformat(), is_finished=True, counts=SINGLE)
            )
            assert done.inserted_primary_key is not None
            return Run(run_id=int(done.inserted_primary_key[0]), now=now, is_resumed=False)

    def source_records(self) -> dict[str, SourceRecord]:
        """What is known of every source that was ever asked."""
        with self.database.read() as connection:
            return {
                row.source_id: SourceRecord(
                    source_id=row.source_id,
                    kind=row.kind,
                    state=json.loads(row.state),
                    status=row.status,
                    message=row.message,
                    asked_at=_moment(row.asked_at),
                    new_at=_moment(row.new_at),
                    n_failure=row.n_failure,
                )
                for row in connection.execute(select(tables.source))
            }

    def entry_counts(self) -> dict[str, int]:
        """How many current entries each source has."""
        columns = tables.entry.c
        query = (
            select(columns.source_id, func.count().label("n"))
            .where(columns.is_current.is_(True))
            .group_by(columns.source_id)
        )
        with self.database.read() as connection:
            return {row.source_id: row.n for row in connection.execute(query)}

    def finish_run(self, run: Run, counts: Mapping[str, int]) -> None:
        """Remember that the run came to its end, with its counts."""
        with self.database.write() as connection:
            connection.execute(
                update(tables.run)
                .where(tables.run.c.run_id == run.run_id)
                .values(is_finished=True, counts=json.dumps(dict(counts)))
            )

    def source_state(self, source_id: str) -> dict[str, str]:
        """What the source asked to remember; empty if it was never asked."""
        with self.database.read() as connection:
            query = select(tables.source.c.state).where(tables.source.c.source_id == source_id)
            return json.loads(connection.execute(query).scalar() or "{}")

    def asked(self, run: Run) -> dict[str, FetchRecord]:
        """The sources that were asked in this run already."""
        columns = tables.run_source.c
        query = select(
            columns.source_id, columns.status, columns.message, columns.n_entry, columns.n_new
        ).where(columns.run_id == run.run_id)
        with self.database.read() as connection:
            return {row.source_id: FetchRecord(**row._mapping) for row in connection.execute(query)}

    def save_fetch(self, run: Run, source_id: str, kind: str, result: SourceResult) -> FetchRecord:
        """Keep a source's entries, its state and that it was asked: all of it or nothing."""
        with self.database.write() as connection:
            n_new = self._save_entries(connection, result.entries)
            self._save_source(connection, run, source_id, kind, result, n_new)
            record = FetchRecord(
                source_id=source_id,
                status=result.status,
                message=codec.storable(result.message),
                n_entry=len(result.entries),
                n_new=n_new,
            )
            connection.execute(
                insert(tables.run_source).values(
                    run_id=run.run_id,
                    source_id=source_id,
                    status=record.status,
                    message=record.message,
                    n_entry=record.n_entry,
                    n_new=n_new,
                )
            )
        return record

    def unjoined(self, source_id: str) -> Iterator[list[StoredEntry]]:
        """Batches of a source's current entries that belong to no item yet, in their order."""
        columns = tables.entry.c
        query = (
            select(columns.entry_key, columns.payload)
            .where(columns.source_id == source_id, columns.is_current.is_(True))
            .where(columns.item_id.is_(None))
            .order_by(columns.position, columns.entry_key)
            .limit(BATCH)
        )
        seen = -1
        while True:
            with self.database.read() as connection:
                rows = connection.execute(query).all()
            # The caller joins each batch before it asks for the next; if it did not, stop.
            if not rows or rows[0].entry_key == seen:
                return
            seen = rows[0].entry_key
            yield [
                StoredEntry(entry_key=row.entry_key, entry=codec.decode(Entry, row.payload))
                for row in rows
            ]

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.database.read() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables.metadata.sorted_tables
            }

    def _save_source(
        self,
        connection: Connection,
        run: Run,
        source_id: str,
        kind: str,
        result: SourceResult,
        n_new: int,
    ) -> None:
        columns = tables.source.c
        own = columns.source_id == source_id
        row = connection.execute(select(tables.source).where(own)).first()
        asked_at = run.now.isoformat()
        values: dict[str, Any] = {
            "kind": kind,
            "state": json.dumps(dict(result.state)),
            "status": result.status,
            "message": codec.storable(result.message),
            "problems": json.dumps(list(result.problems)),
            "asked_at": asked_at,
            "new_at": asked_at if n_new else (row.new_at if row else ""),
            "n_failure": (row.n_failure if row else 0) + 1 if result.status in _FAILURES else 0,
        }
        if row is None:
            connection.execute(insert(tables.source).values(source_id=source_id, **values))
        else:
            connection.execute(update(tables.source).where(own).values(**values))

    def _save_entries(self, connection: Connection, entries: Iterable[Entry]) -> int:
        """Insert what is new or changed; gives how many were."""
        clean = {codec.reference(e): e for e in map(codec.storable, entries)}
        known = _known_revisions(connection, list(clean))
        rows: list[dict[str, Any]] = []
        for position, (reference, entry) in enumerate(clean.items()):
            digest = codec.entry_hash(entry)
            old = known.get(reference)
            if old is not None and old.hash == digest:
                continue
            if old is not None:
                connection.execute(
                    update(tables.entry)
                    .where(tables.entry.c.entry_key == old.entry_key)
                    .values(is_current=False)
                )
                tables.archive.remove(connection, [old.entry_key])
            rows.append(
                {
                    "reference": reference,
                    "revision": old.revision + 1 if old is not None else 1,
                    "is_current": True,
                    "source_id": entry.source_id,
                    "position": position,
                    "last_day": last_day(entry),
                    "hash": digest,
                    "payload": codec.encode(entry),
                    "item_id": old.item_id if old is not None else None,
                }
            )
        for start in range(0, len(rows), BATCH):
            connection.execute(insert(tables.entry), rows[start : start + BATCH])
        _index(connection, clean, [row["reference"] for row in rows])
        return len(rows)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _known_revisions(connection: Connection, references: list[str]) -> dict[str, Any]:
    columns = tables.entry.c
    known: dict[str, Any] = {}
    for start in range(0, len(references), BATCH):
        query = select(
            columns.entry_key, columns.reference, columns.revision, columns.hash, columns.item_id
        ).where(
            columns.reference.in_(references[start : start + BATCH]), columns.is_current.is_(True)
        )
        known.update({row.reference: row for row in connection.execute(query)})
    return known


def _index(connection: Connection, entries: Mapping[str, Entry], references: list[str]) -> None:
    """Make new entries searchable."""
    for start in range(0, len(references), BATCH):
        known = _known_revisions(connection, references[start : start + BATCH])
        index_entries(connection, [(row.entry_key, entries[ref]) for ref, row in known.items()])
