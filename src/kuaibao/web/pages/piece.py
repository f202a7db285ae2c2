"""An item: original and text side by side, checks, comments, history, the steps of the workflow."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from kuaibao.bulletin.desk import (
    ERROR_CLASSES,
    SENTENCE_STATES,
    Actor,
    Desk,
    Piece,
    PieceText,
    Saved,
    add_comment,
    assign,
    diff_texts,
    draft_by_machine,
    endpoint_of,
    facts_of,
    get_piece,
    get_series,
    get_text,
    has_translator,
    known_pictures,
    list_comments,
    list_log,
    list_revisions,
    list_terms,
    machine_sentences,
    mend_text,
    move_piece,
    original_of,
    part_entry,
    people_by_id,
    possible_moves,
    require_known_way,
    resolve_comment,
    restore_text,
    review_text,
    save_text,
    sentence_states,
    set_sentence_state,
    signatures_of,
    similar_sentences,
    tellings_of_piece,
)
from kuaibao.bulletin.desk.workflow import MOVES
from kuaibao.errors import InputError
from kuaibao.files import hash_value
from kuaibao.web.access import CHECKED, ActorOf, DeskOf
from kuaibao.web.rendering import make_ui, of_one_state, render_page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/pieces/{piece_id}")
@of_one_state
def piece_page(request: Request, desk: DeskOf, actor: ActorOf, piece_id: int) -> Response:
    """The item's page."""
    return _page(request, desk, actor, get_piece(desk, actor, piece_id))


@router.post("/pieces/{piece_id}/text", dependencies=CHECKED)
async def write(request: Request, desk: DeskOf, actor: ActorOf, piece_id: int) -> Response:
    """Save a text; two people's changes are merged."""
    form = await request.form()
    text, base = _text_of(form), _number(form.get("base_revision"))
    saved = await run_in_threadpool(
        save_text, desk, actor, piece_id, text, base_revision=base,
        note=str(form.get("note", "")),
    )  # fmt: skip
    if saved.status == "conflict":
        return await run_in_threadpool(
            _page, request, desk, actor, saved.piece, saved=saved, mine=saved.proposal, status=409
        )
    return RedirectResponse(f"/pieces/{piece_id}?saved={saved.status}", 303)


@router.post("/pieces/{piece_id}/review", dependencies=CHECKED)
async def review(request: Request, desk: DeskOf, actor: ActorOf, piece_id: int) -> Response:
    """Check a text that is being typed; nothing is saved."""
    form = await request.form()
    text = _text_of(form)

    def checked() -> Response:
        piece = get_piece(desk, actor, piece_id)
        values = _review(desk, actor, piece, text)
        return render_page(request, "parts/review.html", piece=piece, text=text, **values)

    return await run_in_threadpool(checked)


@router.post("/pieces/{piece_id}/mend", dependencies=CHECKED)
def mend_typing(desk: DeskOf, actor: ActorOf, piece_id: int) -> Response:
    """Mend every slip of typing that needs no person."""
    mend_text(desk, actor, piece_id)
    return RedirectResponse(f"/pieces/{piece_id}?saved=saved", 303)


@router.post("/pieces/{piece_id}/move", dependencies=CHECKED)
def move(
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    move: Annotated[str, Form()],
    revision: Annotated[int | None, Form()] = None,
    is_translation: Annotated[bool, Form()] = False,
    note: Annotated[str, Form()] = "",
) -> Response:
    """Take a step of the workflow."""
    if move not in MOVES:
        raise InputError(f"unknown step {move!r}")
    move_piece(
        desk, actor, piece_id, move, revision=revision, is_translation=is_translation,
        note=note[:1000],
    )  # fmt: skip
    if note.strip():
        add_comment(desk, actor, piece_id, note)
    return RedirectResponse(f"/pieces/{piece_id}", 303)


