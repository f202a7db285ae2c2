"""The conferences as a calendar (RFC 5545).

What the source gave as a day stays a day. A deadline with a time is written in UTC, with its own
clock in the description; a time without a zone is no moment at all, so its day is given and the
time only said in words. Deadlines known only to the month make no event.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta

from kuaibao.bulletin.model import Conference, Issue, IssueItem, PartialDate
from kuaibao.bulletin.publishing.catalogue import find_zone, local_time
from kuaibao.bulletin.publishing.cleaning import clean_line, safe_url
from kuaibao.bulletin.publishing.identity import urn
from kuaibao.bulletin.publishing.view import IssueView

__all__ = ["render_ics"]

_MAX_OCTETS = 75  # of a content line, without its line break (section 3.1)


def render_ics(issue: Issue, view: IssueView) -> bytes:
    """The calendar: an event for each meeting and one for each deadline."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kuaibao//Bulletin//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(view.series)} {_text(view.number)}",
    ]
    stamp = f"DTSTAMP:{issue.day:%Y%m%d}T000000Z".replace(" ", "0")
    for section in issue.sections:
        for item in section.items:
            if item.item.lead.conference:
                lines += _events(item, item.item.lead.conference, view, stamp)
    lines.append("END:VCALENDAR")
    return "".join(_fold(line) + "\r\n" for line in lines).encode("utf-8")


def _events(item: IssueItem, meeting: Conference, view: IssueView, stamp: str) -> Iterator[str]:
    title = clean_line(item.draft.title) or clean_line(item.item.lead.title)
    name = clean_line(meeting.name) or title
    place, url = clean_line(meeting.place), safe_url(item.item.lead.url)
    key = (url or name, str(meeting.start))
    start, end = meeting.start or meeting.end, meeting.end or meeting.start
    deadline, said = meeting.deadline, ""
    if deadline:
        word = view.words.word
        said = word("conference.deadline") + word("punctuation.colon")
        said += view.words.moment(deadline, with_time=True)
    if start and end:
        yield from _event(
            urn("conference", *key), stamp, _days(min(start, end), max(start, end)), name,
            [title, said], place=place, url=url,
        )  # fmt: skip
    if deadline and (times := _deadline_times(deadline)):
        summary = view.words.word("conference.deadline_event", name=name)
        yield from _event(urn("deadline", *key), stamp, times, summary, [title, said], url=url)


def _event(
    identifier: str,
    stamp: str,
    times: list[str],
    summary: str,
    description: list[str],
    *,
    place: str = "",
    url: str = "",
) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{identifier.removeprefix('urn:uuid:')}@kuaibao"
    yield stamp
    yield from times
    yield f"SUMMARY:{_text(summary)}"
    if place:
        yield f"LOCATION:{_text(place)}"
    if words := [line for line in description if line]:
        yield "DESCRIPTION:" + _text("\n".join(words))
    if url:
        yield f"URL:{url}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _days(first: date, last: date) -> list[str]:
    """All-day; DTEND is the day after the last (section 3.6.1)."""
    lines = [f"DTSTART;VALUE=DATE:{_day(first)}"]
    if last < date.max:
        lines.append(f"DTEND;VALUE=DATE:{_day(last + timedelta(days=1))}")
    return lines


def _deadline_times(deadline: PartialDate) -> list[str]:
    if deadline.precision in {"year", "month"}:
        return []
    has_time = deadline.precision in {"second", "minute"} and deadline.value.tzinfo is not None
    if has_time and find_zone(deadline.zone):
        value = deadline.value.astimezone(UTC)
        return [f"DTSTART:{_day(value.date())}T{value:%H%M%S}Z"]
    day = local_time(deadline).date()
    return _days(day, day)


def _day(day: date) -> str:
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _text(value: str) -> str:
    """A TEXT value (section 3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _fold(line: str) -> str:
    """Lines of at most 75 octets, never cut inside a character."""
    folded: list[str] = []
    current, size = "", 0
    for character in line:
        width = len(character.encode("utf-8"))
        if size + width > _MAX_OCTETS:
            folded.append(current)
            current, size = " ", 1
        current += character
        size += width
    return "\r\n".join([*folded, current])
