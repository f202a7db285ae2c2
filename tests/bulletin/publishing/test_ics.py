import dataclasses
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.model import Conference, PartialDate
from kuaibao.bulletin.publishing import render
from kuaibao.bulletin.publishing.ics import _fold

UTC = UTC


def events_of(issue):
    calendar = icalendar.Calendar.from_ical(render(issue, ["ics"])[0]["ics"])
    return calendar.walk("VEVENT")


def with_meeting(issue, **values):
    section = issue.sections[-1]
    entry = section.items[0].item.lead
    entry = dataclasses.replace(entry, conference=Conference(name="Meeting", **values))
    item = dataclasses.replace(
        section.items[0], item=dataclasses.replace(section.items[0].item, entries=(entry,))
    )
    return dataclasses.replace(
        issue, sections=(dataclasses.replace(section, items=(item,)),), language="en"
    )


def test_days_stay_days_and_the_last_day_is_inside(english_issue):
    meeting, deadline, *_ = events_of(english_issue)
    assert meeting.decoded("DTSTART") == date(2020, 11, 30)
    assert meeting.decoded("DTEND") == date(2020, 12, 2)
    assert str(meeting["LOCATION"]) == "Kyoto, Japan (online)"
    assert str(meeting["URL"]) == "https://icadl.example.org/2020"
    assert str(deadline["SUMMARY"]) == "Deadline: ICADL 2020"


def test_anywhere_on_earth_is_given_in_utc_and_in_words(english_issue):
    deadline = events_of(english_issue)[1]
    assert deadline.decoded("DTSTART") == datetime(2020, 7, 11, 11, 59, tzinfo=UTC)
    assert "10 July 2020, 23:59 AoE" in str(deadline["DESCRIPTION"])


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        (PartialDate(value=datetime(2020, 7, 1, tzinfo=UTC), precision="day"), date(2020, 7, 1)),
        (PartialDate(value=datetime(2020, 7, 1, tzinfo=UTC), precision="day", zone="AoE"), date(2020, 7, 1)),
        (PartialDate(value=datetime(2020, 6, 30, 16, tzinfo=UTC), precision="minute", zone="+08:00"), datetime(2020, 6, 30, 16, tzinfo=UTC)),
        (PartialDate(value=datetime(2020, 7, 1, 21, 59, tzinfo=UTC), precision="minute", zone="Europe/Berlin"), datetime(2020, 7, 1, 21, 59, tzinfo=UTC)),
        (PartialDate(value=datetime(2020, 7, 1, 23, 59, tzinfo=UTC), precision="minute", zone=""), date(2020, 7, 1)),
        (PartialDate(value=datetime(2020, 7, 1, 23, 59, tzinfo=UTC), precision="minute", zone="PST?"), date(2020, 7, 1)),
        (PartialDate(value=datetime(2020, 7, 1, 23, 59), precision="minute", zone="UTC"), date(2020, 7, 1)),
    ],
)  # fmt: skip
def test_an_hour_is_never_invented(english_issue, moment, start):
    (event,) = events_of(with_meeting(english_issue, deadline=moment))
    assert event.decoded("DTSTART") == start


@pytest.mark.parametrize("precision", ["month", "year"])
def test_a_deadline_known_only_to_the_month_makes_no_event(english_issue, precision):
    moment = PartialDate(value=datetime(2020, 7, 1, tzinfo=UTC), precision=precision)
    assert events_of(with_meeting(english_issue, deadline=moment)) == []
    (event,) = events_of(with_meeting(english_issue, deadline=moment, start=date(2020, 9, 1)))
    assert "2020" in str(event["DESCRIPTION"])


@given(
    start=st.none() | st.dates(),
    length=st.integers(0, 400),
    value=st.datetimes(timezones=st.just(UTC)),
    precision=st.sampled_from(["second", "minute", "day", "month", "year"]),
    zone=st.sampled_from(["", "UTC", "AoE", "+08:00", "-23:59", "+99:99", "Asia/Shanghai", "../x"]),
)
def test_any_dates_give_a_calendar_that_can_be_read(
    english_issue, start, length, value, precision, zone
):
    end = start + timedelta(min(length, (date.max - start).days)) if start else None
    moment = PartialDate(value=value, precision=precision, zone=zone)
    for event in events_of(with_meeting(english_issue, start=start, end=end, deadline=moment)):
        assert event.decoded("DTSTART")


def test_a_new_build_does_not_make_new_events(english_issue):
    again = dataclasses.replace(english_issue, number=7, day=date(2020, 7, 25))
    assert [e["UID"] for e in events_of(english_issue)] == [e["UID"] for e in events_of(again)]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_lines_are_folded_at_75_octets_and_unfold_to_themselves(text):
    folded = _fold("SUMMARY:" + text)
    assert all(len(line.encode()) <= 75 for line in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == "SUMMARY:" + text
