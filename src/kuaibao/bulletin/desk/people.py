"""People at the desk: the first administrator, accounts, roles, tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from kuaibao import accounts
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import WorkflowError
from kuaibao.bulletin.desk.roles import ROLES, SCOPES, Actor
from kuaibao.errors import InputError, did_you_mean

__all__ = [
    "add_person", "add_token", "change_own_password", "first_administrator", "has_people",
    "list_staff", "list_tokens", "reset_password", "revoke_token", "set_person",
]  # fmt: skip


def has_people(desk: Desk) -> bool:
    """Whether anybody can sign in."""
    with desk.store.database.read() as connection:
        return bool(accounts.list_people(connection))


def first_administrator(
    desk: Desk, name: str, password: str | None = None, *, language: str = "en"
) -> tuple[accounts.Person, str] | None:
    """Make the administrator of a desk without people, once; gives the password too.

    The check and the making are one transaction: two first starts make one administrator.
    """
    password = password or f"{secrets.token_urlsafe(12)}"
    with desk.store.database.write() as connection:
        if accounts.list_people(connection):
            return None
        person = accounts.create_person(
            connection, name, password=password, roles=["administrator", "editor"],
            language=language,
        )  # fmt: skip
        return person, password


def list_staff(desk: Desk, actor: Actor) -> list[accounts.Person]:
    """Everybody with an account."""
    actor.require("see_people")
    with desk.store.database.read() as connection:
        return accounts.list_people(connection)


def add_person(
    desk: Desk, actor: Actor, name: str, *, password: str, roles: Iterable[str],
    display_name: str = "", email: str = "", language: str = "en",
) -> accounts.Person:  # fmt: skip
    """A new account.

    Raises:
        InputError: The name is taken, the password too short, a role unknown.
    """
    actor.require("manage_people")
    wanted = _roles(roles)
    with desk.change() as change:
        person = accounts.create_person(
            change.connection, name.strip(), password=password, roles=wanted,
            display_name=" ".join(display_name.split())[:100], email=email.strip()[:320],
            language=language,
        )  # fmt: skip
        change.log(actor, "add_person", details={"name": name, "roles": wanted})
        return person


def set_person(
    desk: Desk, actor: Actor, person_id: int, *, roles: Iterable[str], is_active: bool
) -> accounts.Person:
    """Change somebody's roles, let them in or shut them out.

    Raises:
        WorkflowError: The last administrator would be gone.
    """
    actor.require("manage_people")
    wanted = _roles(roles)
    with desk.change() as change:
        accounts.get_person(change.connection, person_id)
        others = [
            p
            for p in accounts.list_people(change.connection)
            if p.person_id != person_id and p.is_active and "administrator" in p.roles
        ]
        if not others and not (is_active and "administrator" in wanted):
            raise WorkflowError("the desk needs an administrator", reason="last_administrator")
        accounts.set_roles(change.connection, person_id, wanted)
        accounts.set_active(change.connection, person_id, is_active)
        change.log(
            actor, "set_person",
            details={"person": person_id, "roles": wanted, "is_active": is_active},
        )  # fmt: skip
        return accounts.get_person(change.connection, person_id)


def reset_password(desk: Desk, actor: Actor, person_id: int) -> str:
    """A new password for somebody, shown once; their sessions end."""
    actor.require("manage_people")
    password = secrets.token_urlsafe(12)
    with desk.change() as change:
        accounts.get_person(change.connection, person_id)
        accounts.set_password(change.connection, person_id, password)
        change.log(actor, "reset_password", details={"person": person_id})
    return password


def change_own_password(desk: Desk, actor: Actor, old: str, new: str, *, address: str) -> None:
    """Change one's own password; every session ends. Guesses of the old one count as sign-ins.

    Raises:
        SignInError: The old password is wrong.
    """
    error: accounts.AccountsError | None = None
    with desk.store.database.write() as connection:
        try:
            accounts.sign_in(connection, actor.person.name, old, address=address)
            accounts.set_password(connection, actor.person_id, new)
        except (accounts.SignInError, accounts.TooManyAttemptsError) as wrong:
            error = wrong  # the count of failures has to be kept
    if error is not None:
        raise error


def list_tokens(desk: Desk, actor: Actor) -> list[accounts.ApiKey]:
    """One's own tokens."""
    with desk.store.database.read() as connection:
        return accounts.list_keys(connection, person_id=actor.person_id)


def add_token(
    desk: Desk, actor: Actor, label: str, scopes: Iterable[str], *, days: int = 90
) -> tuple[str, accounts.ApiKey]:
    """A new token of one's own; its secret is shown once.

    Raises:
        InputError: A scope is unknown, or there is none.
    """
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise InputError(f"unknown scope {scope!r}", hint=did_you_mean(scope, SCOPES))
    if not wanted:
        raise InputError("a token has at least one scope", hint=f"Known: {', '.join(SCOPES)}.")
    if not 1 <= days <= 3650:
        raise InputError("a token lasts 1 to 3650 days")
    with desk.change() as change:
        made = accounts.create_key(
            change.connection, actor.person, label=label.strip()[:200], scopes=wanted,
            expires_at=desk.now + days * 86_400, now=desk.now,
        )  # fmt: skip
        change.log(actor, "add_token", details={"prefix": made[1].prefix, "scopes": wanted})
        return made


def revoke_token(desk: Desk, actor: Actor, key_id: int) -> None:
    """End one of one's own tokens; an administrator may end anybody's."""
    with desk.change() as change:
        own = {k.key_id for k in accounts.list_keys(change.connection, person_id=actor.person_id)}
        if key_id not in own:
            actor.require("manage_people")
        accounts.revoke_key(change.connection, key_id)
        change.log(actor, "revoke_token", details={"key": key_id})


def _roles(roles: Iterable[str]) -> list[str]:
    wanted = sorted(set(roles))
    for role in wanted:
        if role not in ROLES:
            raise InputError(f"unknown role {role!r}", hint=did_you_mean(role, ROLES))
    if not wanted:
        raise InputError("a person has at least one role", hint=f"Known: {', '.join(ROLES)}.")
    return wanted
