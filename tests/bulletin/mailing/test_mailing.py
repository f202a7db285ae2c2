"""Mail to subscribers: asked twice, left at one click, sent once whatever happens."""

import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta

import aiosmtplib
import pytest
from sqlalchemy import insert, select, update

from kuaibao.accounts import PermissionDeniedError
from kuaibao.bulletin.desk import WorkflowError, assign, make_issue, move_piece, remind
from kuaibao.bulletin.desk import tables as desk_tables
from kuaibao.bulletin.mailing import (
    add_subscriber,
    confirm,
    count_subscribers,
    list_mailings,
    list_subscribers,
    queue_issue,
    queue_notes,
    read_bounce,
    record_bounce,
    requeue,
    send_queued,
    subscribe,
    unsubscribe,
)
from kuaibao.bulletin.mailing import tables as mail_tables
from kuaibao.errors import InputError

QUIET = lambda seconds: None  # noqa: E731


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def readers(room, n):
    series_id = room.series.series_id
    return [
        add_subscriber(room.desk, room.editor, series_id, f"reader{i}@example.net")
        for i in range(n)
    ]


def test_nobody_is_mailed_before_a_second_yes(room, smtp, issue_id):
    subscribe(room.desk, room.series.series_id, "new@example.net", base_url="https://d.example.org")
    queue_issue(room.desk, room.editor, issue_id)
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    ((to, content),) = smtp.taken
    assert to == "new@example.net"
    (found,) = list_subscribers(room.desk, room.editor, room.series.series_id)
    letter = parsed(content).get_content()
    assert f"https://d.example.org/subscription/{found.token}" in letter
    assert found.state == "pending"
    confirmed = confirm(room.desk, found.token)
    assert confirmed is not None
    assert confirmed.state == "active"


def test_a_request_is_not_repeated_and_grows_old(room):
    series_id = room.series.series_id
    for _ in range(3):
        subscribe(room.desk, series_id, "new@example.net", base_url="https://d")
    with room.desk.store.database.read() as connection:
        assert len(connection.execute(select(mail_tables.letter)).all()) == 1
    (found,) = list_subscribers(room.desk, room.editor, series_id)
    room.clock.at += 8 * 86_400
    assert confirm(room.desk, found.token) is None
    assert confirm(room.desk, "guessed") is None


@pytest.mark.parametrize(
    "address", ["x", "a@b", "a@b.c\r\nBcc: all@example.org", "<a@b.cd>", "a b@c.de", "@example.org"]
)
def test_what_is_no_address_is_refused(room, address):
    with pytest.raises(InputError):
        subscribe(room.desk, room.series.series_id, address, base_url="https://d")


def test_every_reader_gets_the_issue_once_with_a_way_out_of_their_own(room, smtp, issue_id):
    people = readers(room, 3)
    queue_issue(room.desk, room.editor, issue_id)
    queue_issue(room.desk, room.editor, issue_id)
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 3
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 0
    assert sorted(to for to, _ in smtp.taken) == [p.email for p in people]
    tokens = {p.email: p.token for p in people}
    seen = set()
    for to, content in smtp.taken:
        message = parsed(content)
        leave = f"https://desk.example.org/subscription/{tokens[to]}/leave"
        assert message["List-Unsubscribe"] == f"<{leave}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message["To"] == to
        assert leave in message.get_body(("plain",)).get_content()
        assert leave in message.get_body(("html",)).get_content()
        assert "模型学会了阅读" in message.get_body(("plain",)).get_content()
        seen.add(message["Message-ID"])
    assert len(seen) == 3


def test_who_leaves_gets_nothing_that_was_queued(room, smtp, issue_id):
    one, two = readers(room, 2)
    queue_issue(room.desk, room.editor, issue_id)
    left = unsubscribe(room.desk, one.token)
    assert left is not None
    assert left.state == "left"
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    assert [to for to, _ in smtp.taken] == [two.email]
    with pytest.raises(InputError):
        add_subscriber(room.desk, room.editor, room.series.series_id, one.email)


