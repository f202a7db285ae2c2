"""Which programs are told what."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, func, insert, select, update

from kuaibao.bulletin.desk import Actor, Desk, NotFoundError
from kuaibao.bulletin.desk import tables as desk_tables
from kuaibao.bulletin.hooks import tables
from kuaibao.database import Migration, migrate
from kuaibao.errors import InputError, did_you_mean

__all__ = [
    "HOOK_EVENTS", "Hook", "add_hook", "list_hooks", "open_hooks", "remove_hook", "resume_hook",
]  # fmt: skip

HOOK_EVENTS = (
    "published", "erratum", "make_issue", "close_issue", "reopen_issue", "publish", "mail_issue",
    "pick", "drop", "assign", "take", "write", "machine_draft", "compile", "proofread", "send_back",
    "accept", "comment",
)  # fmt: skip
"""What a hook can be told; the names are those of the desk's log."""

MAX_HOOKS = 50


@dataclass(frozen=True, kw_only=True)
class Hook:
    """An address that is told of events."""

    hook_id: int
    url: str
    events: tuple[str, ...]
    """Which; none: all of `HOOK_EVENTS`."""
    is_active: bool
    """Not active: it failed too often, or answered that it is gone."""
    n_try: int
    """Failures in a row."""
    not_before: float
    """When it is tried again."""
    told_at: float | None
    message: str
    """What went wrong the last time."""

    def wants(self, action: str) -> bool:
        """Whether it is told of an action."""
        return action in (self.events or HOOK_EVENTS)


def open_hooks(desk: Desk) -> None:
    """Make the table of this room in the desk's database."""

    def first(connection: Connection) -> None:
        tables.metadata.create_all(connection)

    migrate(desk.store.database, "hooks", (Migration(1, "web hooks", first),))


def list_hooks(desk: Desk, actor: Actor) -> list[Hook]:
    """Every hook, without its secret."""
    actor.require("manage_settings")
    with desk.store.database.read() as connection:
        rows = connection.execute(select(tables.hook).order_by(tables.hook.c.hook_id))
        return [hook_from(row) for row in rows]


def add_hook(desk: Desk, actor: Actor, url: str, events: Sequence[str] = ()) -> tuple[Hook, str]:
    """A new hook and its secret, which is given this once; it is told what happens from now on.

    Raises:
        InputError: The address is none, or an event is unknown.
    """
    actor.require("manage_settings")
    url = url.strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > 2000:
        raise InputError(
            f"{url[:200]!r} is no address of a hook", hint="Such as https://host/path."
        )
    for name in events:
        if name not in HOOK_EVENTS:
            raise InputError(f"unknown event {name!r}", hint=did_you_mean(name, HOOK_EVENTS))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    columns = tables.hook.c
    with desk.change() as change:
        connection = change.connection
        if (connection.execute(select(func.count()).select_from(tables.hook)).scalar() or 0) >= (
            MAX_HOOKS
        ):
            raise InputError(f"there are {MAX_HOOKS} hooks already: remove one")
        change.log(actor, "add_hook", details={"host": parts.hostname})
        newest = connection.execute(select(func.max(desk_tables.event.c.event_id))).scalar() or 0
        done = connection.execute(
            insert(tables.hook).values(
                url=url, events=json.dumps(list(dict.fromkeys(events))), secret=secret,
                is_active=True, cursor=newest, made_at=desk.now,
            )
        )  # fmt: skip
        assert done.inserted_primary_key is not None
        key = int(done.inserted_primary_key[0])
        row = connection.execute(select(tables.hook).where(columns.hook_id == key)).one()
        return hook_from(row), secret


def remove_hook(desk: Desk, actor: Actor, hook_id: int) -> None:
    """Tell it nothing more.

    Raises:
        NotFoundError: There is none.
    """
    actor.require("manage_settings")
    with desk.change() as change:
        done = change.connection.execute(
            delete(tables.hook).where(tables.hook.c.hook_id == hook_id)
        )
        if not done.rowcount:
            raise NotFoundError(f"there is no hook {hook_id}")
        change.log(actor, "remove_hook", details={"hook": hook_id})


def resume_hook(desk: Desk, actor: Actor, hook_id: int) -> None:
    """Try a hook again at once; it is told everything since it last answered.

    Raises:
        NotFoundError: There is none.
    """
    actor.require("manage_settings")
    with desk.change() as change:
        done = change.connection.execute(
            update(tables.hook)
            .where(tables.hook.c.hook_id == hook_id)
            .values(is_active=True, n_try=0, not_before=0.0, message="")
        )
        if not done.rowcount:
            raise NotFoundError(f"there is no hook {hook_id}")
        change.log(actor, "resume_hook", details={"hook": hook_id})


def hook_from(row: Any) -> Hook:
    """A row as a value."""
    return Hook(
        hook_id=row.hook_id, url=row.url, events=tuple(json.loads(row.events)),
        is_active=bool(row.is_active), n_try=row.n_try, not_before=row.not_before,
        told_at=row.told_at, message=row.message,
    )  # fmt: skip
