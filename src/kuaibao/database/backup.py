"""A whole copy of a database while others read and write it, and the way back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from kuaibao.database.engine import Database
from kuaibao.database.errors import BackupError
from kuaibao.files import atomic_path

__all__ = ["back_up", "restore"]

_PAGES_A_STEP = 1024
_WAIT_S = 30.0


def back_up(database: Database, target: str | os.PathLike[str]) -> Path:
    """Write a consistent copy to `target`; an older copy there is replaced at the very end.

    SQLite is copied page by page by its own means, so that writers are never kept waiting;
    PostgreSQL through `pg_dump` in its custom format.

    Raises:
        BackupError: The database is in memory, or `pg_dump` is missing or failed.
    """
    path = Path(target)
    with atomic_path(path) as temporary:
        if database.is_sqlite:
            _copy_sqlite(database, temporary)
        else:
            _dump_postgresql(database, temporary)
    return path


def restore(copy: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """Put a SQLite copy in the place of `target`, also while others read and write it.

    A database that is in use gets the copy's pages in one transaction: who reads sees the old state
    or the new one, who writes goes on upon the new one. What is no database any more, or has pages
    of another size, is replaced as a file; nothing may have that open.

    Raises:
        BackupError: `copy` is not a whole SQLite database, or `target` stays locked.
    """
    source, path = Path(copy), Path(target)
    _check(source)
    if path.is_file() and _page_size(path) == _page_size(source) > 0:
        _overwrite(source, path)
    else:
        _replace(source, path)
    return path


def _overwrite(source: Path, path: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as copy,
            closing(sqlite3.connect(path, timeout=_WAIT_S)) as target,
        ):
            copy.backup(target)
    except sqlite3.Error as error:
        raise BackupError(
            f"{path} could not be written: {error}", hint="Stop what has it open, then try again."
        ) from error
    _check(path)


def _replace(source: Path, path: Path) -> None:
    with atomic_path(path) as temporary:
        shutil.copyfile(source, temporary)
        # Left-overs of the old file would be read as if they belonged to the new one.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _page_size(path: Path) -> int:
    """Bytes of a page; 0 where the file is no database."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("select count(*) from sqlite_schema")
            return int(opened.execute("pragma page_size").fetchone()[0])
    except sqlite3.Error:
        return 0


def _copy_sqlite(database: Database, temporary: Path) -> None:
    if database.path is None:
        raise BackupError("a database in memory can't be backed up")
    with (
        closing(sqlite3.connect(database.path)) as source,
        closing(sqlite3.connect(temporary)) as copy,
    ):
        source.backup(copy, pages=_PAGES_A_STEP, sleep=0.01)
        copy.execute("pragma journal_mode = delete")
    _check(temporary)


def _check(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            found = copy.execute("pragma quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"{path} is not a whole SQLite database: {error}") from error
    if found != "ok":
        raise BackupError(f"{path} is damaged: {found}")


def _dump_postgresql(database: Database, temporary: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupError(
            "pg_dump is not installed", hint="Install PostgreSQL's client programs (pg_dump)."
        )
    url = database.engine.url
    # The password goes by the environment: arguments can be read by everybody on the machine.
    environment = dict(os.environ, PGPASSWORD=url.password) if url.password else dict(os.environ)
    address = url.set(drivername="postgresql", password=None).render_as_string()
    command = [program, "--format=custom", f"--file={temporary}", address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"pg_dump failed: {done.stderr.strip()}")
