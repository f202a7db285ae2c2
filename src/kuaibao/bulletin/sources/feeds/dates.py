"""Dates of feeds: the two common forms quickly, every odd one through feedparser's readers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from kuaibao.bulletin.model import PartialDate

__all__ = ["parse_date", "partial_date"]

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))"
)
_RFC = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun),\s+)?(\d{1,2})\s+"
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s+(\d{4})\s+"
    r"(\d\d):(\d\d):(\d\d)\s+(?:(gmt|ut|utc|z)|([+-])(\d\d)(\d\d))",
    re.IGNORECASE,
)
_MONTHS = {
    name: number + 1
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    )
}
_USUAL_DAY = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z][a-z]) (\d{4}) ", re.ASCII
)
_NUMBERS = {name.title(): f"{number:02}" for name, number in _MONTHS.items()}
_MOST_DAYS = 4096
_OFFSET = re.compile(r" [+-]\d{4}", re.ASCII)
_LENGTH, _SIGNS = 20, "--T::Z"
"""Of `2020-06-17T08:30:00Z`, and each third character of it, from the first hyphen on."""
_ONLY_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{1,2} [A-Za-z]{3,9} \d{4}")
_ONLY_MONTH = re.compile(r"\d{4}-\d\d")
_ONLY_YEAR = re.compile(r"\d{4}")
_ZONE = re.compile(r"([+-]\d\d:?\d\d|Z|[A-Z]{2,5})$", re.IGNORECASE)
_LONGEST = 100  # characters: no date is longer, and the odd readers backtrack


def parse_date(text: str) -> datetime | None:
    """A moment in UTC, or None if it is no date.

    RFC 822 and RFC 3339 are read here; W3C profiles, asctime, ISO 8601's short forms, Korean, Greek
    and Hungarian dates and zone names by feedparser, whose answers are the reference.
    """
    try:  # the ways in which most feeds write it, without taking the text apart
        if text[3:4] == ",":
            moment, zone = _DAYS[text[:17]] + text[17:25] + "Z", text[25:]
        else:
            moment, zone = text, " GMT"
        # What stands between the signs, `fromisoformat` sees to.
        if len(moment) == _LENGTH and moment[4::3] == _SIGNS:
            if zone == " GMT":
                return datetime.fromisoformat(moment)
            if _OFFSET.fullmatch(zone):
                return datetime.fromisoformat(moment[:-1] + zone[1:]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        pass
    return _parse_common(text)


class _Days(dict[str, str]):
    """`Wed, 17 Jun 2020 ` to `2020-06-17T`, kept: the entries of feeds share their days."""

    def __missing__(self, text: str) -> str:
        match = _USUAL_DAY.fullmatch(text)
        if match is None:
            raise KeyError(text)
        day, month, year = match.groups()
        iso = f"{year}-{_NUMBERS[month]}-{day}T"
        if len(self) < _MOST_DAYS:
            self[text] = iso
        return iso


_DAYS = _Days()


def _parse_common(text: str) -> datetime | None:
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, sign, zone_h, zone_m = match.groups()
    elif match := _RFC.fullmatch(text):
        day, name, year, hour, minute, second, _, sign, zone_h, zone_m = match.groups()
        month = _MONTHS[name.lower()]
    else:
        return _parse_odd(text)
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        if sign:
            offset = timedelta(hours=int(zone_h), minutes=int(zone_m))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        return _parse_odd(text)
    return moment


def _parse_odd(text: str) -> datetime | None:
    if not text or len(text) > _LONGEST:
        return None
    import feedparser.datetimes

    try:
        parts = feedparser.datetimes._parse_date(text)
        return datetime(*parts[:6], tzinfo=UTC) if parts else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def partial_date(moment: datetime | None, text: str) -> PartialDate | None:
    """The moment with the precision and the zone that its text gave: an hour is never invented."""
    if moment is None:
        return None
    text = text.strip()
    if _ONLY_YEAR.fullmatch(text):
        return PartialDate(value=moment, precision="year", zone="")
    if _ONLY_MONTH.fullmatch(text):
        return PartialDate(value=moment, precision="month", zone="")
    if _ONLY_DAY.fullmatch(text):
        return PartialDate(value=moment, precision="day", zone="")
    zone = _ZONE.search(text)
    return PartialDate(value=moment, zone=_zone_name(zone.group(1)) if zone else "")


def _zone_name(zone: str) -> str:
    if zone.upper() in ("Z", "GMT", "UT", "UTC"):
        return "UTC"
    if zone[0] in "+-" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return "UTC" if zone in ("+00:00", "-00:00") else zone


def fixed_zone(hours: float) -> timezone:
    """A zone `hours` east of UTC."""
    return timezone(timedelta(hours=hours))
