"""Words, dates and punctuation of a published issue, read from `locales/*.toml`.

Every difference between the languages stands in those tables; the code has no case for any of
them. A language without a table is published with English headings.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.publishing.cleaning import clean_line

__all__ = ["Catalogue", "local_time"]

_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$")
_NAMED_ZONES: dict[str, tzinfo] = {
    "UTC": UTC,
    "Z": UTC,
    "GMT": UTC,
    "AOE": timezone(timedelta(hours=-12)),  # anywhere on earth: the last zone to end a day
}


@dataclass(frozen=True)
class Catalogue:
    """The words of one language."""

    language: str
    tables: dict[str, Any]

    @classmethod
    def of(cls, language: str) -> Catalogue:
        """The catalogue for a BCP 47 tag (`zh`, `zh-CN`, `en`); English for unknown ones."""
        return _load(re.split(r"[-_]", language.lower(), maxsplit=1)[0])

    def word(self, path: str, **values: object) -> str:
        """The phrase at `table.key`, with `values` filled in.

        Raises:
            KeyError: The catalogue has no such phrase.
        """
        table, key = path.split(".")
        phrase: str = self.tables[table][key]
        return phrase.format(**values) if values else phrase

    def words(self, table: str) -> dict[str, str]:
        """A whole table of phrases, for a template."""
        return dict(self.tables[table])

    def label(self, name: str) -> str:
        """The printed form of a field's name; the name itself if no table knows it."""
        key = re.sub(r"[\s-]+", "_", name.strip().lower())
        return str(self.tables["fields"].get(key, name))

    @property
    def html_language(self) -> str:
        """The BCP 47 tag for `lang` attributes."""
        return str(self.tables["html_language"])

    def join(self, parts: Sequence[str]) -> str:
        """`A, B and C`, or `A、B、C`."""
        if len(parts) < 2:
            return "".join(parts)
        head = self.word("punctuation.list").join(parts[:-1])
        return head + self.word("punctuation.and") + parts[-1]

    def day(self, day: date) -> str:
        """A calendar day in words."""
        month = self.tables["months"]["long"][day.month - 1]
        return self.word("date.day", day=day.day, month=month, year=day.year)

    def day_range(self, first: date, last: date) -> str:
        """Two days in words, saying month and year only once where they agree."""
        if first == last:
            return self.day(first)
        months = self.tables["months"]["long"]
        values = {
            "first_day": first.day,
            "last_day": last.day,
            "first_month": months[first.month - 1],
            "last_month": months[last.month - 1],
            "month": months[first.month - 1],
            "year": first.year,
            "first": self.day(first),
            "last": self.day(last),
        }
        if first.year != last.year:
            return self.word("date.range_years", **values)
        if first.month != last.month:
            return self.word("date.range_months", **values)
        return self.word("date.range_days", **values)

    def moment(self, moment: PartialDate, *, with_time: bool = False) -> str:
        """A date as exactly as its source told it, in the source's own time zone."""
        value = local_time(moment)
        month = self.tables["months"]["long"][value.month - 1]
        if moment.precision in {"year", "month"}:
            return self.word(f"date.{moment.precision}", month=month, year=value.year)
        text = self.day(value.date())
        if moment.precision == "day" or not with_time:
            return text
        zone = clean_line(moment.zone) or self.word("date.no_zone")
        return self.word("date.time", date=text, hour=value.hour, minute=value.minute, zone=zone)


def local_time(moment: PartialDate) -> datetime:
    """The moment on the clock of its own zone; unchanged where only the day is known."""
    if moment.precision not in {"second", "minute"}:
        return moment.value
    zone = find_zone(moment.zone)
    if zone is None or moment.value.tzinfo is None:
        return moment.value
    try:
        return moment.value.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar
        return moment.value


def find_zone(name: str) -> tzinfo | None:
    """A time zone from `UTC`, `+08:00`, `AoE` or `Europe/Berlin`; None if it is none of these."""
    name = name.strip()
    if (zone := _NAMED_ZONES.get(name.upper())) is not None:
        return zone
    if match := _OFFSET.match(name.upper()):
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset < timedelta(hours=24):
            return timezone(-offset if sign == "-" else offset)
        return None
    try:
        return ZoneInfo(name) if re.fullmatch(r"[A-Za-z]+(?:/[A-Za-z_+-]+)*\d*", name) else None
    except (OSError, ValueError, KeyError):
        return None


@cache
def _load(language: str) -> Catalogue:
    folder = resources.files("kuaibao.bulletin.publishing") / "locales"
    known = {entry.name.removesuffix(".toml") for entry in folder.iterdir()}
    name = language if language in known else "en"
    return Catalogue(name, tomllib.loads((folder / f"{name}.toml").read_text("utf-8")))
