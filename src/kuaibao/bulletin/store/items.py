"""Items in the store: joining entries to stories, and reading stories back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.store import BATCH, Store, StoredEntry

__all__ = [
    "JoinCounts",
    "Sameness",
    "get_items",
    "identity_hash",
    "items_since",
    "join_entries",
    "page_texts_of_run",
    "save_page_text",
]

MAX_ENTRIES = 50
"""Entries of one story that are shown; a feed that repeats itself can't fill the memory."""


@dataclass(frozen=True)
class Sameness:
    """A claim that an entry makes about what it tells; two entries that share one are one story."""

    key: str
    """`doi:10.1000/1`, `url:example.org/a`, …"""
    reason: str
    """In words, for editors."""


@dataclass(frozen=True)
class JoinCounts:
    """What joining came to."""

    n_item: int
    """New stories."""
    n_joined: int
    """Entries that told a known one."""


def join_entries(
    store: Store, batch: Sequence[StoredEntry], claims: Sequence[Sequence[Sameness]]
) -> JoinCounts:
    """Give every entry of a batch its story, in one transaction.

    Args:
        store: Where.
        batch: Entries without an item, in order.
        claims: For each, what makes it the same as others; the first that fits is the reason.
    """
    with store.database.write() as connection:
        known = _known(connection, [c.key for own in claims for c in own])
        n_item = n_joined = 0
        for stored, own in zip(batch, claims, strict=True):
            hits = [c for c in own if identity_hash(c.key) in known]
            matches = {known[identity_hash(c.key)]: c.reason for c in reversed(hits)}
            if matches:
                n_joined += 1
                item_id = _oldest(connection, list(matches))
                parted = _parted_from(connection, item_id) if len(matches) > 1 else set[str]()
                for other in matches:
                    if other != item_id and other not in parted:
                        _merge(connection, item_id, other, matches[other])
                        known.update({k: item_id for k, v in known.items() if v == other})
                reason = hits[0].reason
            else:
                n_item += 1
                item_id, reason = codec.reference(stored.entry)[:32], "first to tell it"
                connection.execute(insert(tables.item).values(item_id=item_id, joined_to=None))
            _assign(connection, stored.entry_key, item_id, reason)
            new = {identity_hash(c.key): c.key for c in own if identity_hash(c.key) not in known}
            if new:
                connection.execute(
                    insert(tables.identity),
                    [{"key": k, "shown": v[:500], "item_id": item_id} for k, v in new.items()],
                )
                known.update(dict.fromkeys(new, item_id))
    return JoinCounts(n_item, n_joined)


def items_since(store: Store, day: date) -> Iterator[Item]:
    """Stories that have an entry without a date or one that is news on `day` or later.

    Yields:
        Items by id; a batch is held in memory at a time.
    """
    last = ""
    columns = tables.entry.c
    while True:
        query = (
            select(columns.item_id)
            .where(columns.item_id > last, columns.is_current.is_(True))
            .where(or_(columns.last_day.is_(None), columns.last_day >= day.isoformat()))
            .distinct()
            .order_by(columns.item_id)
            .limit(BATCH)
        )
        with store.database.read() as connection:
            ids = [row.item_id for row in connection.execute(query)]
            items = _load(connection, ids)
        if not ids:
            return
        yield from items
        last = ids[-1]


def get_items(store: Store, item_ids: Sequence[str]) -> list[Item]:
    """The stories with these ids, in that order; unknown ids are left out."""
    with store.database.read() as connection:
        return [
            item
            for start in range(0, len(item_ids), BATCH)
            for item in _load(connection, item_ids[start : start + BATCH])
        ]


def save_page_text(store: Store, reference: str, text: str, message: str, run_id: int) -> None:
    """Keep the full text of an entry's page, or why there is none."""
    values = {"text": codec.storable(text), "message": codec.storable(message), "run_id": run_id}
    with store.database.write() as connection:
        where = tables.page_text.c.reference == reference
        done = connection.execute(update(tables.page_text).where(where).values(**values))
        if not done.rowcount:
            connection.execute(insert(tables.page_text).values(reference=reference, **values))


def page_texts_of_run(store: Store, references: Sequence[str], run_id: int) -> set[str]:
    """Those of the entries whose page needs no reading now: read before, or tried in this run."""
    columns = tables.page_text.c
    query = select(columns.reference).where(
        columns.reference.in_(list(references)), or_(columns.text != "", columns.run_id == run_id)
    )
    with store.database.read() as connection:
        return set(connection.execute(query).scalars())


