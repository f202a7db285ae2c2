"""Opens SQLite (one file, WAL) or PostgreSQL, and hands out transactions that read or write."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from kuaibao.database.errors import DatabaseOpenError
from kuaibao.errors import InputError, MissingExtraError

__all__ = ["Database", "open_database"]

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one."""


class Database:
    """An open database: many readers, one writer at a time (SQLite) or as many as it likes.

    Attributes:
        engine: SQLAlchemy's engine, for rooms that take one.
        url: Where it is, without a password.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=True)
        self._own = threading.local()

    @property
    def is_sqlite(self) -> bool:
        """SQLite rather than PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file, where the database is one."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that sees one state of the database from beginning to end.

        Within another of the same thread it is that one: many small questions of one page then
        cost one transaction, and fit together.
        """
        outer: Connection | None = getattr(self._own, "reading", None)
        if outer is not None:
            yield outer
            return
        with _sizes_told(), self.engine.connect() as connection, connection.begin():
            self._own.reading = connection
            try:
                yield connection
            finally:
                self._own.reading = None

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that is kept whole or not at all.

        On SQLite it takes the writer's place at once (`BEGIN IMMEDIATE`): a transaction that reads
        first and writes later could otherwise fail half-way without waiting.
        """
        with _sizes_told(), self.engine.connect() as connection:
            connection.execution_options(kuaibao_writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection; SQLite folds its write-ahead log into the file."""
        self.engine.dispose()

    def __enter__(self) -> Database:
        """Itself; closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


@contextmanager
def _sizes_told() -> Generator[None]:
    """SQLite keeps 64 bits: a larger number from outside is wrong input, no fault of ours."""
    try:
        yield
    except OverflowError as error:
        if "SQLite" not in str(error):
            raise
        raise InputError("a number is too large: 64 bits are kept") from error


def open_database(where: str | os.PathLike[str]) -> Database:
    """Open a database, making a SQLite file (and its folder) if there is none.

    Args:
        where: A path of a SQLite file, `:memory:`, or an address such as
            `postgresql://name@host/database`.

    Raises:
        DatabaseOpenError: The file is no database, the folder can't be written, the server does
            not answer, or the address is ill-formed.
        MissingExtraError: PostgreSQL's driver is not installed.
    """
    url = _url(os.fspath(where))
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    database = Database(engine)
    try:
        with database.read() as connection:
            connection.exec_driver_sql(
                "select 1" if not database.is_sqlite else "pragma user_version"
            )
    except (DBAPIError, OSError) as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DBAPIError) else error
        first_line = str(cause).strip().partition("\n")[0]
        raise DatabaseOpenError(
            f"can't open the database {database.url}: {first_line}",
            hint="Check the path or address, and that it may be written.",
        ) from error
    return database


def _url(where: str) -> URL:
    if "://" not in where:
        return URL.create("sqlite", database=where)
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise DatabaseOpenError(
            "the database's address is ill-formed",
            hint="It looks like postgresql://name@host/database, or is the path of a file.",
        ) from error
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise DatabaseOpenError(
            f"'{backend}' databases are not supported", hint="Use SQLite (a path) or PostgreSQL."
        )
    return url


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseOpenError(f"can't make the folder of {url.database}: {error}") from error
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # Python's own transaction control would begin late and commit early: we say BEGIN.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}",
            "journal_mode = wal",
            "synchronous = normal",
            "foreign_keys = on",
            "cache_size = -16000",  # 16 MB: bounded whatever the file's size
            "trusted_schema = off",
        ):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("kuaibao_writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtraError("postgres", needed_for="a PostgreSQL database") from error
