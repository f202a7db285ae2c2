"""Files and mails that are made to stall their parsers: what is beyond the bounds is not read."""

from datetime import UTC, datetime

import pytest

from kuaibao.bulletin.sources.bibliography import MAX_RECORDS, read_bibtex, read_ris
from kuaibao.bulletin.sources.documents import read_document, text_of
from kuaibao.bulletin.sources.feeds.relative import resolve_markup
from kuaibao.bulletin.sources.mailbox import MailboxSettings, entry_of_mail
from kuaibao.bulletin.sources.protocol import SourceSettings
from kuaibao.errors import InputError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MAILBOX = MailboxSettings(path="x")


def test_a_bibliography_of_records_left_open_is_cut():
    good = "@article{first, title={One}}\n"
    found = read_bibtex(good + "@article{" * 500_000, "s", SourceSettings(), NOW)
    assert [e.title for e in found] == ["One"]


def test_so_many_records_are_read_and_no_more():
    text = "".join(f"TY  - JOUR\nTI  - t{n}\nER  - \n" for n in range(MAX_RECORDS + 5))
    assert len(read_ris(text, "s", SourceSettings(), NOW)) == MAX_RECORDS


def test_a_value_of_a_million_lines_is_one_value():
    text = "TY  - JOUR\nTI  - begin\n" + "on\n" * 1_000_000 + "AU  - Lee, Ann\nER  - \n"
    (entry,) = read_ris(text, "s", SourceSettings(), NOW)
    assert entry.title.startswith("begin on on")
    assert entry.authors == ("Ann Lee",)


def test_the_last_record_needs_no_end():
    (entry,) = read_ris("TY  - JOUR\nTI  - begun\n  and continued", "s", SourceSettings(), NOW)
    assert entry.title == "begun and continued"


@pytest.mark.parametrize(
    "head", [b"From: " + b"a@b.org, " * 100_000, b"Subject: " + b"=?utf-8?q?a?= " * 100_000]
)
def test_a_mail_with_endless_headers_is_passed_over(head):
    assert entry_of_mail(head + b"\n\nbody", "s", MAILBOX) is None


def test_of_a_mail_of_endless_parts_the_first_are_read():
    head = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    first = b"--b\nContent-Type: text/plain\n\nThe first part.\n"
    entry = entry_of_mail(
        head + first + b"--b\nContent-Type: text/plain\n\nx\n" * 100_000, "s", MAILBOX
    )
    assert entry is not None
    assert entry.content == "The first part."


def test_a_part_with_endless_parameters_stalls_nothing():
    head = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    long = b"--b\nContent-Type: text/plain" + b"; a=b" * 40_000 + b"\n\nfirst\n"
    entry = entry_of_mail(
        head + long + b"--b\nContent-Type: text/plain\n\nseen\n--b--\n", "s", MAILBOX
    )
    assert entry is not None
    assert entry.content == "first"


@pytest.mark.parametrize(
    "markup",
    ["<a " * 300_000, "<a href=" * 200_000, "=" * 500_000, "<a " + "a" * 300_000 + " " * 300_000 + "href=x>",
     '<a "' * 200_000, "<a href='x" * 100_000, "<img src=x " + "y " * 300_000 + ">"],
)  # fmt: skip
def test_hostile_markup_is_resolved_in_linear_time(markup):
    assert len(resolve_markup(markup, "http://e.org/")) >= len(markup)


@pytest.mark.parametrize(
    "data",
    [b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500),
     b"PK\x03\x04" + bytes(range(256)) * 8],
)  # fmt: skip
def test_what_is_no_text_is_refused(data):
    with pytest.raises(InputError, match="no text"):
        text_of(data)
    with pytest.raises(InputError, match="no text"):
        read_document(data, ".md")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-8-sig", "big5"])
def test_text_in_any_encoding_is_text(encoding):
    text = "开放获取的图书馆教育数据与研究方法。" * 8
    assert (
        "开放" in text_of(text.encode(encoding))
        if encoding != "big5"
        else text_of("圖書館的研究與資料".encode(encoding) * 8)
    )
