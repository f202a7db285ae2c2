"""When a page says that it was published: meta data, then marks in the text, then its address.

An hour is never invented, and a zone is kept as it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kuaibao.bulletin.model import PartialDate
from kuaibao.bulletin.sources.feeds.dates import parse_date, partial_date

__all__ = ["date_in_address", "date_in_chinese", "first_moment", "parse_moment"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january enero janvier januar gennaio janeiro января",
            "feb february febrero février februar febbraio fevereiro февраля",
            "mar march marzo mars märz março марта",
            "apr april abril avril aprile апреля",
            "may mayo mai maggio maio мая",
            "jun june junio juin juni giugno junho июня",
            "jul july julio juillet juli luglio julho июля",
            "aug august agosto août августа",
            "sep sept september septiembre septembre settembre setembro сентября",
            "oct october octubre octobre oktober ottobre outubro октября",
            "nov november noviembre novembre novembro ноября",
            "dec december diciembre décembre dezember dicembre dezembro декабря",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d{2})"
_DAYS = (
    re.compile(rf"{_YEAR}\s*年\s*(?P<month>\d{{1,2}})\s*月(?:\s*(?P<day>\d{{1,2}})\s*日)?"),
    re.compile(rf"(?<!\d){_YEAR}[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?!\d)"),
    re.compile(rf"(?i)\b(?P<name>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+{_YEAR}"),
    re.compile(
        rf"(?i)\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.|er)?\s*(?:de\s+)?[ -]?(?P<name>{_MONTH})\.?,?"
        rf"\s*(?:de\s+|del\s+)?[ -]?{_YEAR}"
    ),
    re.compile(rf"(?i)\b(?P<name>{_MONTH})\.?\s+{_YEAR}"),
)
_NUMERIC = re.compile(rf"(?<!\d)(?P<a>\d{{1,2}})[/.-](?P<b>\d{{1,2}})[/.-]{_YEAR}(?!\d)")
_CLOCK = re.compile(
    r"(?i)(?<![\d.])(?P<hour>\d{1,2})\s*(?:[:：时点h])\s*(?P<minute>\d{2})(?:[:：分](?P<second>\d{2}))?"
    r"\s*(?P<half>a\.?m\.?|p\.?m\.?)?(?:\.\d+)?\s*(?P<zone>Z\b|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_ADDRESS = re.compile(
    r"/(?P<year>(?:19|20)\d{2})[/_-]?(?P<month>0[1-9]|1[0-2])[/_-]?(?P<day>0[1-9]|[12]\d|3[01])(?!\d)"
    r"|/(?P<year2>(?:19|20)\d{2})[/_-](?P<month2>\d{1,2})[/_-](?P<day2>\d{1,2})(?=[/_.-])"
)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
_CHINESE_LABEL = re.compile(
    r"(?:发布|发表|更新|出版|刊登|上传|文章|添加|创建|公开|录入|日期|时间)"
    r"(?:时间|日期|于|日)?\s*[:：]?\s*(?=(?:19|20)\d{2}\s*[-年./])"
)
_CHINESE_DAY = re.compile(r"(?<!\d)(?:19|20)\d{2}\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}\s*日?")
_CHINESE_CREDIT = re.compile(r"来源|作者|记者|编辑|编译|责编|浏览|阅读|点击|字号|文\s*[/／|｜丨]")
_MAX_CHARS = 200


def first_moment(candidates: Iterable[str], *, month_first: bool = True) -> PartialDate | None:
    """The first of some texts that is a date; one with an hour wins over its bare day."""
    found: PartialDate | None = None
    for text in candidates:
        moment = parse_moment(text, month_first=month_first)
        if moment is None:
            continue
        if found is None:
            found = moment
        elif found.precision == "day" and moment.precision in ("second", "minute"):
            zone = _offset(moment.zone)
            if (moment.value + zone).date() == found.value.date():
                return moment
        if found.precision not in ("day", "month", "year"):
            return found
    return found


def parse_moment(text: str, *, month_first: bool = True) -> PartialDate | None:
    """A date as pages write it, with the precision that it has; None if there is none."""
    text = " ".join(text.split())[:_MAX_CHARS]
    if not text:
        return None
    if _EPOCH.fullmatch(text):
        seconds = int(text) / (1000 if len(text) == 13 else 1)
        return PartialDate(value=datetime.fromtimestamp(seconds, UTC).replace(microsecond=0))
    if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text) or re.match(r"(?i)[a-z]{3}, \d", text):
        exact = partial_date(parse_date(text), text)
        if exact is not None and _is_likely(exact.value):
            has_seconds = re.search(r"\d\d:\d\d:\d\d", text) is not None
            return exact if has_seconds else replace(exact, precision="minute")
    return _written(text, month_first) or _short(text)


def _short(text: str) -> PartialDate | None:
    """`2020-06`, `20200617`, `2020`: a date by itself only."""
    if not re.fullmatch(r"(?:19|20)\d{2}(?:-?\d{2}){0,2}", text):
        return None
    moment = partial_date(parse_date(text), text)
    return moment if moment is not None and _is_likely(moment.value) else None


def _written(text: str, month_first: bool) -> PartialDate | None:
    matches = [match for pattern in _DAYS if (match := pattern.search(text))]
    for match in sorted(matches, key=lambda m: (m.start(), -len(m.group(0)))):
        parts = match.groupdict()
        month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["month"])
        day = parts.get("day")
        found = _make(int(parts["year"]), month, int(day) if day else None, text, match.span())
        if found is not None:
            return found
    if match := _NUMERIC.search(text):
        a, b, year = int(match["a"]), int(match["b"]), int(match["year"])
        is_month_first = b > 12 or (a <= 12 and month_first and "." not in match.group(0))
        month, day_ = (a, b) if is_month_first else (b, a)
        return _make(year, month, day_, text, match.span())
    return None


def _make(
    year: int, month: int, day: int | None, text: str, span: tuple[int, int]
) -> PartialDate | None:
    try:
        value = datetime(year, month, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    if not _is_likely(value):
        return None
    if day is None:
        return PartialDate(value=value, precision="month", zone="")
    before = text[max(0, span[0] - 20) : span[0]]
    clock = _CLOCK.search(text[span[1] : span[1] + 40]) or _CLOCK.search(before)
    if clock is None:
        return PartialDate(value=value, precision="day", zone="")
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    half = (clock["half"] or "").lower()[:1]
    hour = hour % 12 + (12 if half == "p" else 0) if half and hour <= 12 else hour
    if hour > 23 or minute > 59 or second > 59:
        return PartialDate(value=value, precision="day", zone="")
    zone = clock["zone"] or ""
    moment = value.replace(hour=hour, minute=minute, second=second) - _offset(zone)
    if zone[:1] in "+-" and zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    named = "UTC" if zone.upper() in ("Z", "UTC", "GMT") else zone
    return PartialDate(
        value=moment, precision="second" if clock["second"] else "minute", zone=named
    )


def _offset(zone: str) -> timedelta:
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", zone)
    if match is None:
        return timedelta()
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return size if match[1] == "+" else -size


def _is_likely(moment: datetime) -> bool:
    return 1985 <= moment.year <= datetime.now(UTC).year + 1


def date_in_address(url: str) -> PartialDate | None:
    """The day in an address such as `/2020/06/17/title` or `/2020-06/17/c_1126.htm`."""
    match = _ADDRESS.search(url)
    if match is None:
        return None
    parts = [match["year"] or match["year2"], match["month"] or match["month2"],
             match["day"] or match["day2"]]  # fmt: skip
    return _make(int(parts[0]), int(parts[1]), int(parts[2]), "", (0, 0))


def date_in_chinese(text: str) -> PartialDate | None:
    """A labelled date (发布时间：2020年6月17日 10:30), or one beside 来源, 作者 or 编辑."""
    if match := _CHINESE_LABEL.search(text):
        return parse_moment(text[match.end() : match.end() + 60])
    for match in list(_CHINESE_DAY.finditer(text))[:20]:
        around = text[max(0, match.start() - 50) : match.end() + 60]
        if _CHINESE_CREDIT.search(around):
            return parse_moment(text[match.start() : match.end() + 25])
    return None
