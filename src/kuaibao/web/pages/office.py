"""People, sources, terms, notes, settings."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    AUDIT_CHAIN,
    ERROR_CLASSES,
    KEY_VARIABLE,
    NEWCOMER_ROLES,
    ROLES,
    SCOPES,
    Section,
    Term,
    add_person,
    add_term,
    add_token,
    change_own_password,
    count_errors,
    get_series,
    list_notifications,
    list_staff,
    list_terms,
    list_tokens,
    mark_read,
    people_by_id,
    remove_term,
    reset_password,
    revoke_token,
    set_person,
    set_series,
)
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.sources.health import Health, judge
from kuaibao.bulletin.store import tables as store_tables
from kuaibao.errors import InputError
from kuaibao.web.access import ActorOf, DeskOf, NewsroomOf, check_csrf, client_address
from kuaibao.web.oidc import SECRET_VARIABLE, check_issuer
from kuaibao.web.rendering import make_ui, of_one_state, render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_CHECKED = [Depends(check_csrf)]


@router.get("/people")
@of_one_state
def people_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Who works here, and what proofreading finds."""
    return _people(request, desk, actor)


@router.post("/people", dependencies=_CHECKED)
def new_person(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    display_name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    role: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """A new account."""
    add_person(
        desk, actor, name, password=password, roles=role or [], display_name=display_name,
        email=email,
    )  # fmt: skip
    return RedirectResponse("/people", 303)


@router.post("/people/{person_id}", dependencies=_CHECKED)
def change_person(
    desk: DeskOf,
    actor: ActorOf,
    person_id: int,
    role: Annotated[list[str] | None, Form()] = None,
    is_active: Annotated[bool, Form()] = False,
) -> Response:
    """Roles, and whether they may come in."""
    set_person(desk, actor, person_id, roles=role or [], is_active=is_active)
    return RedirectResponse("/people", 303)


@router.post("/people/{person_id}/password", dependencies=_CHECKED)
def new_password(request: Request, desk: DeskOf, actor: ActorOf, person_id: int) -> Response:
    """A new password, shown once."""
    password = reset_password(desk, actor, person_id)
    return _people(request, desk, actor, shown=(person_id, password))


@router.get("/sources")
def sources_page(request: Request, desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf) -> Response:
    """How each source fares: “nothing new” is not “broken”."""
    actor.require("see_sources")
    rows = [
        (one.source.source_id, one.source.kind, *_health(desk, one.source.source_id))
        for one in newsroom.config.sources
    ]
    return render_page(
        request, "sources.html", rows=rows, is_collecting=newsroom.is_collecting,
        failures=newsroom.failures,
    )  # fmt: skip


@router.post("/sources/collect", dependencies=_CHECKED)
def collect_now(actor: ActorOf, newsroom: NewsroomOf) -> Response:
    """Ask every source, in the background."""
    newsroom.collect(actor)
    return RedirectResponse("/sources", 303)


@router.get("/terms")
@of_one_state
def terms_page(request: Request, desk: DeskOf, actor: ActorOf, q: str = "") -> Response:
    """The glossary."""
    return render_page(request, "terms.html", terms=list_terms(desk, actor, words=q), q=q)


@router.post("/terms", dependencies=_CHECKED)
def new_term(
    desk: DeskOf,
    actor: ActorOf,
    source: Annotated[str, Form()],
    target: Annotated[str, Form()],
    languages: Annotated[str, Form()] = "en-zh",
    avoid: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    needs_original: Annotated[bool, Form()] = False,
) -> Response:
    """A new row, in the place of one with the same source."""
    source_language, _, target_language = languages.partition("-")
    term = Term(
        source_language=source_language, target_language=target_language, source=source,
        target=target, avoid=tuple(avoid.replace("；", ";").split(";")), note=note,
        needs_original=needs_original,
    )  # fmt: skip
    add_term(desk, actor, term)
    return RedirectResponse("/terms", 303)


@router.post("/terms/{term_id}/remove", dependencies=_CHECKED)
def drop_term(desk: DeskOf, actor: ActorOf, term_id: int) -> Response:
    """Take a row out."""
    remove_term(desk, actor, term_id)
    return RedirectResponse("/terms", 303)


@router.get("/notes")
@of_one_state
def notes_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """What others want me to know."""
    notes = list_notifications(desk, actor)
    return render_page(request, "notes.html", notes=notes)


@router.post("/notes", dependencies=_CHECKED)
def read_notes(
    desk: DeskOf, actor: ActorOf, notification_id: Annotated[int | None, Form()] = None
) -> Response:
    """Mark as read."""
    mark_read(desk, actor, notification_id)
    return RedirectResponse("/notes", 303)


@router.get("/settings")
@of_one_state
def settings_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """One's own account; for administrators the desk's settings."""
    return _settings(request, desk, actor)


@router.post("/settings/password", dependencies=_CHECKED)
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


@router.post("/settings/tokens", dependencies=_CHECKED)
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


@router.post("/settings/tokens/{key_id}", dependencies=_CHECKED)
def end_token(desk: DeskOf, actor: ActorOf, key_id: int) -> Response:
    """Revoke a token."""
    revoke_token(desk, actor, key_id)
    return RedirectResponse("/settings", 303)


@router.post("/settings/desk", dependencies=_CHECKED)
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


@router.post("/settings/series/{series_id}", dependencies=_CHECKED)
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
        days_between=days_between, repeat_after=repeat_after,
        sections=sections or known.sections,
    )  # fmt: skip
    set_series(desk, actor, changed)
    return RedirectResponse("/settings", 303)


def _people(
    request: Request, desk: Desk, actor: ActorOf, shown: tuple[int, str] | None = None
) -> Response:
    staff = list_staff(desk, actor)
    return render_page(
        request, "people.html", staff=staff, roles=ROLES, shown=shown,
        errors=count_errors(desk, actor), error_classes=ERROR_CLASSES, people=people_by_id(desk),
    )  # fmt: skip


def _settings(request: Request, desk: Desk, actor: ActorOf, secret: str = "") -> Response:
    ui = make_ui(request)
    entries: list[Any] = []
    if actor.may("see_audit"):
        with desk.store.database.read() as connection:
            entries = accounts.list_audit(connection, chain=AUDIT_CHAIN, limit=100_000)[-30:]
    return render_page(
        request, "settings.html", ui=ui, tokens=list_tokens(desk, actor), scopes=SCOPES,
        secret=secret, settings=desk.settings(), audit=list(reversed(entries)),
        key_variable=KEY_VARIABLE, oidc_variable=SECRET_VARIABLE, newcomer_roles=NEWCOMER_ROLES,
    )  # fmt: skip


def _health(desk: Desk, source_id: str) -> tuple[Health | None, str]:
    columns = store_tables.source.c
    query = select(columns.state, columns.status, columns.message, columns.asked_at).where(
        columns.source_id == source_id
    )
    with desk.store.database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None, ""
    state = {str(k): str(v) for k, v in json.loads(row.state).items()}
    now = datetime.fromtimestamp(desk.now, UTC)
    return judge(state, row.status, row.message, now), row.asked_at
