"""Issues: the list, the board, preview, closing, publishing, errata."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from kuaibao.bulletin.desk import (
    PieceText,
    ask_to_publish,
    close_issue,
    correct_issue,
    draft_issue,
    get_desk_issue,
    get_piece,
    get_series,
    get_text,
    issue_pieces,
    list_issues,
    list_log,
    list_pieces,
    look_of,
    make_issue,
    obstacles_of,
    people_by_id,
    place_piece,
    reopen_issue,
    reorder,
    set_issue,
)
from kuaibao.bulletin.model import SECTION_KINDS
from kuaibao.bulletin.publishing import render
from kuaibao.errors import InputError
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf
from kuaibao.web.rendering import make_ui, of_one_state, render_page
from kuaibao.web.security import PUBLISHED_POLICY

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
MAX_ORDER = 1000


@router.get("/issues")
@of_one_state
def issues_page(request: Request, desk: DeskOf, actor: ActorOf) -> Response:
    """Every issue of the series."""
    actor.require("read_desk")
    ui = make_ui(request)
    if ui.current is None:
        return render_page(request, "empty.html", ui=ui, key="inbox.no_series")
    issues = list_issues(desk, series_id=ui.current.series_id)
    return render_page(request, "issues.html", ui=ui, issues=issues)


@router.post("/issues", dependencies=CHECKED)
def new_issue(
    desk: DeskOf,
    actor: ActorOf,
    series_id: Annotated[int, Form()],
    day: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
) -> Response:
    """Open the next issue."""
    issue = make_issue(desk, actor, series_id, day=day, title=title)
    return RedirectResponse(f"/issues/{issue.issue_id}", 303)


@router.get("/issues/{issue_id}")
@of_one_state
def board(request: Request, desk: DeskOf, actor: ActorOf, issue_id: int) -> Response:
    """The issue in print order, what stands in its way, and what could still go in."""
    actor.require("read_desk")
    issue = get_desk_issue(desk, issue_id)
    series = get_series(desk, issue.series_id)
    pieces = issue_pieces(desk, issue_id)
    waiting = list_pieces(
        desk, actor, series_id=issue.series_id,
        states=("picked", "assigned", "compiled", "proofread", "ready"), limit=200,
    )  # fmt: skip
    obstacles = obstacles_of(desk, issue_id) if issue.state == "open" else ()
    by_piece: dict[int, list[str]] = {}
    for one in obstacles:
        by_piece.setdefault(one.piece_id or 0, []).append(one.reason)
    return render_page(
        request, "board.html", issue=issue, series=series, pieces=pieces,
        waiting=[p for p in waiting if p.issue_id is None], obstacles=by_piece,
        people=people_by_id(desk), log=list_log(desk, actor, issue_id=issue_id, limit=30),
        today=desk.today, wants_cover=desk.pictures is not None,
        cover=desk.pictures.cover(series.name, issue.running_number) if desk.pictures else None,
    )  # fmt: skip


@router.post("/issues/{issue_id}", dependencies=CHECKED)
def change_issue(
    desk: DeskOf,
    actor: ActorOf,
    issue_id: int,
    day: Annotated[str, Form()],
    title: Annotated[str, Form()] = "",
    highlights: Annotated[str, Form()] = "",
) -> Response:
    """Title, day, highlights."""
    set_issue(desk, actor, issue_id, title=title, day=day, highlights=highlights.splitlines())
    return RedirectResponse(f"/issues/{issue_id}", 303)


@router.post("/issues/{issue_id}/order", dependencies=CHECKED)
def order(
    desk: DeskOf,
    actor: ActorOf,
    issue_id: int,
    order: Annotated[str, Form()],
    known: Annotated[str, Form()] = "",
) -> Response:
    """Put the items into another order."""
    reorder(desk, actor, issue_id, _numbers(order), known=_numbers(known) if known else None)
    return Response(status_code=204)


@router.post("/issues/{issue_id}/place", dependencies=CHECKED)
def place(
    desk: DeskOf,
    actor: ActorOf,
    issue_id: int,
    piece_id: Annotated[int, Form()],
    out: Annotated[bool, Form()] = False,
    section: Annotated[str, Form()] = "",
) -> Response:
    """Put an item in, take it out, or give it another section."""
    place_piece(
        desk, actor, piece_id, None if out else issue_id,
        section=section if section in SECTION_KINDS else None,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    return RedirectResponse(f"/issues/{issue_id}", 303)


@router.post("/issues/{issue_id}/close", dependencies=CHECKED)
def close(desk: DeskOf, actor: ActorOf, issue_id: int) -> Response:
    """Freeze the issue."""
    close_issue(desk, actor, issue_id)
    return RedirectResponse(f"/issues/{issue_id}", 303)


@router.post("/issues/{issue_id}/reopen", dependencies=CHECKED)
def reopen(desk: DeskOf, actor: ActorOf, issue_id: int) -> Response:
    """Thaw it."""
    reopen_issue(desk, actor, issue_id)
    return RedirectResponse(f"/issues/{issue_id}", 303)


@router.post("/issues/{issue_id}/publish", dependencies=CHECKED)
def publish(desk: DeskOf, actor: ActorOf, newsroom: NewsroomOf, issue_id: int) -> Response:
    """Ask for publication; the background does it, also after a restart."""
    ask_to_publish(desk, actor, issue_id)
    newsroom.wake()
    return RedirectResponse(f"/issues/{issue_id}", 303)


@router.get("/issues/{issue_id}/preview")
def preview(desk: DeskOf, actor: ActorOf, issue_id: int) -> Response:
    """The issue as its readers will see it."""
    actor.require("read_desk")
    look = look_of(desk, get_desk_issue(desk, issue_id).series_id)
    rendered, _ = render(draft_issue(desk, issue_id), ("html",), look=look)
    return HTMLResponse(rendered["html"], headers={"content-security-policy": PUBLISHED_POLICY})


@router.get("/issues/{issue_id}/correct/{piece_id}")
def correct_page(
    request: Request, desk: DeskOf, actor: ActorOf, issue_id: int, piece_id: int
) -> Response:
    """The form of an erratum."""
    actor.require("correct")
    piece = get_piece(desk, actor, piece_id)
    return render_page(
        request, "correct.html", issue=get_desk_issue(desk, issue_id), piece=piece,
        text=get_text(desk, actor, piece_id),
    )  # fmt: skip


@router.post("/issues/{issue_id}/correct/{piece_id}", dependencies=CHECKED)
async def correct(
    request: Request, desk: DeskOf, actor: ActorOf, issue_id: int, piece_id: int
) -> Response:
    """Publish a correction."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    text = PieceText(
        title=str(form.get("title", "")),
        body=str(form.get("body", "")),
        fields=tuple(
            zip(
                map(str, form.getlist("field_name")), map(str, form.getlist("field_text")),
                strict=False,
            )
        ),
    )  # fmt: skip
    await run_in_threadpool(
        correct_issue, desk, actor, issue_id, piece_id, text, str(form.get("note", ""))
    )
    return RedirectResponse(f"/issues/{issue_id}", 303)


def _numbers(text: str) -> list[int]:
    parts = [part for part in text.split(",") if part][:MAX_ORDER]
    if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        raise InputError("an order is a list of numbers")
    return [int(part) for part in parts]
