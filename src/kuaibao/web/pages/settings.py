"""Settings: one's own account and tokens, the desk's, what the issues of a series share."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    AUDIT_CHAIN,
    KEY_VARIABLE,
    NEWCOMER_ROLES,
    SCOPES,
    Section,
    Series,
    add_series,
    add_token,
    change_own_password,
    get_series,
    list_tokens,
    revoke_token,
    set_series,
)
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.publishing import DEFAULT_ACCENT
from kuaibao.errors import InputError
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, client_address
from kuaibao.web.oidc import SECRET_VARIABLE, check_issuer
from kuaibao.web.rendering import make_ui, of_one_state, render_page
from kuaibao.web.words import LANGUAGES

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_N_AUDIT = 30
"""Entries of the log that the page shows."""


@router.get("/settings")
@of_one_state
def settings_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """One's own account; for administrators the desk's settings."""
    return _settings(request, desk, actor)


@router.post("/settings/password", dependencies=CHECKED)
def change_password(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    old: Annotated[str, Form()],
    new: Annotated[str, Form()],
) -> Response:
    """Change one's own password; every session ends."""
    change_own_password(desk, actor, old, new, address=client_address(request))
    return RedirectResponse("/signin", 303)


@router.post("/settings/tokens", dependencies=CHECKED)
def new_token(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    label: Annotated[str, Form()] = "",
    days: Annotated[int, Form()] = 90,
    scope: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """A token for the API, shown once."""
    secret, _ = add_token(desk, actor, label, scope or [], days=days)
    return _settings(request, desk, actor, secret=secret)


@router.post("/settings/tokens/{key_id}", dependencies=CHECKED)
def end_token(desk: DeskOf, actor: ActorOf, key_id: int) -> Response:
    """Revoke a token."""
    revoke_token(desk, actor, key_id)
    return RedirectResponse("/settings", 303)


@router.post("/settings/desk", dependencies=CHECKED)
def change_settings(
    desk: DeskOf,
    actor: ActorOf,
    anonymous_reading: Annotated[bool, Form()] = False,
    model_url: Annotated[str, Form()] = "",
    model_name: Annotated[str, Form()] = "",
    translator_folder: Annotated[str, Form()] = "",
    oidc_issuer: Annotated[str, Form()] = "",
    oidc_client_id: Annotated[str, Form()] = "",
    oidc_role: Annotated[str, Form()] = "",
) -> Response:
    """The desk's own settings."""
    url = model_url.strip()
    if url and not url.startswith(("http://", "https://")):
        raise InputError("the endpoint's address begins with http:// or https://")
    if oidc_issuer.strip():
        check_issuer(oidc_issuer.strip())
    if oidc_role not in NEWCOMER_ROLES:
        raise InputError(f"{oidc_role!r} is no role of a newcomer")
    desk.set_setting(actor, "oidc_issuer", oidc_issuer.strip()[:500])
    desk.set_setting(actor, "oidc_client_id", oidc_client_id.strip()[:200])
    desk.set_setting(actor, "oidc_role", oidc_role)
    desk.set_setting(actor, "anonymous_reading", "yes" if anonymous_reading else "no")
    desk.set_setting(actor, "model_url", url)
    desk.set_setting(actor, "model_name", model_name.strip()[:200])
    desk.set_setting(actor, "translator_folder", translator_folder.strip()[:1000])
    return RedirectResponse("/settings", 303)


@router.post("/settings/series", dependencies=CHECKED)
def new_series(
    desk: DeskOf, actor: ActorOf, name: Annotated[str, Form()], language: Annotated[str, Form()]
) -> Response:
    """Another bulletin over the same collection."""
    add_series(desk, actor, Series(name=name, language=language, text_languages=(language, "*")))
    return RedirectResponse("/settings", 303)


@router.post("/settings/series/{series_id}", dependencies=CHECKED)
def change_series(
    desk: DeskOf,
    actor: ActorOf,
    series_id: int,
    name: Annotated[str, Form()],
    publisher: Annotated[str, Form()] = "",
    editors: Annotated[str, Form()] = "",
    contact: Annotated[str, Form()] = "",
    base_url: Annotated[str, Form()] = "",
    disclaimer: Annotated[str, Form()] = "",
    accent: Annotated[str, Form()] = "",
    days_between: Annotated[int, Form(ge=1, le=1000)] = 30,
    repeat_after: Annotated[int, Form(ge=0, le=1000)] = 6,
    section: Annotated[list[str] | None, Form()] = None,
    heading: Annotated[list[str] | None, Form()] = None,
    labels: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """What the issues of a series share."""
    known = get_series(desk, series_id)
    given = list(zip(section or (), heading or (), labels or (), strict=False))
    sections = tuple(
        Section(kind=kind, title=title.strip(),
                fields=tuple(f.strip() for f in parts.replace("，", ",").split(",") if f.strip()))
        for kind, title, parts in given
    )  # fmt: skip
    changed = dataclasses.replace(
        known, name=name.strip(), publisher=publisher.strip(),
        editors=tuple(e.strip() for e in editors.split(",") if e.strip()),
        contact=contact.strip(), base_url=base_url.strip(), disclaimer=disclaimer.strip(),
        accent="" if accent == DEFAULT_ACCENT else accent,
        days_between=days_between, repeat_after=repeat_after,
        sections=sections or known.sections,
    )  # fmt: skip
    set_series(desk, actor, changed)
    return RedirectResponse("/settings", 303)


def _settings(request: Request, desk: Desk, actor: ActorOf, secret: str = "") -> Response:
    ui = make_ui(request)
    entries: list[Any] = []
    if actor.may("see_audit"):
        with desk.store.database.read() as connection:
            entries = accounts.latest_audit(connection, chain=AUDIT_CHAIN, limit=_N_AUDIT)
    return render_page(
        request, "settings.html", ui=ui, tokens=list_tokens(desk, actor), scopes=SCOPES,
        secret=secret, settings=desk.settings(), audit=entries,
        key_variable=KEY_VARIABLE, oidc_variable=SECRET_VARIABLE, newcomer_roles=NEWCOMER_ROLES,
        languages=LANGUAGES, default_accent=DEFAULT_ACCENT,
    )  # fmt: skip
