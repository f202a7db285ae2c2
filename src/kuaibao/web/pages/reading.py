"""For readers: published issues, the archive with its search, the calendar."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from kuaibao.bulletin.desk import (
    Desk,
    get_desk_issue,
    get_series,
    issue_folder,
    list_issues,
    list_pieces,
)
from kuaibao.bulletin.store import get_items, search_archive
from kuaibao.database.errors import SearchSyntaxError
from kuaibao.web.access import ActorOf, DeskOf, NeedsSignInError, Visitor, VisitorOf
from kuaibao.web.rendering import make_ui, of_one_state, render_page
from kuaibao.web.security import PUBLISHED_POLICY

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

MAX_FOUND = 40
_TYPES = {
    ".epub": "application/epub+zip", ".ics": "text/calendar; charset=utf-8",
    ".bib": "text/plain; charset=utf-8", ".ris": "application/x-research-info-systems",
    ".eml": "message/rfc822", ".rss": "application/rss+xml",
}  # fmt: skip


@router.get("/read")
@of_one_state
def library(request: Request, desk: DeskOf, visitor: VisitorOf) -> Response:
    """Every published issue."""
    let_in(desk, visitor)
    ui = make_ui(request)
    return render_page(
        request, "library.html", ui=ui, issues=list_issues(desk, state="published"),
        names={s.series_id: s for s in ui.series},
    )  # fmt: skip


@router.get("/read/{issue_id}/{name}")
def read(desk: DeskOf, visitor: VisitorOf, issue_id: int, name: str) -> Response:
    """A file of a published issue: only those that publishing wrote."""
    let_in(desk, visitor)
    issue = get_desk_issue(desk, issue_id)
    if issue.state != "published" or name not in issue.files.values() or name == "mail.eml":
        raise HTTPException(404)
    path = issue_folder(desk, issue) / name
    if not path.is_file():
        raise HTTPException(404)
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"content-security-policy": PUBLISHED_POLICY, "cache-control": "no-cache"}
    return FileResponse(path, media_type=kind, headers=headers)


@router.get("/archive")
@of_one_state
def archive(request: Request, desk: DeskOf, actor: ActorOf, q: str = "") -> Response:
    """Search of everything that ever came."""
    actor.require("read_desk")
    found, problem = [], ""
    if q.strip():
        try:
            found = search_archive(desk.store, q, limit=MAX_FOUND)
        except SearchSyntaxError as error:
            problem = error.message
    ids = {f.item_id for f in found}
    pieces = _pieces_of(desk, actor, ids)
    return render_page(
        request, "archive.html", q=q, found=found, problem=problem, pieces=pieces,
        parts=[_marked(f.snippet) for f in found],
        issues=list_issues(desk, state="published", limit=50), counts=desk.store.counts(),
    )  # fmt: skip


@dataclass(frozen=True)
class Date:
    """A row of the calendar."""

    day: date
    kind: str
    title: str
    url: str
    more: str = ""


@router.get("/calendar")
@of_one_state
def calendar(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """What is due, issues, conferences and their deadlines."""
    actor.require("read_desk")
    rows = sorted(_dates(desk, actor), key=lambda d: (d.day, d.kind, d.title))
    months: dict[tuple[int, int], list[Date]] = {}
    for row in rows:
        months.setdefault((row.day.year, row.day.month), []).append(row)
    return render_page(request, "calendar.html", months=months, today=desk.today)


def let_in(desk: Desk, visitor: Visitor) -> None:
    """Readers, and everybody if the setting says so.

    Raises:
        NeedsSignInError: Neither.
    """
    if visitor.actor is not None:
        visitor.actor.require("read_published")
    elif desk.setting("anonymous_reading") != "yes":
        raise NeedsSignInError


def _pieces_of(desk: Desk, actor: ActorOf, ids: set[str]) -> dict[str, int]:
    from sqlalchemy import select

    from kuaibao.bulletin.desk.tables import piece

    with desk.store.database.read() as connection:
        rows = connection.execute(
            select(piece.c.item_id, piece.c.piece_id).where(piece.c.item_id.in_(sorted(ids)))
        )
        return {row.item_id: row.piece_id for row in rows}


def _dates(desk: Desk, actor: ActorOf) -> list[Date]:
    since = desk.today - timedelta(days=60)
    rows: list[Date] = []
    open_states = ("picked", "assigned", "compiled", "proofread")
    for piece in list_pieces(desk, actor, states=open_states, limit=500):
        if piece.due:
            day = date.fromisoformat(piece.due)
            rows.append(Date(day, "due", piece.shown_title, f"/pieces/{piece.piece_id}"))
    for issue in list_issues(desk, limit=100):
        name = get_series(desk, issue.series_id).name
        title = f"{name} {issue.year}-{issue.number:02d}"
        rows.append(
            Date(date.fromisoformat(issue.day), "issue", title, f"/issues/{issue.issue_id}")
        )
    meetings = list_pieces(desk, actor, section="conferences", limit=500)
    first = {p.item_id: p for p in reversed(meetings)}
    for item in get_items(desk.store, list(first)):
        meeting = item.lead.conference
        if meeting is None:
            continue
        url = f"/pieces/{first[item.item_id].piece_id}"
        name = meeting.name or item.lead.title
        if meeting.start:
            rows.append(Date(meeting.start, "conference", name, url, meeting.place))
        if meeting.deadline:
            zone = meeting.deadline.zone if meeting.deadline.precision in ("second", "minute") \
                else ""  # fmt: skip
            rows.append(Date(meeting.deadline.day, "deadline", name, url, zone))
    return [row for row in rows if row.day >= since or row.kind in ("due",)]


def _marked(snippet: str) -> list[tuple[bool, str]]:
    """Runs of a snippet, and whether each is a match."""
    runs: list[tuple[bool, str]] = []
    for n, part in enumerate(snippet.replace("»", "«").split("«")):
        if part:
            runs.append((n % 2 == 1, part))
    return runs
