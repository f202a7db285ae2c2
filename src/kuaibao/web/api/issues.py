"""Issues and series: make, fill, order, close, publish, correct."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from kuaibao.bulletin.desk import (
    MAX_NUMBER,
    DeskIssue,
    Erratum,
    Obstacle,
    Piece,
    Section,
    Series,
    add_series,
    ask_to_publish,
    close_issue,
    correct_issue,
    draft_issue,
    get_desk_issue,
    get_series,
    issue_pieces,
    list_issues,
    list_series,
    make_issue,
    obstacles_of,
    place_piece,
    reopen_issue,
    reorder,
    set_issue,
    set_series,
)
from kuaibao.bulletin.publishing import render
from kuaibao.web.access import DeskOf, NewsroomOf, TokenOrSession
from kuaibao.web.api.forms import (
    CorrectForm,
    IssueChange,
    IssueForm,
    NewSeriesForm,
    OrderForm,
    PlaceForm,
    SeriesForm,
)
from kuaibao.web.api.pieces import PieceId

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["issues"])
_TYPES = (Erratum,)  # what DeskIssue is made of


@router.get("/series")
def series(desk: DeskOf, actor: TokenOrSession) -> list[Series]:
    """Every series."""
    actor.require("read_desk")
    return list_series(desk)


@router.post("/series", status_code=201)
def new_series(desk: DeskOf, actor: TokenOrSession, form: NewSeriesForm) -> Series:
    """Another bulletin over the same collection."""
    own = (form.language, "*")
    return add_series(
        desk, actor, Series(name=form.name, language=form.language, text_languages=own)
    )


@router.get("/series/{series_id}")
def one_series(desk: DeskOf, actor: TokenOrSession, series_id: PieceId) -> Series:
    """One series."""
    actor.require("read_desk")
    return get_series(desk, series_id)


@router.put("/series/{series_id}")
def change_series(
    desk: DeskOf, actor: TokenOrSession, series_id: PieceId, form: SeriesForm
) -> Series:
    """What the issues of a series share; fields that are not given stay as they are."""
    values = form.model_dump(exclude_none=True)
    if form.editors is not None:
        values["editors"] = tuple(form.editors)
    if form.sections is not None:
        values["sections"] = tuple(
            Section(kind=s.kind, title=s.title, fields=tuple(s.fields)) for s in form.sections
        )
    return set_series(desk, actor, dataclasses.replace(get_series(desk, series_id), **values))


@router.get("/issues")
def issues(
    desk: DeskOf,
    actor: TokenOrSession,
    series_id: Annotated[int | None, Query(ge=0, le=MAX_NUMBER)] = None,
) -> list[DeskIssue]:
    """Issues, the newest first; readers see the published ones."""
    actor.require("read_published")
    state = "" if actor.may("read_desk") else "published"
    return list_issues(desk, series_id=series_id, state=state)


@router.post("/issues", status_code=201)
def new_issue(desk: DeskOf, actor: TokenOrSession, form: IssueForm) -> DeskIssue:
    """Open the next issue of a series."""
    return make_issue(desk, actor, form.series_id, day=form.day, title=form.title)


@router.get("/issues/{issue_id}")
def issue(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> DeskIssue:
    """One issue."""
    found = get_desk_issue(desk, issue_id)
    actor.require("read_published" if found.state == "published" else "read_desk")
    return found


@router.put("/issues/{issue_id}")
def change(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId, form: IssueChange) -> DeskIssue:
    """Title, day, highlights."""
    return set_issue(
        desk, actor, issue_id, title=form.title, day=form.day, highlights=form.highlights
    )


@router.get("/issues/{issue_id}/pieces")
def pieces(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> list[Piece]:
    """The items in print order."""
    actor.require("read_desk")
    get_desk_issue(desk, issue_id)
    return issue_pieces(desk, issue_id)


@router.put("/pieces/{piece_id}/issue")
def place(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: PlaceForm) -> Piece:
    """Put an item into an issue, or take it out."""
    return place_piece(
        desk, actor, piece_id, form.issue_id, section=form.section, before=form.before
    )


@router.put("/issues/{issue_id}/order")
def order(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId, form: OrderForm) -> list[Piece]:
    """Put the items into another order."""
    return reorder(desk, actor, issue_id, form.piece_ids, known=form.known)


@router.get("/issues/{issue_id}/obstacles")
def obstacles(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> list[Obstacle]:
    """What keeps the issue from being closed."""
    actor.require("read_desk")
    return list(obstacles_of(desk, issue_id))


@router.get("/issues/{issue_id}/content")
def content(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> dict[str, Any]:
    """The issue as `issue.json`: as it would be printed, or as it was frozen."""
    found = get_desk_issue(desk, issue_id)
    actor.require("read_published" if found.state == "published" else "read_desk")
    rendered, _ = render(draft_issue(desk, issue_id), ("json",))
    return json.loads(rendered["json"])


@router.post("/issues/{issue_id}/close")
def close(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> DeskIssue:
    """Freeze it; 409 with every obstacle if it can't be."""
    return close_issue(desk, actor, issue_id)


@router.post("/issues/{issue_id}/reopen")
def reopen(desk: DeskOf, actor: TokenOrSession, issue_id: PieceId) -> DeskIssue:
    """Thaw it."""
    return reopen_issue(desk, actor, issue_id)


@router.post("/issues/{issue_id}/publish", status_code=202)
def publish(
    desk: DeskOf, actor: TokenOrSession, newsroom: NewsroomOf, issue_id: PieceId
) -> DeskIssue:
    """Ask for publication; `state` says when it is done."""
    asked = ask_to_publish(desk, actor, issue_id)
    newsroom.wake()
    return asked


@router.post("/issues/{issue_id}/pieces/{piece_id}/erratum")
def correct(
    desk: DeskOf, actor: TokenOrSession, issue_id: PieceId, piece_id: PieceId, form: CorrectForm
) -> DeskIssue:
    """Correct an item of a published issue."""
    return correct_issue(desk, actor, issue_id, piece_id, form.value(), form.note)
