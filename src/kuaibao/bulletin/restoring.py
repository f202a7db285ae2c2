"""The way back from a copy of the desk's database, while people go on working."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import delete, update

from kuaibao.accounts import tables as account_tables
from kuaibao.bulletin.desk import Desk
from kuaibao.bulletin.hooks import open_hooks
from kuaibao.bulletin.mailing import open_mailing
from kuaibao.bulletin.mailing import tables as mail_tables
from kuaibao.database import restore

__all__ = ["restore_desk"]


def restore_desk(copy: Path, database: Path) -> Path:
    """Put a copy of a desk's database in its place.

    The copy is first brought to today's tables. What waited in its mail queue may have gone out
    since: it becomes uncertain, for a person to decide, so that nothing is sent twice. Every
    session ends, for some may have been ended since.

    Raises:
        BackupError: The copy is not a whole database, or the desk's own stays locked.
    """
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".restoring-") as folder:
        prepared = Path(folder) / database.name
        restore(copy, prepared)
        desk = Desk.open(prepared, database.parent)
        try:
            open_mailing(desk)
            open_hooks(desk)
            _let_go(desk)
        finally:
            desk.close()
        return restore(prepared, database)


def _let_go(desk: Desk) -> None:
    delivery, letter = mail_tables.delivery, mail_tables.letter
    with desk.store.database.write() as connection:
        for table in (delivery, letter):
            waiting = update(table).where(table.c.state == "queued")
            connection.execute(waiting.values(state="handing", message="the desk was restored"))
        connection.execute(delete(account_tables.session))
