"""The desk's newsroom with a mail server that keeps what it took."""

import socket
import sys
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

sys.path.insert(0, str(Path(__file__).parents[1] / "desk"))

from newsroom import open_newsroom
from test_life_of_an_issue import FORMATS, full_issue

from kuaibao.bulletin.desk import close_issue, publish_issue
from kuaibao.bulletin.mailing import MailSettings, open_mailing
from kuaibao.bulletin.publishing import SmtpServer


class Mailbox:
    """A mail server's handler."""

    def __init__(self):
        self.taken, self.refused = [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        return "250 OK"


@pytest.fixture
def smtp():
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    mailbox.settings = MailSettings(
        server=SmtpServer(host="127.0.0.1", port=port, security="none", timeout_s=60),
        sender="desk@example.org", base_url="https://desk.example.org", per_minute=1_000_000,
    )  # fmt: skip
    yield mailbox
    controller.stop()


@pytest.fixture
def room(tmp_path):
    with open_newsroom(tmp_path, 1) as made:
        open_mailing(made.desk)
        yield made


@pytest.fixture
def issue_id(room):
    """A published issue."""
    made = full_issue(room, 1)
    close_issue(room.desk, room.editor, made)
    publish_issue(room.desk, room.editor, made, FORMATS)
    return made
