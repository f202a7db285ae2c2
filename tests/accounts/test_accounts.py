"""People sign in, keys open doors, the log remembers."""

import sqlite3

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from kuaibao import accounts
from kuaibao.accounts import passwords, tables
from kuaibao.errors import InputError


@pytest.fixture
def connection(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as opened:
        accounts.create_tables(opened)
        yield opened
    engine.dispose()


@pytest.fixture
def lin(connection):
    return accounts.create_person(
        connection, "lin", password="a long password", roles=["editor"], display_name="林一"
    )


def test_a_person_signs_in_with_the_right_password_only(connection, lin):
    signed = accounts.sign_in(connection, "lin", "a long password", address="::1")
    assert signed == lin
    for name, password in [("lin", "a long passwore"), ("nobody", "a long password"), ("lin", "")]:
        with pytest.raises(accounts.SignInError):
            accounts.sign_in(connection, name, password, address="::1")


def test_a_password_is_never_stored(connection, lin):
    row = connection.execute(tables.person.select()).one()
    assert row.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_has_a_length(connection, password):
    with pytest.raises(InputError, match="characters"):
        accounts.create_person(connection, "a", password=password, roles=[])


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 101, "line\n"])
def test_a_name_is_one_word(connection, name):
    with pytest.raises(InputError, match="no name"):
        accounts.create_person(connection, name, password=None, roles=[])


def test_guessing_is_stopped_and_allowed_again_later(connection, lin):
    for _ in range(5):
        with pytest.raises(accounts.SignInError):
            accounts.sign_in(connection, "lin", "wrong password", address="1.2.3.4", now=1000)
    with pytest.raises(accounts.TooManyAttemptsError) as caught:
        accounts.sign_in(connection, "lin", "a long password", address="9.9.9.9", now=1001)
    assert 0 < caught.value.retry_after_s <= 300
    assert accounts.sign_in(connection, "lin", "a long password", address="9.9.9.9", now=1302)


def test_an_account_without_a_password_cannot_be_opened_by_one(connection):
    accounts.create_person(connection, "guest", password=None, roles=["reader"])
    for guess in ["", "nobody's password", "anything at all"]:
        with pytest.raises(accounts.SignInError):
            accounts.sign_in(connection, "guest", guess, address="::1")


def test_a_session_lives_until_it_ends_or_expires(connection, lin):
    secret, session = accounts.start_session(connection, lin, now=0)
    assert accounts.find_session(connection, secret, now=10) == session
    assert accounts.find_session(connection, secret, now=session.expires_at + 1) is None
    assert accounts.find_session(connection, secret + "x", now=10) is None
    accounts.end_session(connection, secret)
    assert accounts.find_session(connection, secret, now=10) is None


def test_shutting_somebody_out_ends_sessions_and_keys(connection, lin):
    secret, _ = accounts.start_session(connection, lin, now=0)
    key, _ = accounts.create_key(connection, lin, scopes=["read"])
    accounts.set_active(connection, lin.person_id, False)
    assert accounts.find_session(connection, secret, now=1) is None
    with pytest.raises(accounts.InvalidKeyError, match="no access"):
        accounts.check_key(connection, key)
    with pytest.raises(accounts.SignInError):
        accounts.sign_in(connection, "lin", "a long password", address="::1")


def test_a_key_is_shown_once_and_kept_hashed(connection, lin):
    secret, key = accounts.create_key(connection, lin, label="ci", scopes=["write", "read"])
    assert key.scopes == ("read", "write")
    assert secret.startswith(key.prefix)
    stored = connection.execute(tables.api_key.select()).one()
    assert secret not in str(stored)
    assert accounts.check_key(connection, secret)[1] == lin


