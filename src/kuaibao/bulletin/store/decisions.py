"""The log of editors' decisions: what was picked, dropped, moved, edited; never rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, insert, select

from kuaibao.bulletin.model import Item, SectionKind
from kuaibao.bulletin.store import tables
from kuaibao.bulletin.store.items import get_items
from kuaibao.bulletin.store.store import BATCH, Store

__all__ = [
    "Action",
    "Decision",
    "insert_decision",
    "list_decisions",
    "newest_items",
    "record_decision",
]

Action = Literal["picked", "dropped", "moved", "edited", "passed", "undone"]
"""`passed`: shown and not taken. `undone`: what was decided about the item here is taken back."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One act of an editor about an item in a section."""

    item_id: str
    section: SectionKind
    action: Action
    at: datetime
    person: str = ""
    to_section: SectionKind | None = None
    """Where a moved item went."""


def record_decision(store: Store, decision: Decision) -> int:
    """Keep a decision; gives its number."""
    with store.database.write() as connection:
        return insert_decision(connection, decision)


def insert_decision(connection: Connection, decision: Decision) -> int:
    """Keep a decision within the caller's transaction; gives its number."""
    done = connection.execute(
        insert(tables.decision).values(
            item_id=decision.item_id,
            section=decision.section,
            action=decision.action,
            to_section=decision.to_section or "",
            person=decision.person,
            at=decision.at.isoformat(),
        )
    )
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def list_decisions(store: Store, section: SectionKind | None = None) -> list[Decision]:
    """All decisions in their order, or those about one section."""
    columns = tables.decision.c
    query = select(tables.decision).order_by(columns.decision_id)
    if section is not None:
        query = query.where((columns.section == section) | (columns.to_section == section))
    with store.database.read() as connection:
        return [
            Decision(
                item_id=row.item_id,
                section=row.section,
                action=row.action,
                at=datetime.fromisoformat(row.at),
                person=row.person,
                to_section=row.to_section or None,
            )
            for row in connection.execute(query)
        ]


def newest_items(store: Store, limit: int) -> Iterator[Item]:
    """The stories whose entries came last, newest first; a batch is held in memory at a time."""
    columns = tables.entry.c
    last = None
    n_given = 0
    while n_given < limit:
        key = func.max(columns.entry_key).label("key")
        query = (
            select(columns.item_id, key)
            .where(columns.is_current.is_(True), columns.item_id.is_not(None))
            .group_by(columns.item_id)
            .order_by(key.desc())
            .limit(min(BATCH, limit - n_given))
        )
        if last is not None:
            query = query.having(key < last)
        with store.database.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].key
        n_given += len(rows)
        yield from get_items(store, [row.item_id for row in rows])
