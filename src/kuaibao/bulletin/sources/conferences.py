"""Kind `conferences`: calls for papers from YAML in the style of ccf-deadlines or ai-deadlines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import model_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Conference, Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, ask, conclude, guarded
from kuaibao.bulletin.sources.deadlines import parse_deadline
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.files import read_bytes
from kuaibao.bulletin.sources.markup import one_line
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)
from kuaibao.bulletin.sources.yaml_files import read_yaml
from kuaibao.errors import InputError

__all__ = ["ConferencesSettings", "ConferencesSource", "parse_span"]

MAX_BYTES = 5 * 1024 * 1024
MAX_FILES = 2000
_MONTHS = {name: number + 1 for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)}  # fmt: skip
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NUMERIC = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_MONTH_FIRST = re.compile(
    _MONTH + r"\s*(\d{1,2})(?:st|nd|rd|th)?(?:\s*[-–—~to]+\s*(?:" + _MONTH
    + r"\s*)?(\d{1,2})(?:st|nd|rd|th)?)?", re.IGNORECASE)  # fmt: skip
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?\s*(?:" + _MONTH + r"\s*)?[-–—~]\s*(\d{1,2})(?:st|nd|rd|th)?\s+"
    + _MONTH, re.IGNORECASE)  # fmt: skip
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class ConferencesSettings(SourceSettings):
    """Where the calls are, and which are wanted."""

    path: str = ""
    """A YAML file or a folder of them."""
    url: str = ""
    """Address of a YAML file."""
    areas: list[str] = field(default_factory=list)
    """Only these (`sub` or `tags`: `AI`, `DB`, …); all if empty."""
    past: bool = False
    """Also meetings that are over."""

    @model_validator(mode="after")
    def _one_place(self) -> ConferencesSettings:
        if bool(self.url) == bool(self.path):
            raise ValueError("give either url or path")
        return self


@dataclass(frozen=True)
class ConferencesSource:
    """Calls for papers."""

    source_id: str
    settings: ConferencesSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "conferences"
    settings_type: ClassVar[type[ConferencesSettings]] = ConferencesSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Read all calls."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        state = dict(context.state)
        problems: list[str] = []
        if self.settings.url:
            answer, state = ask(context, self.settings.url, max_bytes=MAX_BYTES)
            if answer.is_unchanged:
                return conclude(context, (), state, message="unchanged (304)")
            texts = [(self.settings.url, decode(answer.body, answer.content_type).text)]
        else:
            texts = list(self._stored())
        entries: dict[str, Entry] = {}
        for name, text in texts:
            try:
                for entry in self._calls(read_yaml(text, name), context.now):
                    entries[entry.entry_id] = entry
            except InputError as error:
                problems.append(str(error))
        if problems and not entries:
            raise LayoutError("; ".join(problems[:3]))
        wanted = sorted(entries.values(), key=_by_start)[: self.settings.limit]
        return conclude(context, tuple(wanted), state, tuple(problems))

    def _stored(self) -> Iterator[tuple[str, str]]:
        root = self.base_dir / self.settings.path
        files = [root]
        if root.is_dir():
            files = sorted(f for f in root.rglob("*.y*ml") if f.suffix in (".yml", ".yaml"))
        for file in files[:MAX_FILES]:
            yield str(file), decode(read_bytes(file, MAX_BYTES)).text

    def _calls(self, document: Any, now: datetime) -> Iterator[Entry]:
        if not isinstance(document, list):
            raise LayoutError("no list of conferences")
        for record in document:
            if not isinstance(record, dict) or not self._is_wanted(record):
                continue
            editions = record.get("confs")
            for edition in editions if isinstance(editions, list) else [record]:
                if isinstance(edition, dict):
                    entry = self._entry(record, edition, now)
                    if self.settings.past or not _is_over(entry, now):
                        yield entry

    def _is_wanted(self, record: dict[str, Any]) -> bool:
        if not self.settings.areas:
            return True
        areas = record.get("sub") or record.get("tags") or ()
        named = {areas} if isinstance(areas, str) else {str(a) for a in areas}
        return bool({a.lower() for a in named} & {a.lower() for a in self.settings.areas})

    def _entry(self, record: dict[str, Any], edition: dict[str, Any], now: datetime) -> Entry:
        year = _text(edition.get("year"))
        title = one_line(f"{_text(record.get('title'))} {year}")
        start, end = _days(edition, year)
        towns = [_text(edition.get(name)) for name in ("city", "country")]
        place = one_line(_text(edition.get("place")) or ", ".join(t for t in towns if t))
        name = _text(record.get("description") or record.get("full_name"))
        deadline = _next_deadline(edition, now)
        return Entry(
            source_id=self.source_id,
            entry_id=_text(edition.get("id")) or title.lower().replace(" ", ""),
            kind=self.settings.item_kind or "conference",
            title=title,
            url=_text(edition.get("link") or edition.get("website")),
            language=self.settings.language or "en",
            summary=one_line(" ".join(t for t in (name, _text(edition.get("note"))) if t)),
            categories=_areas(record),
            licence=self.settings.licence,
            conference=Conference(name=name or title, start=start, end=end, place=place,
                                  deadline=deadline),
            retrieved=now,
        )  # fmt: skip


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _areas(record: dict[str, Any]) -> tuple[str, ...]:
    areas = record.get("sub") or record.get("tags") or ()
    named = [areas] if isinstance(areas, str) else [str(a) for a in areas]
    rank = record.get("rank")
    ranks = [f"{k.upper()} {v}" for k, v in rank.items()] if isinstance(rank, dict) else []
    return tuple(named + ranks)


def _days(edition: dict[str, Any], year: str) -> tuple[date | None, date | None]:
    start, end = (_day(edition.get(name)) for name in ("start", "end"))
    if start:
        return start, end or start
    return parse_span(_text(edition.get("date")), int(year) if year.isdigit() else None)


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    found = parse_deadline(_text(value))
    return found.value.date() if found and found.precision == "day" else None


def parse_span(text: str, year: int | None = None) -> tuple[date | None, date | None]:
    """The days of a meeting: `June 14-19, 2020`, `30 May – 5 June 2020`, `2020-06-14`.

    A span into January ends in the next year. What cannot be read gives None, never a guess.
    """
    numeric = [_make(int(y), int(m), int(d)) for y, m, d in _NUMERIC.findall(text)]
    if numeric and all(numeric):
        return numeric[0], numeric[-1]
    found = _YEAR.search(text)
    known = int(found.group(1)) if found else year
    if known is None:
        return None, None
    if match := _DAY_FIRST.search(text):
        first, first_month, last, last_month = match.groups()
        return _span(known, first_month or last_month, first, last_month, last)
    if match := _MONTH_FIRST.search(text):
        first_month, first, last_month, last = match.groups()
        return _span(known, first_month, first, last_month or first_month, last or first)
    return None, None


def _span(
    year: int, first_month: str, first: str, last_month: str, last: str
) -> tuple[date | None, date | None]:
    start = _make(year, _MONTHS[first_month.lower()[:3]], int(first))
    end = _make(year, _MONTHS[last_month.lower()[:3]], int(last))
    if start and end and end < start:
        end = _make(year + 1, end.month, end.day) if end.month < start.month else None
    return start, end or start


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next_deadline(edition: dict[str, Any], now: datetime) -> PartialDate | None:
    """The first one still to come, else the last; `TBD` is none."""
    zone = _text(edition.get("timezone"))
    rounds = edition.get("timeline")
    texts = [edition.get("deadline")]
    if isinstance(rounds, list):
        texts += [r.get("deadline") for r in rounds if isinstance(r, dict)]
    listed = edition.get("deadlines")
    if isinstance(listed, list):
        texts += [d.get("date") for d in listed if isinstance(d, dict)
                  and d.get("type") in ("paper", "submission", None)]  # fmt: skip
    found = [p for p in (parse_deadline(_text(t), zone) for t in texts) if p]
    found.sort(key=lambda p: p.value)
    return next((p for p in found if p.value >= now), found[-1] if found else None)


def _is_over(entry: Entry, now: datetime) -> bool:
    meeting = entry.conference
    last = meeting.end or meeting.start if meeting else None
    return last is not None and last < now.date()


def _by_start(entry: Entry) -> tuple[date, str]:
    meeting = entry.conference
    return (meeting.start if meeting and meeting.start else date.max), entry.entry_id
