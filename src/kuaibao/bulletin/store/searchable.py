"""What of an entry is searched: its texts, and facts that a search may ask for."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.store import tables
from kuaibao.bulletin.store.dates import last_day
from kuaibao.text import detect_language

__all__ = ["day_facts", "index_entries", "kind_fact", "language_fact", "source_fact"]

_SAMPLE = 1000
"""Characters that tell the language of an entry whose source does not."""
_UNITS = (2, 3, 4, 7, 10)
"""So many characters of an ISO day name its century, decade, year, month and itself."""


def index_entries(connection: Connection, entries: Sequence[tuple[int, Entry]]) -> None:
    """Make entries searchable under their numbers."""
    texts = [(key, _texts(entry)) for key, entry in entries]
    tables.archive.put(connection, texts, {key: _facts(entry) for key, entry in entries})


def source_fact(source_id: str) -> str:
    """It came from this source."""
    return f"s{source_id}"


def kind_fact(kind: str) -> str:
    """It is of this kind: a paper, news, a tool."""
    return f"k{kind}"


def language_fact(language: str) -> str:
    """It is in this language, whatever the country: `zh` and `zh-CN` are one."""
    return f"l{language[:2].lower()}"


def day_facts(first: date, last: date) -> list[str]:
    """The fewest facts of which one is true of each day from `first` to `last`."""
    facts: list[str] = []
    at = first.toordinal()
    while at <= last.toordinal():
        day = date.fromordinal(at)
        for length in _UNITS:
            start, end = _bounds(day, length)
            if start == at and end <= last.toordinal():
                facts.append(_day_fact(day.isoformat()[:length]))
                at = end + 1
                break
    return facts


def _bounds(day: date, length: int) -> tuple[int, int]:
    """The first and the last day of a unit, as ordinals; 0 for a first day in the year 0."""
    if length == 10:
        return day.toordinal(), day.toordinal()
    if length == 7:
        n_day = monthrange(day.year, day.month)[1]
        return day.replace(day=1).toordinal(), day.replace(day=n_day).toordinal()
    n_year = 10 ** (4 - length)
    year = day.year // n_year * n_year
    end = date(year + n_year - 1, 12, 31).toordinal()
    return date(year, 1, 1).toordinal() if year else 0, end


def _day_fact(unit: str) -> str:
    return "d" + unit.replace("-", "")


def _texts(entry: Entry) -> dict[str, str]:
    names = [entry.venue, *entry.categories, *(value for _, value in entry.identifiers)]
    if entry.conference:
        names += [entry.conference.name, entry.conference.place]
    return {
        "title": entry.title,
        "people": " \n".join(entry.authors),
        "body": " \n".join([entry.summary, entry.content, *names]),
    }


def _facts(entry: Entry) -> list[str]:
    language = entry.language or detect_language(f"{entry.title}\n{entry.summary}"[:_SAMPLE])
    facts = [source_fact(entry.source_id), kind_fact(entry.kind), language_fact(language)]
    day = last_day(entry)
    return facts + [_day_fact(day[:length]) for length in _UNITS] if day else facts
