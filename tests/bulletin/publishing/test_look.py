"""A series has its own colour in every form, readable on paper and in the dark."""

import dataclasses
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.publishing import DEFAULT_ACCENT, Look, make_view, render
from kuaibao.bulletin.publishing.look import contrast
from kuaibao.bulletin.publishing.pdf import render_pdf
from kuaibao.errors import InputError

BLUE = "#1f4e79"


def test_the_ratios_of_the_standard_come_out():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.592, abs=0.001)


def test_page_book_and_mail_wear_the_colour_and_say_the_same(english_issue):
    forms, _ = render(english_issue, ("html", "epub", "mail", "json"), look=Look.of(BLUE))
    plain, _ = render(english_issue, ("html", "epub", "mail", "json"))
    page = forms["html"].decode("utf-8")
    assert f":root {{ --red: {BLUE};" in page
    assert forms["json"] == plain["json"]
    book = zipfile.ZipFile(io.BytesIO(forms["epub"]))
    for name in ("EPUB/style.css", "EPUB/cover.svg"):
        text = book.read(name).decode("utf-8")
        assert BLUE in text
        assert DEFAULT_ACCENT not in text
    letter = forms["mail"].replace(b"=\r\n", b"").decode("utf-8")
    assert BLUE in letter
    assert DEFAULT_ACCENT not in letter


def test_the_pdf_wears_it_too(english_issue):
    issue = dataclasses.replace(english_issue, sections=english_issue.sections[3:4])
    assert render_pdf(make_view(issue, Look.of(BLUE))) != render_pdf(make_view(issue))


@pytest.mark.parametrize("wrong", ["blue", "#12", "#1f4e7g", "red;}", "#ffcc00", "#ffffff"])
def test_what_is_no_colour_or_cannot_be_read_is_refused(wrong):
    with pytest.raises(InputError):
        Look.of(wrong)


@given(st.integers(0, 0xFFFFFF))
def test_every_colour_that_is_taken_can_be_read_by_day_and_by_night(number):
    try:
        look = Look.of(f"#{number:06x}")
    except InputError:
        return
    assert contrast(look.accent, "#fbf9f4") >= 4.5
    assert contrast(look.on_dark, "#15161a") >= 4.5


def test_the_house_keeps_its_own(english_issue):
    assert Look.of("") == Look.of(DEFAULT_ACCENT) == Look()
    assert Look().page_rules() == ""