def test_a_refused_address_fails_and_a_busy_server_is_tried_later(room, smtp, issue_id):
    one, two, _three = readers(room, 3)
    smtp.refused = {one.email: "550 no such reader", two.email: "451 come back later"}
    queue_issue(room.desk, room.editor, issue_id)
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 1
    progress = list_mailings(room.desk)[0].progress
    assert (progress.sent, progress.queued, progress.failed) == (1, 1, 1)
    smtp.refused = {}
    room.clock.at += 120
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 1
    assert requeue(room.desk, room.editor, list_mailings(room.desk)[0].mailing_id) == 1
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 1
    assert len({to for to, _ in smtp.taken}) == len(smtp.taken) == 3


def test_an_answer_that_never_came_is_left_to_a_person(room, smtp, issue_id, monkeypatch):
    readers(room, 1)
    queue_issue(room.desk, room.editor, issue_id)

    async def cut(*_):
        raise aiosmtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as patch:
        patch.setattr(aiosmtplib.SMTP, "data", cut)
        send_queued(room.desk, smtp.settings, sleep=QUIET)
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 0
    assert list_mailings(room.desk)[0].progress.handing == 1
    requeue(room.desk, room.editor, 1, "handing")
    assert send_queued(room.desk, smtp.settings, sleep=QUIET) == 1


KILLED = """
    import sys, os
    from pathlib import Path
    from kuaibao.bulletin.desk import Desk
    from kuaibao.bulletin.mailing import MailSettings, send_queued
    from kuaibao.bulletin.publishing import SmtpServer
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    desk = Desk.open(folder / "desk.db", folder)
    settings = MailSettings(
        server=SmtpServer(host="127.0.0.1", port=port, security="none"),
        sender="desk@example.org", base_url="https://desk.example.org", per_minute=1_000_000)
    print("sending", flush=True)
    send_queued(desk, settings)
"""


def test_a_mailing_killed_again_and_again_loses_nothing_and_sends_nothing_twice(
    room, smtp, issue_id, tmp_path
):
    n_reader = int(os.environ.get("KUAIBAO_TEST_RECIPIENTS", "300"))
    with room.desk.store.database.write() as connection:
        connection.execute(
            insert(mail_tables.subscriber),
            [
                {"series_id": room.series.series_id, "email": f"r{i}@example.net",
                 "state": "active", "token": f"token-{i}", "asked_at": 0.0}
                for i in range(n_reader)
            ],
        )  # fmt: skip
    queue_issue(room.desk, room.editor, issue_id)
    script = tmp_path / "send.py"
    script.write_text(textwrap.dedent(KILLED))
    port = str(smtp.settings.server.port)
    for wanted in (n_reader // 8, n_reader // 3, n_reader * 2 // 3):
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), port], stdout=subprocess.PIPE
        )
        while len(smtp.taken) < wanted and process.poll() is None:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    progress = list_mailings(room.desk)[0].progress
    got = [to for to, _ in smtp.taken]
    assert len(got) == len(set(got)), "somebody got it twice"
    assert progress.queued == progress.failed == 0
    assert progress.sent + progress.handing == n_reader
    assert progress.handing <= 3  # at most one a kill
    with room.desk.store.database.read() as connection:
        columns = mail_tables.delivery.c
        uncertain = connection.execute(
            select(mail_tables.subscriber.c.email)
            .join(
                mail_tables.delivery,
                columns.subscriber_id == mail_tables.subscriber.c.subscriber_id,
            )
            .where(columns.state == "handing")
        ).scalars()
        assert set(got) | set(uncertain) == {f"r{i}@example.net" for i in range(n_reader)}