@router.post("/pieces/{piece_id}/part", dependencies=CHECKED)
def part(
    desk: DeskOf, actor: ActorOf, piece_id: int, reference: Annotated[str, Form(max_length=64)]
) -> Response:
    """Take an entry out of the story; leads to the piece that it is now."""
    piece = part_entry(desk, actor, piece_id, reference)
    return RedirectResponse(f"/pieces/{piece.piece_id}", 303)


@router.post("/pieces/{piece_id}/assign", dependencies=CHECKED)
def assign_people(
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    compiler: Annotated[str, Form()] = "",
    proofreader: Annotated[str, Form()] = "",
    due: Annotated[str, Form()] = "",
) -> Response:
    """Say who does what until when."""
    assign(
        desk, actor, piece_id, compiler_id=_number(compiler) or None,
        proofreader_id=_number(proofreader) or None, due=due,
    )  # fmt: skip
    return RedirectResponse(f"/pieces/{piece_id}", 303)


@router.post("/pieces/{piece_id}/draft", dependencies=CHECKED)
def draft(
    desk: DeskOf, actor: ActorOf, piece_id: int, how: Annotated[str, Form()] = "extract"
) -> Response:
    """Let a machine draft; its text is marked until somebody signs."""
    made = draft_by_machine(desk, actor, piece_id, require_known_way(how))
    status = "drafted" if made.is_standing else "aside"
    return RedirectResponse(f"/pieces/{piece_id}?saved={status}", 303)


@router.post("/pieces/{piece_id}/sentence", dependencies=CHECKED)
def sentence(
    request: Request,
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    sentence: Annotated[str, Form()],
    state: Annotated[str, Form()],
) -> Response:
    """Say how far a sentence is."""
    set_sentence_state(desk, actor, piece_id, sentence, state)
    if request.headers.get("hx-request") == "true":
        piece = get_piece(desk, actor, piece_id)
        text = get_text(desk, actor, piece_id)
        values = _review(desk, actor, piece, text)
        return render_page(request, "parts/review.html", piece=piece, text=text, **values)
    return RedirectResponse(f"/pieces/{piece_id}", 303)


@router.get("/pieces/{piece_id}/memory")
def memory(request: Request, desk: DeskOf, actor: ActorOf, piece_id: int, n: int = 0) -> Response:
    """How sentences like the original's n-th were translated before."""
    piece = get_piece(desk, actor, piece_id)
    series = get_series(desk, piece.series_id)
    original = original_of(desk, series, piece)
    found = []
    if 0 <= n < len(original.sentences):
        found = similar_sentences(
            desk, actor, original.sentences[n].text, original.language, series.language
        )
    return render_page(request, "parts/memory.html", found=found)


@router.post("/pieces/{piece_id}/comments", dependencies=CHECKED)
def comment(
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    text: Annotated[str, Form()],
    error_class: Annotated[str, Form()] = "",
    quote: Annotated[str, Form()] = "",
) -> Response:
    """Say something about the item."""
    add_comment(desk, actor, piece_id, text, error_class=error_class, quote=quote)
    return RedirectResponse(f"/pieces/{piece_id}#comments", 303)


@router.post("/pieces/{piece_id}/comments/{comment_id}", dependencies=CHECKED)
def settle(
    desk: DeskOf,
    actor: ActorOf,
    piece_id: int,
    comment_id: int,
    is_resolved: Annotated[bool, Form()] = True,
) -> Response:
    """Settle a comment, or open it again."""
    resolve_comment(desk, actor, comment_id, is_resolved)
    return RedirectResponse(f"/pieces/{piece_id}#comments", 303)


