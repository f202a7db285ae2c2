"""People, terms, tokens, settings, sources, backups."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

from kuaibao.accounts import ApiKey, Person
from kuaibao.bulletin.desk import (
    NEWCOMER_ROLES,
    Notification,
    Term,
    add_person,
    add_term,
    add_token,
    change_own_password,
    list_notifications,
    list_staff,
    list_terms,
    list_tokens,
    mark_read,
    remove_term,
    reset_password,
    revoke_token,
    set_person,
)
from kuaibao.database import back_up
from kuaibao.errors import InputError
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession, client_address
from kuaibao.web.api.forms import (
    PasswordForm,
    PersonChange,
    PersonForm,
    SettingForm,
    TermForm,
    TokenForm,
)
from kuaibao.web.api.pieces import PieceId
from kuaibao.web.oidc import check_issuer

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["office"])


class NewToken(BaseModel):
    """A token at the only moment when its secret is known."""

    secret: str
    token: ApiKey


class NewPassword(BaseModel):
    """A password at the only moment when it is known."""

    password: str


@router.get("/me")
def me(actor: TokenOrSession) -> Person:
    """Who the caller is."""
    return actor.person


@router.put("/me/password", status_code=204)
def change_password(
    request: Request, desk: DeskOf, actor: TokenOrSession, form: PasswordForm
) -> None:
    """Change one's own password; every session ends. Guesses of the old one are slowed down."""
    change_own_password(desk, actor, form.old, form.new, address=client_address(request))


@router.get("/people")
def people(desk: DeskOf, actor: TokenOrSession) -> list[Person]:
    """Everybody with an account."""
    return list_staff(desk, actor)


@router.post("/people", status_code=201)
def new_person(desk: DeskOf, actor: TokenOrSession, form: PersonForm) -> Person:
    """A new account."""
    return add_person(
        desk, actor, form.name, password=form.password, roles=form.roles,
        display_name=form.display_name, email=form.email,
    )  # fmt: skip


@router.put("/people/{person_id}")
def change_person(
    desk: DeskOf, actor: TokenOrSession, person_id: PieceId, form: PersonChange
) -> Person:
    """Roles, and whether they may come in."""
    return set_person(desk, actor, person_id, roles=form.roles, is_active=form.is_active)


@router.post("/people/{person_id}/password")
def new_password(desk: DeskOf, actor: TokenOrSession, person_id: PieceId) -> NewPassword:
    """A new password for somebody, told once; their sessions end."""
    return NewPassword(password=reset_password(desk, actor, person_id))


@router.get("/terms")
def terms(
    desk: DeskOf, actor: TokenOrSession, q: Annotated[str, Query(max_length=200)] = ""
) -> list[Term]:
    """The glossary."""
    return list_terms(desk, actor, words=q)


@router.post("/terms", status_code=201)
def new_term(desk: DeskOf, actor: TokenOrSession, form: TermForm) -> Term:
    """A row, in the place of one with the same source."""
    values = form.model_dump()
    values["avoid"] = tuple(form.avoid)
    return add_term(desk, actor, Term(**values))


@router.delete("/terms/{term_id}", status_code=204)
def drop_term(desk: DeskOf, actor: TokenOrSession, term_id: PieceId) -> None:
    """Take a row out."""
    remove_term(desk, actor, term_id)


@router.get("/notifications")
def notes(desk: DeskOf, actor: TokenOrSession, unread_only: bool = False) -> list[Notification]:
    """One's own notes, newest first."""
    return list_notifications(desk, actor, unread_only=unread_only)


@router.post("/notifications/read", status_code=204)
def read_notes(desk: DeskOf, actor: TokenOrSession) -> None:
    """Mark all as read."""
    mark_read(desk, actor)


@router.get("/tokens")
def tokens(desk: DeskOf, actor: TokenOrSession) -> list[ApiKey]:
    """One's own tokens, without their secrets."""
    return list_tokens(desk, actor)


@router.post("/tokens", status_code=201)
def new_token(desk: DeskOf, actor: TokenOrSession, form: TokenForm) -> NewToken:
    """A new token; one made by a token is never wider than it."""
    if actor.scopes is not None and not set(form.scopes) <= actor.scopes:
        raise InputError("a token can't give what it does not have")
    secret, token = add_token(desk, actor, form.label, form.scopes, days=form.days)
    return NewToken(secret=secret, token=token)


@router.delete("/tokens/{key_id}", status_code=204)
def end_token(desk: DeskOf, actor: TokenOrSession, key_id: PieceId) -> None:
    """Revoke a token."""
    revoke_token(desk, actor, key_id)


@router.get("/settings")
def settings(desk: DeskOf, actor: TokenOrSession) -> dict[str, str]:
    """Every setting that was made."""
    actor.require("manage_settings")
    return desk.settings()


@router.put("/settings")
def set_setting(desk: DeskOf, actor: TokenOrSession, form: SettingForm) -> dict[str, str]:
    """Change a setting."""
    _check_setting(form.name, form.value.strip())
    desk.set_setting(actor, form.name, form.value)
    return desk.settings()


def _check_setting(name: str, value: str) -> None:
    """The same rules as on the pages."""
    if (
        name in ("model_url", "public_url")
        and value
        and not value.startswith(("http://", "https://"))
    ):
        raise InputError("the address begins with http:// or https://")
    if name == "oidc_issuer" and value:
        check_issuer(value)
    if name == "oidc_role" and value not in NEWCOMER_ROLES:
        raise InputError(f"{value!r} is no role of a newcomer")
    if name == "smtp_security" and value not in ("starttls", "tls", "none"):
        raise InputError("security is starttls, tls or none")


@router.post("/collect", status_code=202)
def collect(actor: TokenOrSession, newsroom: NewsroomOf) -> dict[str, Any]:
    """Ask every source, in the background."""
    return {"is_started": newsroom.collect(actor)}


@router.get("/backup", response_class=FileResponse)
def backup(desk: DeskOf, actor: TokenOrSession) -> FileResponse:
    """A whole copy of the database, made while everybody goes on working."""
    actor.require("back_up")
    with tempfile.NamedTemporaryFile(suffix=".db", prefix="kuaibao-", delete=False) as file:
        path = Path(file.name)
    back_up(desk.store.database, path)
    return FileResponse(
        path, filename="kuaibao-backup.db", media_type="application/vnd.sqlite3",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )  # fmt: skip
