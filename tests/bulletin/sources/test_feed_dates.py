"""Dates of feeds: what is read without taking the text apart is what it says, digit by digit."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.sources.feeds import dates

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clock(moment):
    return f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"


def _rfc822(moment, zone):
    day = f"{DAYS[moment.weekday()]}, {moment.day:02} {MONTHS[moment.month - 1]} {moment.year:04}"
    return f"{day} {_clock(moment)} {zone}"


def _rfc3339(moment):
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{_clock(moment)}Z"


zones = st.builds(
    lambda sign, hours, minutes: (f"{sign}{hours:02}{minutes:02}",
                                  timezone(timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1))),
    st.sampled_from("+-"), st.integers(0, 14), st.integers(0, 59),
)  # fmt: skip
moments = st.datetimes().map(lambda moment: moment.replace(microsecond=0))


@given(moments)
def test_a_moment_in_utc_is_read_as_it_was_written(moment):
    expected = moment.replace(tzinfo=UTC)
    assert dates.parse_date(_rfc822(moment, "GMT")) == expected
    assert dates.parse_date(_rfc3339(moment)) == expected


@given(moments.filter(lambda moment: 1 < moment.year < 9999), zones)
def test_a_moment_in_another_zone_is_given_in_utc(moment, zone):
    name, offset = zone
    found = dates.parse_date(_rfc822(moment, name))
    assert found == moment.replace(tzinfo=offset)
    assert found.tzinfo is UTC


@given(
    st.builds(lambda moment, zone: (_rfc822(moment, zone), _rfc3339(moment)), moments,
              st.sampled_from(["GMT", "+0000", "-0830"])),
    st.data(),
)  # fmt: skip
def test_a_date_with_a_slip_is_read_as_if_it_were_taken_apart(texts, data):
    text = data.draw(st.sampled_from(texts))
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 2))
    slip = data.draw(st.text("0123456789-+:,. TZWGMJan\u0663", max_size=2))
    slipped = text[:at] + slip + text[at + length :]
    assert dates.parse_date(slipped) == dates._parse_common(slipped)


@pytest.mark.parametrize(
    "text",
    ["2020-W25-3T08:30:00Z", "20200617T08:30:00.0Z", "2020-06-17T083000.0Z", "2020-06-17 08:30:00Z",
     "2020-06-1\u0667T08:30:00Z", "Wed, 17 Jun 2020 083000.0 GMT", "Wed, 17 Xyz 2020 08:30:00 GMT",
     "Wed, 31 Jun 2020 08:30:00 GMT", "Xed, 17 Jun 2020 08:30:00 GMT", "Wed, 17 Jun 2020 08:30:00 +9900"],
)  # fmt: skip
def test_a_form_that_python_alone_would_take_goes_to_the_other_readers(text):
    assert dates.parse_date(text) == dates._parse_common(text)
