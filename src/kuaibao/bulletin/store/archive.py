"""Search of everything that ever came, item by item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select, text

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.store import codec, tables
from kuaibao.bulletin.store.dates import days_before
from kuaibao.bulletin.store.searchable import day_facts, kind_fact, language_fact, source_fact
from kuaibao.bulletin.store.store import Store
from kuaibao.database import SearchSyntaxError, snippet

__all__ = ["Found", "Restriction", "read_restrictions", "search_archive"]

_OVERSAMPLING = 4
"""Entries looked at for each item wanted: several may tell one story."""
WINDOW = 4_000
"""Where more entries than this fit the words, the newest of them are ranked."""
MAX_SNIPPET_TEXT = 20_000
_PREFIX = re.compile(
    r"(?<!\S)(since|after|from|until|before|to|kind|source|language|lang):(\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_AUTHOR = re.compile(r"(?<!\S)(-?)(?:author|by|people):", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


@dataclass(frozen=True, kw_only=True)
class Found:
    """An item that fits a query, by the entry that fits best."""

    item_id: str
    score: float
    entry: Entry
    snippet: str
    """A stretch of the text round the first match, matches between « and »."""


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """What an entry must be besides holding the words; empty means anything."""

    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Primary subtags: `zh` fits `zh-CN`."""
    since: date | None = None
    until: date | None = None
    """Both days included; an entry without a date fits no range."""


def read_restrictions(query: str) -> tuple[str, Restriction]:
    """Part a person's query into its words and what it says of kind, source, language and days.

    `kind:paper`, `source:"my feed"`, `language:zh`, `since:2020-06`, `until:2020`; `author:lee`
    stays with the words.

    Raises:
        SearchSyntaxError: A date can't be read.
    """
    kinds: list[str] = []
    sources: list[str] = []
    languages: list[str] = []
    since = until = None
    for name, raw in _PREFIX.findall(query):
        value = raw.strip('"')
        match name.lower():
            case "kind":
                kinds.append(value.lower())
            case "source":
                sources.append(value)
            case "language" | "lang":
                languages.append(value.lower())
            case "since" | "after" | "from":
                since = _first_day(value)
            case _:
                until = _last_day(value)
    words = _AUTHOR.sub(r"\1people:", _PREFIX.sub(" ", query)).strip()
    restriction = Restriction(
        kinds=tuple(kinds),
        sources=tuple(sources),
        languages=tuple(languages),
        since=since,
        until=until,
    )
    return words, restriction


def _first_day(value: str) -> date:
    match = _DAY.fullmatch(value)
    try:
        if match:
            return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        pass
    raise SearchSyntaxError(
        f"{value!r} is no date", hint="Write a year, a month or a day: 2020, 2020-06, 2020-06-17."
    )


def _last_day(value: str) -> date:
    first = _first_day(value)
    parts = value.split("-")
    if len(parts) == 3:
        return first
    if len(parts) == 2:
        following = first.replace(day=28).toordinal() + 4
        return days_before(date.fromordinal(following).replace(day=1), 1)
    return first.replace(month=12, day=31)


def search_archive(
    store: Store,
    query: str,
    *,
    limit: int = 20,
    offset: int = 0,
    kinds: Sequence[str] = (),
    sources: Sequence[str] = (),
    languages: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> list[Found]:
    """The items that fit a query best.

    Args:
        store: Where.
        query: Words, "phrases", `-not`, `begin*`, `title:word`, `author:name`, `a OR b`, and
            `kind:`, `source:`, `language:`, `since:`, `until:`; Chinese words of any length are
            found exactly, simplified or traditional.
        limit: At most so many items.
        offset: So many are passed over first.
        kinds: Only these kinds of items; all if empty.
        sources: Only from these sources; all if empty.
        languages: Only in these languages (`zh` fits `zh-CN`); all if empty.
        since: Not news before this day.
        until: Not after this one.

    Raises:
        SearchSyntaxError: Nothing to look for, too much, or a date that is none.
    """
    words, own = read_restrictions(query)
    restriction = Restriction(
        kinds=(*own.kinds, *kinds),
        sources=(*own.sources, *sources),
        languages=(*own.languages, *(one.lower() for one in languages)),
        since=max((d for d in (own.since, since) if d), default=None),
        until=min((d for d in (own.until, until) if d), default=None),
    )
    found: dict[str, tuple[float, Entry]] = {}
    wanted, at = limit + offset, 0
    step = max(wanted * _OVERSAMPLING, 20)
    with store.database.read() as connection:
        while len(found) < wanted:
            rows = _rows(connection, words, restriction, step, at)
            for row in rows:
                entry = codec.decode(Entry, row.payload)
                item_id = row.item_id or codec.reference(entry)[:32]
                found.setdefault(item_id, (float(row.score), entry))
            if len(rows) < step:
                break
            at += step
    return [
        Found(item_id=item_id, score=score, entry=entry, snippet=_snippet(entry, words))
        for item_id, (score, entry) in list(found.items())[offset:wanted]
    ]


def _snippet(entry: Entry, words: str) -> str:
    whole = " ".join([entry.title, entry.summary, entry.content])
    return snippet(whole[:MAX_SNIPPET_TEXT], words)


def _rows(
    connection: Connection, words: str, restriction: Restriction, limit: int, offset: int
) -> Sequence[Any]:
    hits, values = tables.archive.select(connection, words, _facts(connection, restriction))
    # The newest that fit are ranked: scoring every row of a word that half of them hold takes long.
    # Payloads are fetched last, of what is shown only.
    statement = (
        "select h.key, h.score, e.item_id, e.payload from (select w.key, w.score from "
        f"({hits} order by key desc limit :fts_window) w "
        "order by w.score desc, w.key desc limit :fts_limit offset :fts_offset) h "
        "join entry e on e.entry_key = h.key order by h.score desc, h.key desc"
    )
    bound = {
        **values,
        "fts_window": max(WINDOW, limit + offset),
        "fts_limit": limit,
        "fts_offset": offset,
    }
    return connection.execute(text(statement), bound).all()


def _facts(connection: Connection, r: Restriction) -> list[list[str]]:
    """Of each list one fact must hold; the index keeps them beside the words."""
    wanted = [
        [source_fact(one) for one in r.sources],
        [kind_fact(one) for one in r.kinds],
        [language_fact(one) for one in r.languages],
    ]
    facts = [alternatives for alternatives in wanted if alternatives]
    if r.since or r.until:
        day = tables.entry.c.last_day
        # One by one: asked for both, SQLite reads the whole index.
        first = connection.scalar(select(func.min(day)))
        last = connection.scalar(select(func.max(day)))
        # Days before the first and after the last that any entry has need no facts.
        since = max(r.since or date.min, date.fromisoformat(first) if first else date.max)
        until = min(r.until or date.max, date.fromisoformat(last) if last else date.min)
        facts.append(day_facts(since, until))
    return facts
