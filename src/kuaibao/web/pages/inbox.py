"""The inbox of what was found, and the work that people have in hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kuaibao.bulletin.desk import (
    count_states,
    get_piece,
    list_pieces,
    move_piece,
    people_by_id,
    place_piece,
    set_section,
    undo_move,
)
from kuaibao.bulletin.desk.issues import list_issues
from kuaibao.bulletin.model import SECTION_KINDS
from kuaibao.errors import InputError
from kuaibao.web.access import CHECKED, ActorOf, DeskOf, NewsroomOf
from kuaibao.web.rendering import make_ui, of_one_state, render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

PAGE = 40
_SHOWN = {"found": ("found",), "picked": ("picked",), "dropped": ("dropped",)}


@router.get("/inbox")
@of_one_state
def inbox(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    newsroom: NewsroomOf,
    state: str = "found",
    section: str = "",
    q: str = "",
    page: int = 1,
) -> Response:
    """What was found, the best first."""
    actor.require("read_desk")
    ui = make_ui(request)
    if ui.current is None:
        return render_page(request, "empty.html", ui=ui, key="inbox.no_series")
    state = state if state in _SHOWN else "found"
    page = max(1, min(page, 10_000))
    pieces = list_pieces(
        desk, actor, series_id=ui.current.series_id, states=_SHOWN[state],
        section=section if section in SECTION_KINDS else "", words=q[:200],
        limit=PAGE + 1, offset=(page - 1) * PAGE,
    )  # fmt: skip
    counts = count_states(desk, actor, ui.current.series_id)
    return render_page(
        request, "inbox.html", ui=ui, pieces=pieces[:PAGE], counts=counts, state=state,
        section=section, q=q, page=page, has_more=len(pieces) > PAGE, sections=SECTION_KINDS,
        is_collecting=newsroom.is_collecting,
    )  # fmt: skip


@router.post("/pieces/{piece_id}/quick", dependencies=CHECKED)
def quick(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    move: Annotated[str, Form()],
    section: Annotated[str, Form()] = "",
) -> Response:
    """One key in the inbox: pick, drop, restore, undo, move to another section."""
    if move == "undo":
        piece = undo_move(desk, actor, piece_id)
    elif move == "section" and section in SECTION_KINDS:
        piece = set_section(desk, actor, piece_id, section)  # pyright: ignore[reportArgumentType]
    elif move in ("pick", "drop", "restore"):
        piece = move_piece(desk, actor, piece_id, move)
        if move == "pick" and actor.may("edit_issue"):
            _into_open_issue(desk, actor, piece_id)
            piece = get_piece(desk, actor, piece_id)
    else:
        raise InputError(f"unknown step {move!r}")
    if request.headers.get("hx-request") == "true":
        return render_page(request, "parts/row.html", piece=piece, sections=SECTION_KINDS)
    return RedirectResponse("/inbox", 303)


@router.get("/work")
@of_one_state
def work(request: Request, desk: DeskOf, actor: ActorOf, who: str = "me") -> Response:
    """What is in hand, by state: mine, or everybody's."""
    actor.require("read_desk")
    ui = make_ui(request)
    states = ("picked", "assigned", "compiled", "proofread", "ready")
    person_id = actor.person_id if who != "all" else None
    pieces = list_pieces(desk, actor, states=states, person_id=person_id, limit=300)
    free = [] if who == "all" else _free(desk, actor)
    columns = {state: [p for p in pieces if p.state == state] for state in states}
    return render_page(
        request, "work.html", ui=ui, columns=columns, free=free, who=who,
        people=people_by_id(desk), today=desk.today,
    )  # fmt: skip


def _free(desk: DeskOf, actor: ActorOf) -> list[object]:
    """What this person could take: picked items without a compiler, texts to be proofread."""
    found: list[object] = []
    if actor.may("compile"):
        picked = list_pieces(desk, actor, states=("picked",), limit=100)
        found += [p for p in picked if p.compiler_id is None]
    if actor.may("proofread"):
        compiled = list_pieces(desk, actor, states=("compiled",), limit=100)
        found += [
            p for p in compiled if p.proofreader_id is None and p.compiler_id != actor.person_id
        ]
    return found


def _into_open_issue(desk: DeskOf, actor: ActorOf, piece_id: int) -> None:
    """What an editor picks goes into the open issue, if there is exactly one."""
    piece = get_piece(desk, actor, piece_id)
    issues = list_issues(desk, series_id=piece.series_id, state="open")
    if len(issues) == 1:
        place_piece(desk, actor, piece_id, issues[0].issue_id)
