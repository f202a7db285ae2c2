"""Search of everything that ever came, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.store import Store
from kuaibao.database import snippet

__all__ = ["Found", "search_archive"]

_OVERSAMPLING = 4
"""Entries looked at for each item wanted: several may tell one story."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An item that fits a query, by the entry that fits best."""

    item_id: str
    score: float
    entry: Entry
    snippet: str
    """A stretch of the text round the first match, matches between « and »."""


def search_archive(
    store: Store, query: str, *, limit: int = 20, kinds: Sequence[str] = ()
) -> list[Found]:
    """The items that fit a query best.

    Args:
        store: Where.
        query: Words, "phrases", `-not`, `begin*`, `title:word`, `a OR b`; Chinese words of any
            length are found exactly, simplified or traditional.
        limit: At most so many items.
        kinds: Only these kinds of items; all if empty.

    Raises:
        SearchSyntaxError: Nothing to look for, or too much.
    """
    found: dict[str, Found] = {}
    offset, step = 0, max(limit * _OVERSAMPLING, 20)
    with store.database.read() as connection:
        while len(found) < limit:
            hits = tables.archive.search(connection, query, limit=step, offset=offset)
            columns = tables.entry.c
            rows = connection.execute(
                select(columns.entry_key, columns.item_id, columns.payload).where(
                    columns.entry_key.in_([hit.key for hit in hits])
                )
            )
            by_key = {row.entry_key: row for row in rows}
            for hit in hits:
                row = by_key[hit.key]
                entry = codec.decode(Entry, row.payload)
                item_id = row.item_id or codec.reference(entry)[:32]
                if item_id not in found and (not kinds or entry.kind in kinds):
                    text = " ".join([entry.title, entry.summary, entry.content])
                    found[item_id] = Found(
                        item_id=item_id, score=hit.score, entry=entry, snippet=snippet(text, query)
                    )
            if len(hits) < step:
                break
            offset += step
    return list(found.values())[:limit]
