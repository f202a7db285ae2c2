"""Numbers, units and dates of two texts, compared by value across English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from kuaibao.text import numbers_in

__all__ = ["Difference", "compare_quantities", "dates_in", "units_in"]

_MONTHS = {
    name: i
    for i, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sep sept", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"(?P<y>\d{4})\s*年\s*(?:(?P<m>\d{1,2})\s*月\s*(?:(?P<d>\d{1,2})\s*[日号])?)?"),
    re.compile(r"(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]"),
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})\b"),
    re.compile(
        rf"\b(?P<n>{_NAMES})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>\d{{4}}))?\b", re.I
    ),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<n>{_NAMES})\.?(?:,?\s+(?P<y>\d{{4}}))?\b", re.I
    ),
    re.compile(rf"\b(?P<n>{_NAMES})\.?,?\s+(?P<y>\d{{4}})\b", re.I),
)
_UNITS: dict[str, tuple[str, ...]] = {
    "percent": ("%", "％", "percent", "per cent"),
    "kilometre": ("km", "kilometres", "kilometers", "kilometre", "kilometer", "公里", "千米"),
    "metre": ("metres", "meters", "metre", "meter", "米"),
    "kilogram": ("kg", "kilograms", "kilogram", "公斤", "千克"),
    "tonne": ("tonnes", "tonne", "tons", "ton", "吨"),
    "second": ("seconds", "second", "秒"),
    "millisecond": ("ms", "milliseconds", "millisecond", "毫秒"),
    "minute": ("minutes", "minute", "分钟"),
    "hour": ("hours", "hour", "小时"),
    "day": ("days", "day", "天"),
    "year": ("years", "year"),
    "gigabyte": ("GB", "GiB", "gigabytes", "gigabyte"),
    "megabyte": ("MB", "MiB", "megabytes", "megabyte"),
    "terabyte": ("TB", "TiB", "terabytes", "terabyte"),
    "kelvin": ("K",),
    "celsius": ("°C", "℃", "degrees Celsius", "摄氏度"),
    "watt": ("W", "watts", "瓦"),
    "dollar": ("dollars", "dollar", "USD", "美元"),
    "euro": ("euros", "euro", "EUR", "欧元"),
    "yuan": ("yuan", "RMB", "CNY", "元", "人民币"),
}
_UNIT_OF = {word.lower(): unit for unit, words in _UNITS.items() for word in words}
_NUMBER = r"(?P<number>[-+]?\d+(?:[.,]\d+)*\s*(?:thousand|million|billion|trillion|[千万亿]+)?)"
_MEASURE = re.compile(
    _NUMBER + r"[\s-]*(?P<unit>"
    + "|".join(re.escape(w) for w in sorted(_UNIT_OF, key=len, reverse=True))
    + r")(?![A-Za-z])",
    re.I,
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """What one text has and the other lacks."""

    kind: str
    """`number_added`, `number_missing`, `date_added`, `date_missing`, `unit_differs`."""
    shown: str
    other: str = ""


def dates_in(text: str) -> list[tuple[tuple[int, int, int], str]]:
    """(year, month, day) with 0 for what is not said, and the words."""
    return [(value, words) for value, words, _ in _dates(_normal(text))]


def units_in(text: str) -> list[tuple[str, str, str]]:
    """(value, unit, words) of every measure."""
    found: list[tuple[str, str, str]] = []
    for match in _MEASURE.finditer(_normal(text)):
        values = numbers_in(match["number"])
        if values:
            found.append((values[0][0], _UNIT_OF[match["unit"].lower()], match.group().strip()))
    return found


def compare_quantities(
    source: str, target: str, *, is_complete: bool = False
) -> tuple[Difference, ...]:
    """What the translation says otherwise than the original.

    Args:
        source: The original.
        target: Its translation.
        is_complete: The translation says everything the original says; what it lacks is told too.
    """
    found: list[Difference] = []
    source, target = _normal(source), _normal(target)
    of_source, of_target = _dates(source), _dates(target)
    found += [Difference("date_added", words) for value, words, _ in of_target
              if not any(_agree(value, other) for other, _, _ in of_source)]  # fmt: skip
    if is_complete:
        found += [Difference("date_missing", words) for value, words, _ in of_source
                  if not any(_agree(value, other) for other, _, _ in of_target)]  # fmt: skip
    plain_source, plain_target = _without(source, of_source), _without(target, of_target)
    in_source, in_target = numbers_in(plain_source), numbers_in(plain_target)
    dated = {str(part) for value, _, _ in of_source for part in value}
    known = {value for value, _ in in_source} | dated
    found += [Difference("number_added", words) for value, words in in_target
              if value not in known]  # fmt: skip
    if is_complete:
        known = {value for value, _ in in_target}
        found += [Difference("number_missing", words) for value, words in in_source
                  if value not in known]  # fmt: skip
    found += _units(source, target)
    return tuple(dict.fromkeys(found))


def _units(source: str, target: str) -> list[Difference]:
    by_value: dict[str, set[str]] = {}
    words_of: dict[str, str] = {}
    for value, unit, words in units_in(source):
        by_value.setdefault(value, set()).add(unit)
        words_of.setdefault(value, words)
    return [
        Difference("unit_differs", words, words_of[value])
        for value, unit, words in units_in(target)
        if value in by_value and unit not in by_value[value]
    ]


def _dates(text: str) -> list[tuple[tuple[int, int, int], str, tuple[int, int]]]:
    found: list[tuple[tuple[int, int, int], str, tuple[int, int]]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < b and a < end for _, _, (a, b) in found):
                continue
            groups = match.groupdict()
            month = _MONTHS.get((groups.get("n") or "").lower().rstrip("."), 0)
            month = month or int(groups.get("m") or 0)
            value = (int(groups.get("y") or 0), month, int(groups.get("d") or 0))
            if value[1] <= 12 and value[2] <= 31:
                found.append((value, match.group().strip(), (start, end)))
    return sorted(found, key=lambda f: f[2])


def _agree(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
    return all(x == y or not x or not y for x, y in zip(a, b, strict=True)) and any(
        x and x == y for x, y in zip(a, b, strict=True)
    )


def _without(text: str, dates: list[tuple[tuple[int, int, int], str, tuple[int, int]]]) -> str:
    parts, at = [], 0
    for _, _, (start, end) in dates:
        parts += [text[at:start], " ; "]
        at = end
    return "".join([*parts, text[at:]])


def _normal(text: str) -> str:
    # 千 in 千米 and 千克 belongs to the unit, not to the number before it.
    normal = unicodedata.normalize("NFKC", text)
    return normal.replace("千米", "公里").replace("千克", "公斤").replace("千瓦", "kW")
