"""The desk itself: the database, the clock, who acts, and what is told to those who watch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from kuaibao import accounts
from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.schema import MIGRATIONS, ROOM
from kuaibao.bulletin.store import Store
from kuaibao.bulletin.writing import Pictures
from kuaibao.database import migrate

__all__ = ["AUDIT_CHAIN", "Desk", "Event"]

AUDIT_CHAIN = "desk"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, for those who watch."""

    action: str
    person_id: int = 0
    piece_id: int | None = None
    issue_id: int | None = None


def _nobody(event: Event) -> None:
    pass


@dataclass
class Desk:
    """An open desk. Every operation is a function that takes it and the actor first."""

    store: Store
    folder: Path
    """Of bulletin.toml; published issues lie below it."""
    out: Path
    """Where published issues go."""
    clock: Callable[[], float] = time.time
    tell: Callable[[Event], None] = _nobody
    """Called after a change is safe on disk."""
    cache: dict[Any, Any] = field(default_factory=dict)
    pictures: Pictures | None = None
    """Lead pictures and covers, where `[pictures]` of bulletin.toml wants them."""

    @classmethod
    def open(cls, where: str | Path, folder: Path, out: Path | None = None) -> Desk:
        """Open the desk of a bulletin's database, making its tables if need be."""
        store = Store.open(where)
        migrate(store.database, ROOM, MIGRATIONS)
        return cls(store=store, folder=folder, out=out or folder / "out")

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock()

    @property
    def today(self) -> date:
        """The day, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).date()

    @contextmanager
    def change(self) -> Generator[Change]:
        """A transaction whose events are told once it is kept, and not at all if it is not."""
        with self.store.database.write() as connection:
            change = Change(self, connection)
            yield change
        for event in change.events:
            self.tell(event)

    def setting(self, name: str, default: str = "") -> str:
        """A setting of the desk."""
        query = select(tables.setting.c.value).where(tables.setting.c.name == name)
        with self.store.database.read() as connection:
            value = connection.execute(query).scalar()
        return default if value is None else str(value)

    def settings(self) -> dict[str, str]:
        """Every setting that was made."""
        with self.store.database.read() as connection:
            rows = connection.execute(select(tables.setting.c.name, tables.setting.c.value))
            return {row.name: row.value for row in rows}

    def set_setting(self, actor: Actor, name: str, value: str) -> None:
        """Change a setting."""
        actor.require("manage_settings")
        with self.change() as change:
            own = tables.setting.c.name == name
            change.connection.execute(delete(tables.setting).where(own))
            change.connection.execute(insert(tables.setting).values(name=name, value=value))
            change.log(actor, "set_setting", details={"name": name})


class Change:
    """A transaction that keeps a log of itself."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.events: list[Event] = []

    def log(
        self,
        actor: Actor | None,
        action: str,
        *,
        piece_id: int | None = None,
        issue_id: int | None = None,
        from_state: str = "",
        to_state: str = "",
        revision: int = 0,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        """Write down who did what (None: the desk itself); gives the hash of the audit entry."""
        now = self.desk.now
        person_id, name = (actor.person_id, actor.person.name) if actor else (0, "kuaibao")
        subject = f"piece:{piece_id}" if piece_id else f"issue:{issue_id}" if issue_id else "desk"
        # First the chain, which lets one writer in at a time: the numbers of events then are in the
        # order in which they are kept, which web hooks count on.
        entry = accounts.append_audit(
            self.connection, chain=AUDIT_CHAIN, actor=name, action=action, subject=subject, now=now,
            details={"from": from_state, "to": to_state, "revision": revision, **(details or {})},
        )  # fmt: skip
        self.connection.execute(
            insert(tables.event).values(
                at=now, person_id=person_id, action=action, piece_id=piece_id,
                issue_id=issue_id, from_state=from_state, to_state=to_state, revision=revision,
                details=json.dumps(dict(details or {}), ensure_ascii=False),
            )
        )  # fmt: skip
        self.events.append(
            Event(action=action, person_id=person_id, piece_id=piece_id, issue_id=issue_id)
        )
        return entry.hash

    def notify(
        self,
        person_id: int | None,
        kind: str,
        *,
        by: Actor | None,
        piece_id: int | None = None,
        issue_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Leave a person a note (by None: the desk's own); nobody is told what they did."""
        if not person_id or (by is not None and person_id == by.person_id):
            return
        told = {"by": by.person.display_name if by else "", **(details or {})}
        self.connection.execute(
            insert(tables.notification).values(
                person_id=person_id, at=self.desk.now, kind=kind, piece_id=piece_id,
                issue_id=issue_id, details=json.dumps(told, ensure_ascii=False),
            )
        )  # fmt: skip
        self.events.append(Event(action="notify", person_id=person_id, piece_id=piece_id))
