"""Any text in any field: no format breaks, nothing from outside becomes markup."""

import dataclasses
import email
import email.policy
import io
import json
import re
import zipfile
from datetime import date, datetime

import bibtexparser
import feedparser
import icalendar
import lxml.etree as etree
import lxml.html
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kuaibao.bulletin.publishing import make_view, render
from kuaibao.bulletin.publishing.cleaning import clean_line
from kuaibao.bulletin.publishing.page import render_page

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></script><svg onload=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "]]>&lt;![CDATA[<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "{{ 7*7 }}{% raw %}${7*7}",
    '#read("/etc/passwd") #eval("1") $x$ *b* @ref <label> // /* */ \\u{41} = head',
    "Subject: x\r\nBcc: victim@example.org\r\n\r\nbody",
    "x\nBEGIN:VEVENT\nSUMMARY:evil\nEND:VEVENT\\;,\r\nATTACH:file:///etc/passwd",
    "}} } @article{evil, title={x}} \\input{/etc/passwd} %",
    "\x00\x01\x08\x0b\x0c\x1f\x7f\x85\ufffe\uffff\ud800\udfff",
    "\u202eabc\u2066def\u2069\u200b\ufeff\u2028\u2029",
    "快报“引号”，《书名》——省略……" * 3,
    "😀👩‍👩‍👧 עברית हिन्दी \U00010fff\u0378\U000e0041",
    "[link](javascript:alert(1)) ![img](https://example.org/x.png) <https://example.org>",
    "```penrose\nx\n```\n\n# one\n#### four\n\n> > > q\n\n| a |\n|---|\n| b | c |",
    "=?utf-8?q?=0ABcc:_x@example.org?=",
    "a@b.example, c@d.example <e@f.example>",
    "https://example.org/\" onmouseover=\"alert(1)'`{}\\^|<>",
    "  ",
    "-- \n.\r\n.\r\nQUIT",
]  # fmt: skip

hostile = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(st.characters(), max_size=60),
    st.text(st.sampled_from("{}\\$%&#_^~\"'<>@,;:=\r\n\t-*`[]()|/.中。“ a\u0301\U0001f600"), max_size=60),
)  # fmt: skip

KEPT = {"kind", "precision", "role", "language", "section", "content_hash"}


def poisoned(value, text):
    """The same value with every free string replaced."""
    if dataclasses.is_dataclass(value):
        changed = {
            f.name: getattr(value, f.name)
            if f.name in KEPT
            else poisoned(getattr(value, f.name), text)
            for f in dataclasses.fields(value)
        }
        return type(value)(**changed)
    if isinstance(value, tuple):
        return tuple(poisoned(part, text) for part in value)
    if isinstance(value, date | datetime) or not isinstance(value, str):
        return value
    return text


TEXT_FORMATS = ("epub", "atom", "rss", "json_feed", "ics", "bibtex", "ris", "mail", "html", "json")
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "List-ID", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Auto-Submitted", "Precedence", "MIME-Version", "Content-Type",
}  # fmt: skip
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_every_field_stays_text_in_every_format(
    english_issue, chinese_issue, language, payload
):
    issue = poisoned(english_issue if language == "en" else chinese_issue, payload)
    check_every_format(issue)


@given(text=hostile)
@settings(max_examples=40)
@example(text="\r")
def test_any_text_in_every_field_stays_text_in_every_format(english_issue, text):
    check_every_format(poisoned(english_issue, text))


def check_every_format(issue):
    rendered, notices = render(issue, TEXT_FORMATS)
    assert notices == ()
    check_page(rendered["html"].decode("utf-8"), issue)
    check_epub(rendered["epub"])
    check_feeds(rendered, issue)
    check_calendar(rendered["ics"])
    check_bibliography(rendered["bibtex"])
    check_references(rendered["ris"])
    check_mail(rendered["mail"])
    assert json.loads(rendered["json"])["number"] == issue.number


def check_page(html, issue):
    page = lxml.html.document_fromstring(html.encode("utf-8"), parser=lxml.html.HTMLParser(encoding="utf-8"))  # fmt: skip
    clean = lxml.html.document_fromstring(render_page(make_view(dataclasses.replace(issue, sections=(), highlights=()))).encode("utf-8"))  # fmt: skip
    assert len(page.findall(".//script")) == len(clean.findall(".//script")) == 2
    assert len(page.findall(".//style")) == 1
    assert not page.xpath("//iframe|//object|//embed|//base|//link[@rel='stylesheet']")
    for element in page.iter(etree.Element):
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), (element.tag, name)
            assert name != "style"
            if name in {"href", "src", "action"}:
                assert re.match(r"(https?://|#|data:image/|[a-z]+\.(html|pdf|epub|xml|rss|json|ics|bib|ris)$)", value), value  # fmt: skip
    assert "�" not in html


def check_epub(data):
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert book.testzip() is None
        assert book.namelist()[0] == "mimetype"
        for name in book.namelist():
            if name.endswith((".xhtml", ".opf", ".svg")):
                tree = etree.fromstring(book.read(name))
                assert not list(tree.iter(f"{XHTML}script", f"{XHTML}iframe"))


def check_feeds(rendered, issue):
    n_item = sum(len(section.items) for section in issue.sections)
    for name in ("atom", "rss"):
        etree.fromstring(rendered[name])
        parsed = feedparser.parse(rendered[name])
        assert not parsed.bozo, parsed.get("bozo_exception")
        assert len(parsed.entries) == n_item
    assert len(json.loads(rendered["json_feed"])["items"]) == n_item


def check_calendar(data):
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")
    calendar = icalendar.Calendar.from_ical(data)
    events = calendar.walk("VEVENT")
    assert len(events) == 4
    for event in events:
        assert set(event) <= {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", "URL", "TRANSP"}  # fmt: skip


def check_bibliography(data):
    text = data.decode("utf-8")
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks
    assert len(library.entries) == 1
    assert text.count("{") == text.count("}")
    assert not re.search(r"\\(input|include|write)\b", text)


def check_references(data):
    lines = [line for line in data.decode("utf-8").split("\r\n") if line]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - [^\r\n]*", line) for line in lines)
    assert [line[:2] for line in lines if line[:2] in ("TY", "ER")] == ["TY", "ER"]


def check_mail(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert set(message.keys()) == HEADERS
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    page = lxml.html.document_fromstring(html.get_content())
    assert not page.xpath("//script|//iframe|//img|//link|//@*[starts-with(name(), 'on')]")


@given(text=hostile)
def test_cleaned_text_can_stand_in_xml_1_0(text):
    element = etree.Element("a")
    element.text = clean_line(text)
    assert etree.fromstring(etree.tostring(element)).text in (element.text, None)
