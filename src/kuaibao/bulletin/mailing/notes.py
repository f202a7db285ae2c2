"""Notes of the desk by mail, for those who did not see them in the application."""

from __future__ import annotations

import json

from sqlalchemy import select, update

from kuaibao import accounts
from kuaibao.bulletin.desk import Desk
from kuaibao.bulletin.desk import tables as desk_tables
from kuaibao.bulletin.mailing.subscribers import queue_letter

__all__ = ["queue_notes"]

WAIT_S = 300.0
"""A note that is read within this time is not mailed."""
_LINES = {
    "en": {"subject": "The desk has {n} notes for you", "assigned": "{by} gives you: {title}",
           "to_proofread": "{by} asks you to proofread: {title}",
           "sent_back": "{by} sends back: {title}", "was_proofread": "{by} proofread: {title}",
           "was_accepted": "{by} accepted: {title}", "commented": "{by} comments on: {title}",
           "due_soon": "Due on {due}: {title}", "late": "Was due on {due}: {title}"},
    "zh": {"subject": "编辑部有 {n} 条通知", "assigned": "{by} 派给您：{title}",
           "to_proofread": "{by} 请您校对：{title}", "sent_back": "{by} 退回：{title}",
           "was_proofread": "{by} 校对了：{title}", "was_accepted": "{by} 定稿：{title}",
           "commented": "{by} 评注：{title}", "due_soon": "{due} 截稿：{title}",
           "late": "已过截稿日期 {due}：{title}"},
}  # fmt: skip


def queue_notes(desk: Desk, base_url: str) -> int:
    """Queue one letter a person with everything that waits; gives the number of letters."""
    columns = desk_tables.notification.c
    n_letter = 0
    with desk.store.database.write() as connection:
        people = {p.person_id: p for p in accounts.list_people(connection)}
        rows = connection.execute(
            select(desk_tables.notification)
            .where(columns.mailed_at.is_(None), columns.read_at.is_(None))
            .where(columns.at < desk.now - WAIT_S)
            .order_by(columns.notification_id)
            .limit(1000)
        ).all()
        by_person: dict[int, list[str]] = {}
        for row in rows:
            person = people.get(row.person_id)
            if person is None or not person.email or not person.is_active:
                continue
            words = _LINES.get(person.language, _LINES["en"])
            told = json.loads(row.details)
            line = words.get(row.kind, "{title}").format(
                by=told.get("by", ""), title=told.get("title", ""), due=told.get("due", "")
            )
            if told.get("note"):
                line += f"\n  “{told['note']}”"
            link = f"{base_url.rstrip('/')}/pieces/{row.piece_id}" if row.piece_id else base_url
            by_person.setdefault(row.person_id, []).append(f"{line}\n  {link}")
        for person_id, lines in by_person.items():
            person = people[person_id]
            words = _LINES.get(person.language, _LINES["en"])
            subject = words["subject"].format(n=len(lines))
            queue_letter(connection, person.email, subject, "\n\n".join(lines) + "\n")
            n_letter += 1
        ids = [row.notification_id for row in rows]
        connection.execute(
            update(desk_tables.notification)
            .where(columns.notification_id.in_(ids))
            .values(mailed_at=desk.now)
        )
    return n_letter
