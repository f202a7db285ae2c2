"""Texts that wait for a person, and flagged ones; deleted when their time is over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from kuaibao.accounts import append_audit
from kuaibao.database import Database
from kuaibao.errors import InputError
from kuaibao.service.policy.applications import CHAIN
from kuaibao.service.policy.rules import Side
from kuaibao.service.tables import held

__all__ = ["HeldText", "ReviewQueue"]

DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class HeldText:
    """A text with what was found in it."""

    held_id: int
    request_id: str
    application_id: int
    at: float
    side: Side
    check: str
    reason: str
    text: str
    decision: str
    decided_by: str


class ReviewQueue:
    """Keeps texts for as long as the application's policy allows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        request_id: str,
        application_id: int,
        side: Side,
        check: str,
        reason: str,
        text: str,
        retention_days: int,
        now: float | None = None,
    ) -> int | None:
        """Keep a text; None if the policy keeps none."""
        if retention_days == 0:
            return None
        at = time.time() if now is None else now
        with self._database.write() as connection:
            result = connection.execute(
                insert(held).values(
                    request_id=request_id,
                    application_id=application_id,
                    at=at,
                    side=side,
                    check=check,
                    reason=reason,
                    text=text,
                    decision="",
                    decided_by="",
                    delete_after=at + retention_days * DAY_S,
                )
            )
            primary = result.inserted_primary_key
            assert primary is not None
            return int(primary[0])

    def judgement(self, application_id: int, side: Side, text: str) -> str | None:
        """What a person found of this very text: `harmless`, `misuse`, or empty while it waits.

        None: it was never kept for this application, or is no longer.
        """
        query = (
            select(held.c.decision)
            .where(held.c.application_id == application_id, held.c.side == side)
            .where(held.c.text == text)
            .order_by(held.c.held_id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def waiting(self, *, limit: int = 100) -> list[HeldText]:
        """What nobody has looked at yet, oldest first."""
        query = select(held).where(held.c.decision == "").order_by(held.c.held_id).limit(limit)
        with self._database.read() as connection:
            return [_held(row) for row in connection.execute(query)]

    def decide(
        self, held_id: int, decision: Literal["harmless", "misuse"], *, actor: str
    ) -> HeldText:
        """A person's word on a text.

        Raises:
            InputError: No such text, or it was decided already.
        """
        with self._database.write() as connection:
            row = connection.execute(select(held).where(held.c.held_id == held_id)).first()
            if row is None:
                raise InputError(f"there is no held text {held_id}")
            if row.decision:
                raise InputError(f"text {held_id} was decided already: {row.decision}")
            connection.execute(
                update(held)
                .where(held.c.held_id == held_id)
                .values(decision=decision, decided_by=actor, decided_at=time.time())
            )
            append_audit(
                connection,
                chain=CHAIN,
                actor=actor,
                action=f"text judged {decision}",
                subject=f"held:{held_id}",
                details={"check": row.check, "application": row.application_id},
            )
            after = connection.execute(select(held).where(held.c.held_id == held_id)).one()
        return _held(after)

    def purge(self, *, now: float | None = None) -> int:
        """Delete what has outlived its retention; gives the number."""
        at = time.time() if now is None else now
        with self._database.write() as connection:
            return connection.execute(delete(held).where(held.c.delete_after < at)).rowcount


def _held(row: Row[Any]) -> HeldText:
    return HeldText(
        held_id=row.held_id,
        request_id=row.request_id,
        application_id=row.application_id,
        at=row.at,
        side=row.side,
        check=row.check,
        reason=row.reason,
        text=row.text,
        decision=row.decision,
        decided_by=row.decided_by,
    )
