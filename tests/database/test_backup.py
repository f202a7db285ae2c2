"""Copies of a database in use, and the way back into one in use."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import text

from kuaibao.database import back_up, open_database, restore
from kuaibao.database.errors import BackupError


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "a.db")
    with opened.write() as connection:
        connection.execute(text("create table t (x integer)"))
        connection.execute(text("insert into t values (1), (2), (3)"))
    yield opened
    opened.close()


def count(database):
    with database.read() as connection:
        return connection.execute(text("select count(*) from t")).scalar_one()


def add(database):
    with database.write() as connection:
        connection.execute(text("insert into t values (9)"))


def test_a_database_in_use_gets_the_copy_and_goes_on(database, tmp_path):
    copy = back_up(database, tmp_path / "copy.db")
    for _ in range(5):
        add(database)
    assert count(database) == 8
    restore(copy, database.path)
    assert count(database) == 3
    add(database)
    assert count(database) == 4


def test_who_reads_and_writes_meanwhile_sees_one_state_or_the_other(database, tmp_path):
    copy = back_up(database, tmp_path / "copy.db")
    done, troubles, turns = threading.Event(), [], threading.Semaphore(0)

    def read():
        while not done.is_set():
            with database.read() as connection:
                query = text("select count(*) from t")
                one, two = (connection.execute(query).scalar_one() for _ in range(2))
            if one != two:
                troubles.append((one, two))
            turns.release()

    def write():
        while not done.is_set():
            add(database)
            turns.release()

    threads = [threading.Thread(target=work) for work in (read, write)]
    for one in threads:
        one.start()
    for _ in range(5):
        for _ in range(10):
            assert turns.acquire(timeout=60)
        restore(copy, database.path)
    done.set()
    for one in threads:
        one.join(60)
    assert troubles == []
    with closing(sqlite3.connect(database.path)) as opened:
        assert opened.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_ruined_database_is_replaced_and_a_missing_one_made(database, tmp_path):
    copy = back_up(database, tmp_path / "copy.db")
    ruined = tmp_path / "ruined.db"
    ruined.write_bytes(b"gone")
    for target in (ruined, tmp_path / "new.db"):
        restore(copy, target)
        with closing(sqlite3.connect(target)) as opened:
            assert opened.execute("select count(*) from t").fetchone() == (3,)


def test_what_is_no_database_is_refused_and_changes_nothing(database, tmp_path):
    (tmp_path / "copy.db").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupError, match="not a whole SQLite database"):
        restore(tmp_path / "copy.db", database.path)
    assert count(database) == 3
