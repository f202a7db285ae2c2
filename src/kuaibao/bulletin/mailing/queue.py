"""An issue to all its subscribers: one row a message, made in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, literal, select, update

from kuaibao.bulletin.desk import Actor, Desk, WorkflowError, get_desk_issue
from kuaibao.bulletin.mailing import tables

__all__ = ["Mailing", "Progress", "list_mailings", "queue_issue", "requeue"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a mailing is."""

    queued: int = 0
    handing: int = 0
    """Uncertain if nobody is sending: a kill came between the last byte and the answer."""
    sent: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """An issue that is mailed."""

    mailing_id: int
    issue_id: int
    person_id: int
    at: float
    progress: Progress


def queue_issue(desk: Desk, actor: Actor, issue_id: int) -> Mailing:
    """Queue a published issue for every active subscriber of its series; a second call adds none.

    Raises:
        WorkflowError: The issue is not published.
    """
    actor.require("publish")
    issue = get_desk_issue(desk, issue_id)
    if issue.state != "published":
        raise WorkflowError("only a published issue is mailed", reason="wrong_state")
    with desk.change() as change:
        connection = change.connection
        known = connection.execute(
            select(tables.mailing.c.mailing_id).where(tables.mailing.c.issue_id == issue_id)
        ).scalar()
        if known is None:
            done = connection.execute(
                insert(tables.mailing).values(
                    issue_id=issue_id, person_id=actor.person_id, at=desk.now
                )
            )
            assert done.inserted_primary_key is not None
            mailing_id = int(done.inserted_primary_key[0])
            columns = tables.subscriber.c
            readers = select(
                literal(mailing_id), columns.subscriber_id, literal("queued"), literal(0),
                literal(0.0), literal(""),
            ).where(columns.series_id == issue.series_id, columns.state == "active")  # fmt: skip
            connection.execute(
                insert(tables.delivery).from_select(
                    ["mailing_id", "subscriber_id", "state", "n_try", "not_before", "message"],
                    readers,
                )
            )
            change.log(actor, "mail_issue", issue_id=issue_id)
    return next(m for m in list_mailings(desk) if m.issue_id == issue_id)


def list_mailings(desk: Desk) -> list[Mailing]:
    """Every mailing with its progress, newest first."""
    columns = tables.delivery.c
    with desk.store.database.read() as connection:
        rows = connection.execute(
            select(tables.mailing).order_by(tables.mailing.c.mailing_id.desc())
        ).all()
        counts: dict[int, dict[str, int]] = {}
        for mailing_id, state, n in connection.execute(
            select(columns.mailing_id, columns.state, func.count()).group_by(
                columns.mailing_id, columns.state
            )
        ):
            counts.setdefault(mailing_id, {})[state] = n
    return [
        Mailing(
            mailing_id=row.mailing_id, issue_id=row.issue_id, person_id=row.person_id, at=row.at,
            progress=Progress(**counts.get(row.mailing_id, {})),
        )
        for row in rows
    ]  # fmt: skip


def requeue(desk: Desk, actor: Actor, mailing_id: int, state: str = "failed") -> int:
    """Queue again what failed, or (a person's decision) what a kill left uncertain.

    Returns:
        How many messages.
    """
    actor.require("publish")
    if state not in ("failed", "handing"):
        raise WorkflowError("only failed or uncertain messages are queued again",
                            reason="wrong_state")  # fmt: skip
    columns = tables.delivery.c
    with desk.change() as change:
        done = change.connection.execute(
            update(tables.delivery)
            .where(columns.mailing_id == mailing_id, columns.state == state)
            .values(state="queued", n_try=0, not_before=0.0)
        )
        change.log(actor, "requeue_mail", details={"mailing": mailing_id, "state": state})
        return done.rowcount