def test_only_a_published_issue_is_mailed_and_only_by_an_editor(room, issue_id):
    open_issue = make_issue(room.desk, room.editor, room.series.series_id)
    with pytest.raises(WorkflowError):
        queue_issue(room.desk, room.editor, open_issue.issue_id)
    with pytest.raises(PermissionDeniedError):
        queue_issue(room.desk, room.compiler, issue_id)


BOUNCE = """\
From: MAILER-DAEMON@example.net
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; reader0@example.net
Action: failed
Status: {status}

--b--
"""


@pytest.mark.parametrize(
    ("status", "times", "state"),
    [
        ("5.1.1", 1, "bounced"),
        ("4.2.2", 2, "active"),
        ("4.2.2", 3, "bounced"),
        ("2.0.0", 1, "active"),
    ],
)
def test_an_address_that_bounces_is_let_go(room, status, times, state):
    readers(room, 2)
    for _ in range(times):
        for bounce in read_bounce(BOUNCE.format(status=status).encode()):
            record_bounce(room.desk, room.editor, bounce)
    found = list_subscribers(room.desk, room.editor, room.series.series_id)
    assert [s.state for s in found] == [state, "active"]
    assert sum(count_subscribers(room.desk, room.editor)[room.series.series_id].values()) == 2


def test_any_other_mail_is_no_bounce():
    for data in (
        b"",
        b"\xff\x00",
        b"Subject: hello\n\n5.1.1 reader0@example.net",
        b"Content-Type: message/delivery-status\n\nx",
    ):
        assert read_bounce(data) == ()


def test_notes_that_nobody_read_come_by_mail_in_one_letter(room, smtp):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(
        room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id,
        proofreader_id=room.proofreader.person_id,
    )  # fmt: skip
    assert queue_notes(room.desk, "https://desk.example.org") == 0
    room.clock.at += 400
    assert queue_notes(room.desk, "https://desk.example.org") == 2
    assert queue_notes(room.desk, "https://desk.example.org") == 0
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    text = {to: parsed(content).get_content() for to, content in smtp.taken}
    assert "Eva Editor gives you" in text["compiler@example.org"]
    assert f"https://desk.example.org/pieces/{piece_id}" in text["proofreader@example.org"]


def test_what_is_due_and_what_is_late_comes_by_mail(room, smtp):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    due = (room.desk.today + timedelta(days=1)).isoformat()
    assign(room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id, due=due)
    assert remind(room.desk) == 1
    room.clock.at += 3 * 86_400
    assert remind(room.desk) == 1
    room.clock.at += 400
    assert queue_notes(room.desk, "https://desk.example.org") == 1
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    ((to, content),) = smtp.taken
    text = parsed(content).get_content()
    assert to == "compiler@example.org"
    assert f"Due on {due}: A model learns" in text
    assert f"Was due on {due}: A model learns" in text


@pytest.mark.parametrize("name", [
    "x\r\nBcc: victim@example.org\r\n\r\nbody", "x\rBcc: victim@example.org", "{{7*7}} {name} %s",
    "=?utf-8?q?x=0D=0ABcc:_victim@example.org?=", "a\x00b\u2028Bcc: victim@example.org",
])  # fmt: skip
def test_no_name_of_a_series_adds_a_header_to_a_letter(room, smtp, name):
    columns = desk_tables.series.c  # past every check at the door
    with room.desk.store.database.write() as connection:
        connection.execute(
            update(desk_tables.series).where(columns.series_id == 1).values(name=name)
        )
    subscribe(room.desk, 1, "new@example.net", base_url="https://d.example.org")
    send_queued(room.desk, smtp.settings, sleep=QUIET)
    ((to, content),) = smtp.taken
    assert to == "new@example.net"
    letter = parsed(content)
    assert letter["Bcc"] is None
    assert set(letter.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    assert not re.search("[\r\n\x00]", letter["Subject"])
    assert ("{{7*7}}" in name) == ("{{7*7}} {name} %s" in letter["Subject"])
