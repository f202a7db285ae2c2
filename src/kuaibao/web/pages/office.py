"""People, sources, terms, notes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from kuaibao.bulletin.desk import (
    ERROR_CLASSES,
    ROLES,
    Term,
    add_person,
    add_term,
    count_errors,
    list_notifications,
    list_staff,
    list_terms,
    mark_read,
    people_by_id,
    remove_term,
    reset_password,
    set_person,
)
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.sources.health import Health, judge
from kuaibao.bulletin.store import tables as store_tables
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf
from kuaibao.web.rendering import of_one_state, render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/people")
@of_one_state
def people_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Who works here, and what proofreading finds."""
    return _people(request, desk, actor)


@router.post("/people", dependencies=CHECKED)
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


@router.post("/people/{person_id}", dependencies=CHECKED)
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


@router.post("/people/{person_id}/password", dependencies=CHECKED)
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


@router.post("/sources/collect", dependencies=CHECKED)
def collect_now(actor: ActorOf, newsroom: NewsroomOf) -> Response:
    """Ask every source, in the background."""
    newsroom.collect(actor)
    return RedirectResponse("/sources", 303)


@router.get("/terms")
@of_one_state
def terms_page(request: Request, desk: DeskOf, actor: ActorOf, q: str = "") -> Response:
    """The glossary."""
    return render_page(request, "terms.html", terms=list_terms(desk, actor, words=q), q=q)


@router.post("/terms", dependencies=CHECKED)
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


@router.post("/terms/{term_id}/remove", dependencies=CHECKED)
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


@router.post("/notes", dependencies=CHECKED)
def read_notes(
    desk: DeskOf, actor: ActorOf, notification_id: Annotated[int | None, Form()] = None
) -> Response:
    """Mark as read."""
    mark_read(desk, actor, notification_id)
    return RedirectResponse("/notes", 303)


def _people(
    request: Request, desk: Desk, actor: ActorOf, shown: tuple[int, str] | None = None
) -> Response:
    staff = list_staff(desk, actor)
    return render_page(
        request, "people.html", staff=staff, roles=ROLES, shown=shown,
        errors=count_errors(desk, actor), error_classes=ERROR_CLASSES, people=people_by_id(desk),
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
