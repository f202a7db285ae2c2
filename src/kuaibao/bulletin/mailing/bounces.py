"""Messages that come back (RFC 3464): who could not be reached, and whether for good."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from sqlalchemy import select, update

from kuaibao.bulletin.desk import Actor, Desk
from kuaibao.bulletin.mailing import tables
from kuaibao.errors import InputError

__all__ = ["Bounce", "read_bounce", "read_bounces", "record_bounce"]

MAX_BYTES = 1_000_000
MAX_FILES = 100_000
MAX_SOFT = 3
"""Passing failures in a row after which an address counts as gone."""
_STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True)
class Bounce:
    """A recipient whom a message did not reach."""

    address: str
    is_permanent: bool
    status: str


def read_bounce(data: bytes) -> tuple[Bounce, ...]:
    """The recipients that a delivery status notification names; none for any other mail."""
    message = email.message_from_bytes(data[:MAX_BYTES], policy=email.policy.compat32)
    found: list[Bounce] = []
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, Message):
                continue
            recipient = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "")
            address = recipient.rpartition(";")[2].strip().strip("<>")
            status = _STATUS.search(str(block.get("Status", "")))
            if "@" in address and status and status[1] != "2":
                found.append(Bounce(address, status[1] == "5", status[0]))
    return tuple(found)


def read_bounces(paths: Sequence[Path]) -> tuple[Bounce, ...]:
    """The same of files and folders (every file below them, such as a Maildir's), in order.

    Raises:
        InputError: A path is not there, or there are more than `MAX_FILES`.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} is not there")
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        if len(files) > MAX_FILES:
            raise InputError(f"more than {MAX_FILES} messages", hint="Read them in parts.")
    found: list[Bounce] = []
    for file in files:
        with file.open("rb") as stream:
            found += read_bounce(stream.read(MAX_BYTES))
    return tuple(found)


def record_bounce(desk: Desk, actor: Actor, bounce: Bounce) -> int:
    """Count a bounce against an address; gives how many subscriptions ended by it."""
    actor.require("manage_subscribers")
    columns = tables.subscriber.c
    n_ended = 0
    with desk.change() as change:
        rows = change.connection.execute(
            select(columns.subscriber_id, columns.n_bounce).where(
                columns.email.ilike(bounce.address.replace("%", "").replace("_", "\\_"),
                                    escape="\\"),
                columns.state == "active",
            )
        ).all()  # fmt: skip
        for row in rows:
            is_gone = bounce.is_permanent or row.n_bounce + 1 >= MAX_SOFT
            n_ended += is_gone
            change.connection.execute(
                update(tables.subscriber)
                .where(columns.subscriber_id == row.subscriber_id)
                .values(n_bounce=row.n_bounce + 1, state="bounced" if is_gone else "active")
            )
        if rows:
            change.log(actor, "bounce", details={"status": bounce.status, "ended": n_ended})
    return n_ended
