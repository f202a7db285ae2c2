"""Hands queued messages to the mail server: throttled, resumable, never twice.

The state `handing` is safe on disk before the message's last byte leaves. Whoever is killed before
that has sent nothing, and the row is queued; whoever is killed after it may have sent, and the row
stays as it is until a person decides. Only `handing` rows are uncertain: one per sender.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Any

import aiosmtplib
from sqlalchemy import Table, select, update

from kuaibao.bulletin.desk import Desk, alone, draft_issue, get_desk_issue, look_of
from kuaibao.bulletin.mailing import tables
from kuaibao.bulletin.mailing.composing import FormLetter
from kuaibao.bulletin.mailing.notes import queue_notes
from kuaibao.bulletin.mailing.server import MailSettings, mail_settings
from kuaibao.bulletin.publishing.cleaning import header_text
from kuaibao.files import hash_value

__all__ = ["send_queued", "send_waiting"]

MAX_TRIES = 5
BATCH = 100
_BACKOFF_S = (60, 600, 3600, 4 * 3600)


@dataclass
class _Job:
    table: Table
    key: Any
    number: int
    n_try: int
    message: EmailMessage


def send_queued(
    desk: Desk, settings: MailSettings, *, should_stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], object] = time.sleep,
) -> int:  # fmt: skip
    """Send everything that waits; gives how many messages the server took.

    One sender at a time: a second one (another process on the same database) finds the lock taken
    and sends nothing.
    """
    with alone(desk, "mail") as is_alone:
        return asyncio.run(_send_all(desk, settings, should_stop, sleep)) if is_alone else 0


def send_waiting(desk: Desk, stopping: threading.Event) -> None:
    """The job of the mail's worker: notes that nobody read, then all that is queued."""
    settings = mail_settings(desk)
    if settings is not None:
        queue_notes(desk, settings.base_url)
        send_queued(desk, settings, should_stop=stopping.is_set, sleep=stopping.wait)


async def _send_all(
    desk: Desk, settings: MailSettings, should_stop: Callable[[], bool],
    sleep: Callable[[float], object],
) -> int:  # fmt: skip
    n_sent = 0
    issues: dict[int, FormLetter] = {}
    client: aiosmtplib.SMTP | None = None
    pause = 60.0 / settings.per_minute
    try:
        while not should_stop():
            jobs = _jobs(desk, settings, issues)
            if not jobs:
                break
            for job in jobs:
                if should_stop():
                    break
                if client is None or not client.is_connected:
                    client = await _connect(settings)
                n_sent += await _send(desk, client, settings, job)
                sleep(pause)
    finally:
        if client is not None and client.is_connected:
            await client.quit()
    return n_sent


async def _connect(settings: MailSettings) -> aiosmtplib.SMTP:
    own = settings.server
    client = aiosmtplib.SMTP(
        hostname=own.host, port=own.port, timeout=own.timeout_s, use_tls=own.security == "tls",
        start_tls=own.security == "starttls",
    )  # fmt: skip
    await client.connect()
    if own.username and own.security != "none":
        await client.login(own.username, own.password)
    return client


async def _send(desk: Desk, client: aiosmtplib.SMTP, settings: MailSettings, job: _Job) -> bool:
    """One message; its state is on disk before and after the last byte."""
    try:
        await client.mail(settings.sender)
        await client.rcpt(str(job.message["To"].addresses[0].addr_spec))
    except aiosmtplib.SMTPResponseException as error:
        await client.rset()
        _fail(desk, job, error.code, f"{error.code} {error.message}")
        return False
    except (aiosmtplib.SMTPException, OSError) as error:
        _fail(desk, job, 0, f"{type(error).__name__}: {error}")
        return False
    if not _claim(desk, job):
        await client.rset()
        return False
    try:
        await client.data(job.message.as_bytes())
    except aiosmtplib.SMTPResponseException as error:
        _fail(desk, job, error.code, f"{error.code} {error.message}")  # refused: surely not sent
        return False
    except (aiosmtplib.SMTPException, OSError) as error:
        # The answer was lost: it stays `handing`, for a person to decide.
        _set(desk, job, message=f"{type(error).__name__}: {error}")
        return False
    _set(desk, job, state="sent", at=desk.now, message="")
    return True


def _jobs(desk: Desk, settings: MailSettings, issues: dict[int, FormLetter]) -> list[_Job]:
    """The next messages that are due: single letters first."""
    now, jobs = desk.now, []
    letter, columns = tables.letter.c, tables.delivery.c
    with desk.store.database.read() as connection:
        letters = connection.execute(
            select(tables.letter)
            .where(letter.state == "queued", letter.not_before <= now)
            .limit(BATCH)
        ).all()
        rows = connection.execute(
            select(
                columns.delivery_id, columns.n_try, tables.subscriber.c.email,
                tables.subscriber.c.token, tables.subscriber.c.state, tables.mailing.c.issue_id,
            )
            .join(
                tables.subscriber, tables.subscriber.c.subscriber_id == columns.subscriber_id
            )
            .join(tables.mailing, tables.mailing.c.mailing_id == columns.mailing_id)
            .where(columns.state == "queued", columns.not_before <= now)
            .order_by(columns.delivery_id)
            .limit(BATCH)
        ).all()  # fmt: skip
    for row in letters:
        message = _letter(settings, row)
        jobs.append(_Job(tables.letter, letter.letter_id, row.letter_id, row.n_try, message))
    for row in rows:
        if row.issue_id not in issues:
            look = look_of(desk, get_desk_issue(desk, row.issue_id).series_id)
            issue = draft_issue(desk, row.issue_id)
            issues[row.issue_id] = FormLetter.of(issue, settings.sender, look)
        leave = f"{settings.base_url.rstrip('/')}/subscription/{row.token}/leave"
        message = issues[row.issue_id].to(row.email, leave)
        jobs.append(_Job(tables.delivery, columns.delivery_id, row.delivery_id, row.n_try, message))
    return jobs


def _letter(settings: MailSettings, row: Any) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.sender
    message["To"] = row.recipient
    message["Subject"] = header_text(row.subject[:300])
    message["Date"] = formatdate()
    host = settings.sender.rpartition("@")[2]
    message["Message-ID"] = f"<letter-{hash_value([row.letter_id, row.recipient])[:24]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(row.body)
    return message


def _fail(desk: Desk, job: _Job, code: int, text: str) -> None:
    """5xx is final; anything else is tried again later, a few times."""
    n_try = job.n_try + 1
    if 500 <= code < 600 or n_try >= MAX_TRIES:
        _set(desk, job, state="failed", n_try=n_try, at=desk.now, message=text[:500])
        return
    wait = _BACKOFF_S[min(n_try - 1, len(_BACKOFF_S) - 1)]
    _set(desk, job, state="queued", n_try=n_try, not_before=desk.now + wait, message=text[:500])


def _claim(desk: Desk, job: _Job) -> bool:
    """Take the message in hand; False if another sender did, or its reader left meanwhile."""
    query = update(job.table).where(job.key == job.number, job.table.c.state == "queued")
    values = {"state": "handing", "n_try": job.n_try + 1, "at": desk.now}
    with desk.store.database.write() as connection:
        return connection.execute(query.values(**values)).rowcount == 1


def _set(desk: Desk, job: _Job, **values: Any) -> None:
    with desk.store.database.write() as connection:
        connection.execute(update(job.table).where(job.key == job.number).values(**values))
