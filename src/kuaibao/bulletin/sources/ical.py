"""Kind `ical`: conferences (or other events) from an iCalendar file or address (RFC 5545)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import model_validator
from pydantic.dataclasses import dataclass as settings_dataclass

from kuaibao.bulletin.model import Conference, Entry, PartialDate
from kuaibao.bulletin.sources.asking import LayoutError, ask, conclude, guarded
from kuaibao.bulletin.sources.deadlines import deadline_in
from kuaibao.bulletin.sources.feeds.decoding import decode
from kuaibao.bulletin.sources.files import read_bytes
from kuaibao.bulletin.sources.markup import one_line, plain_text
from kuaibao.bulletin.sources.protocol import (
    SETTINGS_CONFIG,
    SourceContext,
    SourceResult,
    SourceSettings,
)

__all__ = ["CalendarSettings", "CalendarSource", "events_in"]

MAX_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 5000
MAX_PROPERTIES = 200_000


@settings_dataclass(frozen=True, kw_only=True, config=SETTINGS_CONFIG)
class CalendarSettings(SourceSettings):
    """Either an address or a file."""

    url: str = ""
    """http(s) or webcal address of the calendar."""
    path: str = ""
    """A calendar file, from the folder of bulletin.toml."""
    upcoming_days: int = 0
    """Only events that end after today and begin within so many days; 0: all."""

    @model_validator(mode="after")
    def _one_place(self) -> CalendarSettings:
        if bool(self.url) == bool(self.path):
            raise ValueError("give either url or path")
        return self


@dataclass(frozen=True)
class CalendarSource:
    """A calendar."""

    source_id: str
    settings: CalendarSettings
    base_dir: Path = Path()

    kind: ClassVar[str] = "ical"
    settings_type: ClassVar[type[CalendarSettings]] = CalendarSettings

    def fetch(self, context: SourceContext) -> SourceResult:
        """Read all events."""
        return guarded(context, self._fetch)

    def _fetch(self, context: SourceContext) -> SourceResult:
        if self.settings.path:
            state = dict(context.state)
            data, content_type = read_bytes(self.base_dir / self.settings.path, MAX_BYTES), ""
        else:
            url = self.settings.url
            url = "https:" + url.removeprefix("webcal:") if url.startswith("webcal:") else url
            answer, state = ask(context, url, max_bytes=MAX_BYTES)
            if answer.is_unchanged:
                return conclude(context, (), state, message="unchanged (304)")
            data, content_type = answer.body, answer.content_type
        entries, problems = events_in(
            decode(data, content_type).text, self.source_id, self.settings, context.now
        )
        if self.settings.upcoming_days:
            entries = [e for e in entries if self._is_upcoming(e, context.now.date())]
        return conclude(context, tuple(entries[: self.settings.limit]), state, tuple(problems))

    def _is_upcoming(self, entry: Entry, today: date) -> bool:
        meeting = entry.conference
        if meeting is None or meeting.start is None:
            return True
        last = meeting.end or meeting.start
        return last >= today and meeting.start <= today + timedelta(self.settings.upcoming_days)


def events_in(
    text: str, source_id: str, settings: SourceSettings, now: datetime
) -> tuple[list[Entry], list[str]]:
    """The events of a calendar as entries, and what was wrong with it.

    Raises:
        LayoutError: It is no calendar.
    """
    import icalendar

    if "BEGIN:VCALENDAR" not in text[:5000].upper():
        raise LayoutError("this is no calendar (no BEGIN:VCALENDAR)")
    if text.count("\n") > MAX_PROPERTIES:
        raise LayoutError(f"a calendar of more than {MAX_PROPERTIES} lines is not read")
    problems: list[str] = []
    entries: dict[str, Entry] = {}
    for calendar in icalendar.Calendar.from_ical(text, multiple=True):
        for component in calendar.walk():
            if component.name not in ("VEVENT", "VTODO"):
                continue
            if len(entries) >= MAX_EVENTS:
                problems.append(f"only the first {MAX_EVENTS} events were read")
                return list(entries.values()), problems
            entry = _entry(component, source_id, settings, now)
            entries.setdefault(entry.entry_id, entry)
            problems += [f"{name}: {error}" for name, error in component.errors][:3]
    return list(entries.values()), problems


def _entry(event: Any, source_id: str, settings: SourceSettings, now: datetime) -> Entry:
    name = one_line(str(event.get("SUMMARY", "")))
    description = plain_text(str(event.get("DESCRIPTION", "")))
    start, end = _day(event, "DTSTART"), _day(event, "DTEND")
    if end and end != start and not _has_hour(event, "DTEND"):
        end -= timedelta(days=1)  # the end of a whole-day event is the first day after it
    place = one_line(str(event.get("LOCATION", "")))
    deadline = _moment(event, "DUE") or deadline_in(description)
    uid = str(event.get("UID", "")) or f"{name} {start}"
    recurrence = str((event.get("RECURRENCE-ID", "") and start) or "")
    return Entry(
        source_id=source_id,
        entry_id=f"{uid} {recurrence}".strip(),
        kind=settings.item_kind or "conference",
        title=name,
        url=str(event.get("URL", "")),
        updated=_moment(event, "LAST-MODIFIED"),
        language=settings.language,
        summary=description,
        categories=_categories(event),
        licence=settings.licence,
        conference=Conference(name=name, start=start, end=end or start, place=place,
                              deadline=deadline),
        retrieved=now,
    )  # fmt: skip


def _value(event: Any, name: str) -> date | datetime | None:
    found = event.get(name)
    value = getattr(found, "dt", None)
    return value if isinstance(value, date) else None


def _has_hour(event: Any, name: str) -> bool:
    return isinstance(_value(event, name), datetime)


def _day(event: Any, name: str) -> date | None:
    """The calendar day where the event takes place: the zone is not changed."""
    value = _value(event, name)
    return value.date() if isinstance(value, datetime) else value


def _moment(event: Any, name: str) -> PartialDate | None:
    value = _value(event, name)
    if value is None:
        return None
    if not isinstance(value, datetime):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return PartialDate(value=midnight, precision="day", zone="")
    if value.tzinfo is None:
        return PartialDate(value=value.replace(tzinfo=UTC), zone="")
    return PartialDate(value=value.astimezone(UTC), zone=value.tzname() or "UTC")


def _categories(event: Any) -> tuple[str, ...]:
    found = event.get("CATEGORIES")
    groups = found if isinstance(found, list) else [found] if found is not None else []
    return tuple(
        one_line(str(name)) for group in groups for name in getattr(group, "cats", []) if str(name)
    )
