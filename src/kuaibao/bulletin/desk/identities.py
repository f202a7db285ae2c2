"""People whom another house vouches for: known by its name for them, linked by their address."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from kuaibao import accounts
from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.errors import KuaibaoError

__all__ = ["NEWCOMER_ROLES", "NoAccountError", "Vouched", "admit"]

NEWCOMER_ROLES = ("", "reader", "compiler", "proofreader")
"""What somebody without an account becomes; empty: nobody comes in without one."""


class NoAccountError(KuaibaoError):
    """The house vouches for somebody who has no account here."""


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """What a house says of somebody."""

    issuer: str
    subject: str
    """The house's own name for them: never given to another person."""
    email: str = ""
    is_email_verified: bool = False
    name: str = ""
    """How they like to be called."""


def admit(desk: Desk, who: Vouched, *, newcomer_role: str = "") -> accounts.Person:
    """The person: known by subject; else the only one with the verified address; else a newcomer.

    Raises:
        NoAccountError: None of these, or the account is shut.
    """
    with desk.change() as change:
        person = _known(change.connection, who)
        if person is None:
            person = _by_address(change.connection, who) or _newcomer(change, who, newcomer_role)
            _link(change, who, person)
        if not person.is_active:
            raise NoAccountError("the account is shut")
        return person


def _known(connection: Connection, who: Vouched) -> accounts.Person | None:
    columns = tables.identity.c
    person_id = connection.execute(
        select(columns.person_id).where(
            columns.issuer == who.issuer, columns.subject == who.subject
        )
    ).scalar()
    return None if person_id is None else accounts.get_person(connection, person_id)


def _by_address(connection: Connection, who: Vouched) -> accounts.Person | None:
    if not who.is_email_verified or "@" not in who.email:
        return None
    wanted = who.email.casefold()
    found = [p for p in accounts.list_people(connection) if p.email.casefold() == wanted]
    return found[0] if len(found) == 1 else None


def _newcomer(change: Change, who: Vouched, role: str) -> accounts.Person:
    if role not in NEWCOMER_ROLES or not role:
        raise NoAccountError("nobody here has this address", hint="Ask an administrator.")
    base = re.sub(r"[^\w.-]", "", who.email.partition("@")[0] or who.name)[:60] or "reader"
    name = base
    while accounts.find_person(change.connection, name) is not None:
        name = f"{base}-{secrets.token_hex(3)}"
    return accounts.create_person(
        change.connection, name, password=None, roles=[role],
        display_name=" ".join(who.name.split())[:100] or base,
        email=who.email[:320] if who.is_email_verified else "",
    )  # fmt: skip


def _link(change: Change, who: Vouched, person: accounts.Person) -> None:
    n_known = change.connection.execute(
        select(func.count()).where(tables.identity.c.person_id == person.person_id)
    ).scalar_one()
    change.connection.execute(
        insert(tables.identity).values(
            issuer=who.issuer, subject=who.subject, person_id=person.person_id, at=change.desk.now
        )
    )
    change.log(
        Actor(person), "link_identity",
        details={"issuer": who.issuer, "person": person.person_id, "others": n_known},
    )  # fmt: skip
