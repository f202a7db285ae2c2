"""Dates of calls for papers: no hour and no zone that the source did not give.

"AoE" (anywhere on earth) is UTC-12. `Etc/GMT+5` and `UTC+5` mean opposite things: the IANA names
count west, the plain ones east. A deadline on a day without an hour stays a day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kuaibao.bulletin.model import PartialDate

__all__ = ["deadline_in", "parse_deadline", "zone_named"]

_OFFSET = re.compile(r"(?i)(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(?:^|[T\s,])(\d{1,2}):(\d{2})(?::(\d{2}))?")
_ZONE = re.compile(
    r"\b(AoE|Anywhere on Earth|UTC\s*[+-]\s*\d{1,2}(?::\d{2})?|GMT\s*[+-]\s*\d{1,2}(?::\d{2})?|"
    r"UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z][a-z]+/[A-Z][A-Za-z_]+)\b|(?<=\d)(Z)\b"
)
_LABELLED = re.compile(
    r"(?im)(?:submission\s+(?:deadline|due)|paper\s+(?:deadline|due)|deadline|截稿(?:日期|时间)?|"
    r"投稿截止(?:日期|时间)?|截止(?:日期|时间)?)\s*(?:\([^)]*\))?\s*[:：]?\s*([^\n;；]{6,60})"
)


def zone_named(name: str) -> tzinfo | None:
    """A zone by the names that calls for papers use, or None."""
    text = name.strip()
    if text.lower() in ("aoe", "anywhere on earth"):
        return timezone(timedelta(hours=-12))
    if text.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if match := _OFFSET.fullmatch(text):
        sign = 1 if match.group(1) == "+" else -1
        hours, minutes = int(match.group(2)), int(match.group(3) or 0)
        if hours > 14 or minutes > 59:
            return None
        return timezone(sign * timedelta(hours=hours, minutes=minutes))
    try:
        return ZoneInfo(text) if "/" in text and ".." not in text else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def parse_deadline(text: str, zone: str = "") -> PartialDate | None:
    """A deadline with the precision it was given in; None for "TBD" and the like.

    Args:
        text: `2020-07-01`, `2020-07-01 23:59:59`, `2020年7月1日 23:59 AoE`, …
        zone: Used where the text names none: `AoE`, `UTC-8`, `Asia/Shanghai`.
    """
    found = _DATE.search(text)
    if found is None:
        return None
    try:
        day = date(int(found.group(1)), int(found.group(2)), int(found.group(3)))
    except ValueError:
        return None
    rest = text[found.end() :]
    clock = _TIME.search(rest)
    named = _ZONE.search(rest)
    zone_text = next((g for g in named.groups() if g), "") if named else zone
    if clock is None:
        return PartialDate(value=datetime(day.year, day.month, day.day, tzinfo=UTC),
                           precision="day", zone=zone_text.strip())  # fmt: skip
    hour, minute, second = (int(g or 0) for g in clock.groups())
    # 24:00 is the end of the day.
    extra = timedelta(days=1) if hour == 24 and minute == 0 else timedelta()
    try:
        moment = datetime(day.year, day.month, day.day, 0 if extra else hour, minute, second)
        known = zone_named(zone_text)
        aware = (moment + extra).replace(tzinfo=known or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    precision = "second" if clock.group(3) else "minute"
    return PartialDate(value=aware, precision=precision, zone=zone_text if known else "")


def deadline_in(text: str) -> PartialDate | None:
    """The first labelled deadline in a description, in English or Chinese."""
    for match in _LABELLED.finditer(text[:20_000]):
        found = parse_deadline(match.group(1))
        if found is not None:
            return found
    return None
