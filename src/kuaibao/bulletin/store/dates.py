"""What a date of limited precision can mean."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from kuaibao.bulletin.model import Entry, PartialDate

__all__ = ["day_range", "days_before", "last_day"]


def day_range(moment: PartialDate) -> tuple[date, date]:
    """The first and the last calendar day that `moment` can mean."""
    day = moment.day
    if moment.precision == "year":
        return day.replace(month=1, day=1), day.replace(month=12, day=31)
    if moment.precision == "month":
        last = calendar.monthrange(day.year, day.month)[1]
        return day.replace(day=1), day.replace(day=last)
    return day, day


def last_day(entry: Entry) -> str | None:
    """ISO text of the last day on which the entry is news; None if it gives no date.

    A meeting is news until it ends, or until its deadline where no dates are given.
    """
    days: list[date] = []
    if entry.conference:
        meeting = entry.conference
        deadline = meeting.deadline.day if meeting.deadline else None
        days = [d for d in (meeting.end, meeting.start, deadline) if d]
    elif moment := entry.published or entry.updated:
        days = [day_range(moment)[1]]
    return max(days).isoformat() if days else None


def days_before(day: date, n_day: int) -> date:
    """`n_day` before `day`, or the first day there is."""
    try:
        return day - timedelta(days=n_day)
    except OverflowError:
        return date.min
