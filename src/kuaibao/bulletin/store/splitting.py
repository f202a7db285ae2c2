"""Joins explained and taken back: why each entry belongs to its story, and how to part them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.items import Sameness, identity_hash
from kuaibao.bulletin.store.store import Store
from kuaibao.errors import InputError

__all__ = ["Telling", "find_item", "split_item", "tellings_of"]

_SHORTEST = 4


@dataclass(frozen=True, kw_only=True)
class Telling:
    """An entry of a story, and why it is one."""

    reference: str
    entry: Entry
    reason: str
    """Of the last join: what the entry has in common with the story."""
    came_from: str = ""
    """The story that it belonged to before two stories became one."""


def find_item(store: Store, beginning: str) -> str:
    """The one item whose id begins so.

    Raises:
        InputError: None or several do.
    """
    columns = tables.item.c
    ids: list[str] = []
    if len(beginning) >= _SHORTEST and beginning.isalnum():
        query = select(columns.item_id).where(
            columns.item_id.startswith(beginning.lower()), columns.joined_to.is_(None)
        )
        with store.database.read() as connection:
            ids = list(connection.execute(query.limit(3)).scalars())
    if len(ids) != 1:
        raise InputError(
            f"{len(ids) or 'no'} item{'s begin' if ids else ' begins'} with {beginning!r}",
            hint=f"Give the id that `kuaibao search --json` tells, or {_SHORTEST} letters and more "
            "of its beginning.",
        )
    return ids[0]


def tellings_of(store: Store, item_id: str) -> list[Telling]:
    """The current entries of a story in the order in which they came, each with its reason."""
    with store.database.read() as connection:
        return [telling for _, telling in _tellings(connection, item_id)]


def split_item(
    store: Store,
    item_id: str,
    references: Sequence[str],
    claims_of: Callable[[Entry], Sequence[Sameness]],
    reason: str = "parted by an editor",
) -> str:
    """Take entries out of a story into one of their own; gives its id.

    The two are never joined again by what they share: a later entry that fits both goes to the
    older one. Entries that had been a story of their own get its id back.

    Args:
        store: Where.
        item_id: The story.
        references: Of the entries that do not belong to it.
        claims_of: What makes an entry the same as others.
        reason: For the log.

    Raises:
        InputError: None or all of the story's entries are named, or another's.
    """
    with store.database.write() as connection:
        told = _tellings(connection, item_id)
        leaving = [(key, one) for key, one in told if one.reference in references]
        staying = [one for _, one in told if one.reference not in references]
        if len(leaving) != len(set(references)) or not leaving or not staying:
            raise InputError(
                f"{len(set(references))} of the {len(told)} entries of {item_id[:12]} "
                "can't be parted from it",
                hint="Name some of its entries, and leave it at least one: `kuaibao items show`.",
            )
        new_id = _id_for(connection, item_id, [one for _, one in leaving])
        for key, _ in leaving:
            connection.execute(
                update(tables.entry).where(tables.entry.c.entry_key == key).values(item_id=new_id)
            )
            connection.execute(
                insert(tables.join_log).values(
                    entry_key=key, item_id=new_id, previous_item_id=item_id, reason=reason
                )
            )
        kept = {claim.key for one in staying for claim in claims_of(one.entry)}
        own = {claim.key for _, one in leaving for claim in claims_of(one.entry)} - kept
        hashed = [identity_hash(key) for key in sorted(own)]
        identity = tables.identity.c
        connection.execute(
            update(tables.identity)
            .where(identity.key.in_(hashed), identity.item_id == item_id)
            .values(item_id=new_id)
        )
        left, right = sorted((item_id, new_id))
        connection.execute(insert(tables.apart).values(left_id=left, right_id=right))
        return new_id


def _tellings(connection: Connection, item_id: str) -> list[tuple[int, Telling]]:
    columns, log = tables.entry.c, tables.join_log.c
    entries = connection.execute(
        select(columns.entry_key, columns.reference, columns.payload)
        .where(columns.item_id == item_id, columns.is_current.is_(True))
        .order_by(columns.entry_key)
    ).all()
    references = [row.reference for row in entries]
    joins = connection.execute(
        select(columns.reference, log.previous_item_id, log.reason)
        .select_from(tables.join_log.join(tables.entry, columns.entry_key == log.entry_key))
        .where(columns.reference.in_(references))
        .order_by(log.join_id)
    )
    last = {row.reference: row for row in joins}
    return [
        (
            row.entry_key,
            Telling(
                reference=row.reference,
                entry=codec.decode(Entry, row.payload),
                reason=last[row.reference].reason if row.reference in last else "",
                came_from=last[row.reference].previous_item_id if row.reference in last else "",
            ),
        )
        for row in entries
    ]


def _id_for(connection: Connection, item_id: str, leaving: Sequence[Telling]) -> str:
    """The id that all of them had before, if they had one; else a new one."""
    columns = tables.item.c
    before = {one.came_from for one in leaving}
    if len(before) == 1 and (old := before.pop()) and old != item_id:
        restored = connection.execute(
            update(tables.item)
            .where(columns.item_id == old, columns.joined_to == item_id)
            .values(joined_to=None)
        )
        if restored.rowcount:
            return old
    new_id, salt = leaving[0].reference[:32], 0
    while connection.execute(select(columns.item_id).where(columns.item_id == new_id)).first():
        salt += 1
        new_id = sha256(f"{leaving[0].reference} {salt}".encode()).hexdigest()[:32]
    connection.execute(insert(tables.item).values(item_id=new_id, joined_to=None))
    return new_id
