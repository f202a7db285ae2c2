import asyncio
import dataclasses
import email
import email.policy
import re
import socket

import lxml.html
import pytest
from aiosmtpd.controller import Controller

from kuaibao.bulletin.publishing import (
    DeliveryError,
    Envelope,
    PublishingError,
    SmtpServer,
    make_mail,
    make_view,
    send_mail,
    send_mail_async,
)

ENVELOPE = Envelope(
    sender="Bulletin <bulletin@example.org>",
    recipient="Zoë 读者 <reader@example.net>",
    unsubscribe_url="https://bulletin.example.org/leave/abc123",
)


class Mailbox:
    """A mail server's handler that keeps what it took."""

    def __init__(self, refuse=""):
        self.taken = []
        self.refuse = refuse

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == self.refuse:
            return "550 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def smtp():
    running = []

    def start(**settings):
        mailbox = Mailbox(**settings)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60)
        controller.start()
        running.append(controller)
        return mailbox, SmtpServer(host="127.0.0.1", port=port, security="none", timeout_s=60)

    yield start
    for controller in running:
        controller.stop()


def read(data):
    return email.message_from_bytes(data, policy=email.policy.default)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_message_arrives_whole_at_a_real_server(smtp, english_issue, chinese_issue, language):
    issue = english_issue if language == "en" else chinese_issue
    mailbox, server = smtp()
    message = make_mail(issue, make_view(issue), ENVELOPE)
    assert send_mail(message, server) == ("reader@example.net",)
    ((sender, recipients, data),) = mailbox.taken
    assert (sender, recipients) == ("bulletin@example.org", ["reader@example.net"])
    received = read(data)
    assert (
        received["Subject"]
        == {
            "en": "Research Scan Bulletin, 2020, No. 6 (No. 66 in all)",
            "zh": "跟踪扫描动态快报 2020年第6期（总第66期）",
        }[language]
    )
    assert received["To"] == "Zoë 读者 <reader@example.net>"
    plain, html = received.iter_parts()
    for part, kind in ((plain, "text/plain"), (html, "text/html")):
        assert part.get_content_type() == kind
        for title in (item.draft.title for section in issue.sections for item in section.items):
            content = re.sub(r"\s+", "", part.get_content().replace("&#39;", "'"))
            assert re.sub(r"\s+", "", title) in content


def test_headers_are_ascii_on_the_wire_and_lines_are_short(chinese_issue):
    data = make_mail(chinese_issue, make_view(chinese_issue), ENVELOPE).as_bytes()
    assert data.isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert b"Subject: =?utf-8?" in data


def test_one_click_leaving_follows_rfc_8058(english_issue):
    message = read(make_mail(english_issue, make_view(english_issue), ENVELOPE).as_bytes())
    assert message["List-Unsubscribe"].replace("\r\n", "") == (
        "<https://bulletin.example.org/leave/abc123>, "
        "<mailto:bulletin@example.org?subject=unsubscribe>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    _, html = message.iter_parts()
    assert ENVELOPE.unsubscribe_url in html.get_content()


def test_html_styles_are_inline_and_nothing_is_fetched(chinese_issue):
    message = read(make_mail(chinese_issue, make_view(chinese_issue), ENVELOPE).as_bytes())
    _, html = message.iter_parts()
    page = lxml.html.document_fromstring(html.get_content())
    assert not page.xpath("//style|//link|//script|//img|//*[@background]")
    assert "color" in page.find(".//h1").get("style")
    assert page.get("lang") == "zh-CN"


def test_the_plain_text_reads_well(chinese_issue):
    message = read(make_mail(chinese_issue, make_view(chinese_issue), ENVELOPE).as_bytes())
    text = next(message.iter_parts()).get_content().replace("\r\n", "\n")
    assert text.startswith(
        "跟踪扫描动态快报\n人工智能与图书馆专辑\n2020年第6期（总第66期）  2020年6月25日"
    )
    assert "创新点：遮盖整句而不是单词" in text
    assert "（张梦婷 编译，李朝安 校对）" in text
    assert "退订：https://bulletin.example.org/leave/abc123" in text
    assert "- 同一种结构可以处理两类数据；" in text
    wide = [line for line in text.split("\n") if "http" not in line and sum(2 if ord(c) > 0x2E80 else 1 for c in line) > 74]  # fmt: skip
    assert wide == []


def test_a_message_with_placeholder_addresses_is_not_sent(smtp, english_issue):
    mailbox, server = smtp()
    with pytest.raises(DeliveryError, match=r"readers@kuaibao\.invalid"):
        send_mail(make_mail(english_issue, make_view(english_issue)), server)
    assert mailbox.taken == []


def test_a_refused_recipient_and_an_unreachable_server_are_errors_in_words(smtp, english_issue):
    mailbox, server = smtp(refuse="reader@example.net")
    message = make_mail(english_issue, make_view(english_issue), ENVELOPE)
    with pytest.raises(DeliveryError, match="no such reader"):
        send_mail(message, server)
    assert mailbox.taken == []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeliveryError, match="did not take the message"):
        send_mail(message, SmtpServer(host="127.0.0.1", port=port, security="none"))


def test_a_running_event_loop_can_send_too(smtp, english_issue):
    mailbox, server = smtp()
    message = make_mail(english_issue, make_view(english_issue), ENVELOPE)
    assert asyncio.run(send_mail_async(message, server)) == ("reader@example.net",)
    assert len(mailbox.taken) == 1


def test_a_password_is_never_sent_in_the_clear_nor_shown(english_issue):
    server = SmtpServer(host="127.0.0.1", username="u", password="secret", security="none")
    assert "secret" not in repr(server)
    with pytest.raises(DeliveryError, match="in the clear"):
        send_mail(make_mail(english_issue, make_view(english_issue), ENVELOPE), server)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "reader@example.net\r\nBcc: victim@example.org"},
        {"recipient": "no address"},
        {"sender": "a@b@c"},
        {"unsubscribe_url": "javascript:alert(1)"},
        {"unsubscribe_url": "http://example.org/not-https"},
    ],
)
def test_an_envelope_that_would_lie_is_refused_or_harmless(english_issue, changes):
    envelope = dataclasses.replace(ENVELOPE, **changes)
    try:
        message = make_mail(english_issue, make_view(english_issue), envelope)
    except PublishingError:
        return
    received = read(message.as_bytes())
    assert received["Bcc"] is None
    assert "victim" not in str(received["To"].addresses[0].addr_spec)


def test_the_same_issue_gives_the_same_message(english_issue):
    first, second = (make_mail(english_issue, make_view(english_issue)).as_bytes() for _ in "ab")
    assert first == second