def test_a_key_expires_is_revoked_and_rotates(connection, lin):
    secret, key = accounts.create_key(connection, lin, expires_at=100, now=0)
    with pytest.raises(accounts.InvalidKeyError, match="expired"):
        accounts.check_key(connection, secret, now=101)
    fresh, successor = accounts.rotate_key(connection, key.key_id, grace_s=10, now=50)
    assert successor.expires_at == 150
    accounts.check_key(connection, secret, now=59)
    with pytest.raises(accounts.InvalidKeyError):
        accounts.check_key(connection, secret, now=61)
    accounts.revoke_key(connection, successor.key_id, now=70)
    with pytest.raises(accounts.InvalidKeyError, match="revoked"):
        accounts.check_key(connection, fresh, now=71)
    with pytest.raises(InputError, match="revoked"):
        accounts.rotate_key(connection, successor.key_id, now=72)


TABLE = accounts.PermissionTable(
    ("administrator", "reader"),
    {"read": frozenset({"administrator", "reader"}), "delete": frozenset({"administrator"})},
)


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("administrator", "read", True),
        ("administrator", "delete", True),
        ("reader", "read", True),
        ("reader", "delete", False),
        ("stranger", "read", False),
    ],
)
def test_the_permission_table_says_who_may_do_what(role, action, allowed):
    assert TABLE.is_allowed([role], action) is allowed
    if not allowed:
        with pytest.raises(accounts.PermissionDeniedError, match=action):
            TABLE.require([role], action)


def test_asking_for_an_unknown_action_is_a_slip_that_shows():
    with pytest.raises(ValueError, match="Did you mean 'read'"):
        TABLE.is_allowed(["reader"], "raed")
    with pytest.raises(ValueError, match="unknown role"):
        accounts.PermissionTable(("a",), {"x": frozenset({"b"})})


def _log(connection, n):
    for i in range(n):
        accounts.append_audit(
            connection, chain="c", actor="lin", action="approve", subject=f"app:{i}",
            details={"理由": "ok", "n": i}, now=i,
        )  # fmt: skip


def test_an_untouched_log_verifies(connection):
    _log(connection, 5)
    assert accounts.verify_audit(connection, chain="c") == 5
    assert accounts.verify_audit(connection, chain="empty") == 0
    assert accounts.list_audit(connection, chain="c", after=3)[0].details == {"理由": "ok", "n": 3}
    latest = accounts.latest_audit(connection, chain="c", limit=2)
    assert latest == accounts.list_audit(connection, chain="c")[:-3:-1]


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "details", "hash"])
def test_any_change_of_the_log_shows(connection, column):
    _log(connection, 5)
    connection.exec_driver_sql("drop trigger if exists audit_no_update")
    value = {"at": 9.5, "details": '{"n":7}'}.get(column, "forged")
    connection.execute(
        update(tables.audit).where(tables.audit.c.position == 3).values({column: value})
    )
    with pytest.raises(accounts.BrokenAuditError, match=r"3|4"):
        accounts.verify_audit(connection, chain="c")


def test_a_removed_entry_and_a_cut_off_end_show(connection):
    _log(connection, 5)
    last = accounts.list_audit(connection, chain="c")[-1].hash
    connection.exec_driver_sql("drop trigger if exists audit_no_delete")
    connection.exec_driver_sql("delete from audit where position = 5")
    assert accounts.verify_audit(connection, chain="c") == 4
    with pytest.raises(accounts.BrokenAuditError, match="cut off"):
        accounts.verify_audit(connection, chain="c", expected_last_hash=last)
    connection.exec_driver_sql("delete from audit where position = 2")
    with pytest.raises(accounts.BrokenAuditError, match="missing"):
        accounts.verify_audit(connection, chain="c")


@pytest.mark.parametrize("statement", ["update audit set actor = 'x'", "delete from audit"])
def test_the_database_itself_refuses_to_rewrite_the_log(connection, statement):
    _log(connection, 1)
    with pytest.raises((sqlalchemy.exc.IntegrityError, sqlite3.Error), match="append-only"):
        connection.exec_driver_sql(statement)


@given(st.text())
def test_any_text_can_be_tried_as_a_password(text):
    stored = passwords.hash_password("a long password")
    assert passwords.verify_password(stored, text) is (text == "a long password")