@router.get("/pieces/{piece_id}/history")
@of_one_state
def history(request: Request, desk: DeskOf, actor: ActorOf, piece_id: int) -> Response:
    """Every text with what changed, who changed it, and every step."""
    piece = get_piece(desk, actor, piece_id)
    revisions = list_revisions(desk, actor, piece_id)
    by_number = {r.revision: r.text for r in revisions} | {0: PieceText()}
    rows = [(r, diff_texts(by_number[r.base_revision], r.text)) for r in revisions]
    return render_page(
        request, "history.html", piece=piece, rows=rows, people=people_by_id(desk),
        log=list_log(desk, actor, piece_id=piece_id), may_edit=_may_edit(desk, actor, piece),
        signatures=signatures_of(desk, actor, piece_id),
    )  # fmt: skip


@router.post("/pieces/{piece_id}/restore", dependencies=CHECKED)
def restore(
    desk: DeskOf, actor: ActorOf, piece_id: int, revision: Annotated[int, Form()]
) -> Response:
    """Make an earlier text stand again."""
    restore_text(desk, actor, piece_id, revision)
    return RedirectResponse(f"/pieces/{piece_id}?saved=restored", 303)


def _page(
    request: Request,
    desk: Desk,
    actor: Actor,
    piece: Piece,
    *,
    saved: Saved | None = None,
    mine: PieceText | None = None,
    status: int = 200,
) -> Response:
    ui = make_ui(request)
    text = get_text(desk, actor, piece.piece_id)
    series = get_series(desk, piece.series_id)
    facts = facts_of(desk, piece)
    people = people_by_id(desk)
    template = series.template(piece.section)
    shown = mine or text
    return render_page(
        request, "piece.html", status=status, ui=ui, piece=piece, text=text, shown=shown,
        series=series, people=people, facts=facts, moves=possible_moves(facts, actor),
        may_edit=_may_edit(desk, actor, piece), saved=saved,
        said=request.query_params.get("saved", ""), fields=_fields(shown, template),
        comments=list_comments(desk, actor, piece.piece_id), error_classes=ERROR_CLASSES,
        signatures=[s for s in signatures_of(desk, actor, piece.piece_id) if not s.is_void],
        has_endpoint=endpoint_of(desk) is not None,
        has_translator=has_translator(desk), today=desk.today,
        wants_pictures=desk.pictures is not None, pictures=known_pictures(desk, actor, piece),
        tellings=tellings_of_piece(desk, actor, piece.piece_id),
        **_review(desk, actor, piece, text),
    )  # fmt: skip


def _review(desk: Desk, actor: Actor, piece: Piece, text: PieceText) -> dict[str, Any]:
    series = get_series(desk, piece.series_id)
    original = original_of(desk, series, piece)
    terms = list_terms(desk, actor, source=original.language, target=series.language)
    checked = review_text(
        text, original, language=series.language, terms=terms,
        machine_sentences=machine_sentences(desk, piece.piece_id),
    )  # fmt: skip
    states = sentence_states(desk, actor, piece.piece_id)
    return {
        "review": checked,
        "original": original,
        "states": [states.get(hash_value(s.text), "draft") for s in checked.sentences],
        "used": {e.sentence for s in checked.sentences for e in s.evidence},
        "sentence_states": SENTENCE_STATES,
        "piece_language": series.language,
    }


def _may_edit(desk: Desk, actor: Actor, piece: Piece) -> bool:
    open_states = ("picked", "assigned", "compiled", "proofread", "ready")
    return piece.state in open_states and actor.may("edit_text")


def _fields(text: PieceText, template: tuple[str, ...]) -> list[tuple[str, str]]:
    """The template's labelled parts, and those that a text has besides."""
    own = dict(text.fields)
    names = dict.fromkeys([*template, *own])
    return [(name, own.get(name, "")) for name in names]


def _text_of(form: Any) -> PieceText:
    names = [str(n) for n in form.getlist("field_name")][:40]
    texts = [str(t) for t in form.getlist("field_text")][:40]
    return PieceText(
        title=str(form.get("title", "")),
        body=str(form.get("body", "")),
        fields=tuple(zip(names, texts, strict=False)),
    )


def _number(value: Any) -> int:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