def _load(connection: Connection, ids: Sequence[str]) -> list[Item]:
    columns = tables.entry.c
    query = (
        select(columns.item_id, columns.reference, columns.payload, columns.position)
        .where(columns.item_id.in_(list(ids)), columns.is_current.is_(True))
        .order_by(columns.item_id, columns.position, columns.entry_key)
    )
    rows = connection.execute(query).all()
    texts = _page_texts(connection, [row.reference for row in rows])
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        own = grouped.setdefault(row.item_id, [])
        if len(own) < MAX_ENTRIES:
            entry = codec.decode(Entry, row.payload)
            if text := texts.get(row.reference):
                entry = dataclasses.replace(entry, content=text)
            own.append((_lead_order(entry, row.position), entry))
    return [
        Item(item_id=i, entries=tuple(e for _, e in sorted(grouped[i], key=lambda pair: pair[0])))
        for i in ids
        if i in grouped
    ]


def _lead_order(entry: Entry, position: int) -> tuple[Any, ...]:
    """Who stands for the story: the dated before the undated, the earliest; then by name.

    It depends on the entries alone, not on the order in which they came.
    """
    moment = entry.published or entry.updated
    written = entry.source_id != "manuscripts"
    return (written, moment is None, moment.value.isoformat() if moment else "",
            entry.source_id, position, entry.entry_id)  # fmt: skip


def _page_texts(connection: Connection, references: Sequence[str]) -> dict[str, str]:
    columns = tables.page_text.c
    found: dict[str, str] = {}
    for start in range(0, len(references), BATCH):
        query = select(columns.reference, columns.text).where(
            columns.reference.in_(list(references[start : start + BATCH])), columns.text != ""
        )
        found.update({row.reference: row.text for row in connection.execute(query)})
    return found


def identity_hash(key: str) -> str:
    """Under what a claim's key is kept."""
    return sha256(key.encode("utf-8", "replace")).hexdigest()


def _known(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    hashed = sorted({identity_hash(key) for key in keys})
    known: dict[str, str] = {}
    for start in range(0, len(hashed), BATCH):
        query = select(tables.identity.c.key, tables.identity.c.item_id).where(
            tables.identity.c.key.in_(hashed[start : start + BATCH])
        )
        known.update({row.key: row.item_id for row in connection.execute(query)})
    return known


def _parted_from(connection: Connection, item_id: str) -> set[str]:
    """Stories that an editor said are others."""
    columns = tables.apart.c
    query = select(columns.left_id, columns.right_id).where(
        or_(columns.left_id == item_id, columns.right_id == item_id)
    )
    return {one for row in connection.execute(query) for one in row} - {item_id}


def _oldest(connection: Connection, ids: Sequence[str]) -> str:
    """The item whose first entry came first."""
    if len(ids) == 1:
        return ids[0]
    columns = tables.entry.c
    query = (
        select(columns.item_id).where(columns.item_id.in_(list(ids))).order_by(columns.entry_key)
    )
    return connection.execute(query.limit(1)).scalar_one()


def _assign(connection: Connection, entry_key: int, item_id: str, reason: str) -> None:
    connection.execute(
        update(tables.entry).where(tables.entry.c.entry_key == entry_key).values(item_id=item_id)
    )
    connection.execute(
        insert(tables.join_log).values(entry_key=entry_key, item_id=item_id, reason=reason)
    )


def _merge(connection: Connection, item_id: str, other: str, reason: str) -> None:
    """Two stories turned out to be one: the log says why, and from where each entry came."""
    columns = tables.entry.c
    moved = connection.execute(select(columns.entry_key).where(columns.item_id == other)).scalars()
    rows = [
        {
            "entry_key": key,
            "item_id": item_id,
            "previous_item_id": other,
            "reason": f"joined by another entry: {reason}",
        }
        for key in moved.all()
    ]
    if rows:
        connection.execute(insert(tables.join_log), rows)
    connection.execute(update(tables.entry).where(columns.item_id == other).values(item_id=item_id))
    identity = tables.identity.c
    connection.execute(
        update(tables.identity).where(identity.item_id == other).values(item_id=item_id)
    )
    connection.execute(
        update(tables.item).where(tables.item.c.item_id == other).values(joined_to=item_id)
    )
