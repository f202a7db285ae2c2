"""Numbered steps from one shape of the tables to the next, kept apart for each room.

A step runs in one transaction with the row that says it was done, so a kill leaves it done or not
begun. Steps are never edited after a release; a new shape is a new step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
)

from kuaibao.database.engine import Database
from kuaibao.database.errors import DatabaseTooNewError

__all__ = ["Migration", "migrate", "schema_version"]

_metadata = MetaData()

_version = Table(
    "schema_version",
    _metadata,
    Column("room", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("applied_at", Float, nullable=False),
)


@dataclass(frozen=True)
class Migration:
    """One step; numbers of a room count from 1 without gaps."""

    number: int
    name: str
    """What is true afterwards, in a few words."""
    apply: Callable[[Connection], None]


def migrate(database: Database, room: str, steps: Sequence[Migration]) -> int:
    """Bring a room's tables to their newest shape; running again changes nothing.

    Args:
        database: Where.
        room: Whose tables (`bulletin`, `accounts`, …).
        steps: Every step there ever was, in order.

    Returns:
        How many steps were taken.

    Raises:
        DatabaseTooNewError: The database has steps that this version does not know.
    """
    assert [s.number for s in steps] == list(range(1, len(steps) + 1)), "gap in migrations"
    # PostgreSQL's "create table if not exists" can collide with itself: checked under the lock.
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("select pg_advisory_xact_lock(7106071)")
        _metadata.create_all(connection)
    if _number(database, room) > len(steps):
        raise DatabaseTooNewError(
            f"the database {database.url} was written by a later version of kuaibao",
            hint="Upgrade the package, or open a backup made before.",
        )
    return sum(_take(database, room, step) for step in steps)


def schema_version(database: Database, room: str) -> int:
    """The number of the newest step taken by `room`; 0 if none was."""
    with database.read() as connection:
        present = database.engine.dialect.has_table(connection, _version.name)
    return _number(database, room) if present else 0


def _number(database: Database, room: str) -> int:
    with database.read() as connection:
        query = select(func.max(_version.c.number)).where(_version.c.room == room)
        return connection.execute(query).scalar() or 0


def _take(database: Database, room: str, step: Migration) -> bool:
    if _number(database, room) >= step.number:
        return False
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("select pg_advisory_xact_lock(7106071)")
        # Another process may have taken the step while this one waited for its turn.
        query = select(func.max(_version.c.number)).where(_version.c.room == room)
        if (connection.execute(query).scalar() or 0) >= step.number:
            return False
        step.apply(connection)
        connection.execute(
            insert(_version).values(
                room=room, number=step.number, name=step.name, applied_at=time.time()
            )
        )
    return True
