"""Pieces: list, read, write, sign, comment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from kuaibao.bulletin.desk import (
    MAX_NUMBER,
    CheckedSentence,
    Comment,
    Conflict,
    Finding,
    LogEntry,
    MachineDraft,
    PartDiff,
    Piece,
    PieceSignature,
    PieceText,
    Review,
    Revision,
    Saved,
    State,
    add_comment,
    assign,
    diff_texts,
    draft_by_machine,
    facts_of,
    get_piece,
    get_series,
    get_text,
    list_comments,
    list_log,
    list_pieces,
    list_revisions,
    list_terms,
    machine_sentences,
    mend_text,
    move_piece,
    original_of,
    part_entry,
    possible_moves,
    resolve_comment,
    restore_text,
    review_text,
    save_text,
    set_section,
    set_sentence_state,
    signatures_of,
    tellings_of_piece,
    undo_move,
)
from kuaibao.bulletin.model import SectionKind
from kuaibao.bulletin.store import Telling
from kuaibao.web.access import DeskOf, TokenOrSession
from kuaibao.web.api.forms import (
    AssignForm,
    CommentForm,
    DraftForm,
    MoveForm,
    PartForm,
    SaveForm,
    SentenceForm,
    TextForm,
)

__all__ = ["PieceId", "router"]

router = APIRouter(prefix="/api/v1", tags=["pieces"])

PieceId = Annotated[int, Path(ge=0, le=MAX_NUMBER)]
_TYPES = (CheckedSentence, Conflict, Finding)  # what Review and Saved are made of


@router.get("/pieces")
def pieces(
    desk: DeskOf,
    actor: TokenOrSession,
    series_id: Annotated[int | None, Query(ge=0, le=MAX_NUMBER)] = None,
    state: Annotated[list[State] | None, Query()] = None,
    issue_id: Annotated[int | None, Query(ge=0, le=MAX_NUMBER)] = None,
    section: SectionKind | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> list[Piece]:
    """Pieces that fit, the best first; those of an issue in print order."""
    return list_pieces(
        desk, actor, series_id=series_id, states=state or (), issue_id=issue_id,
        section=section or "", words=q, limit=limit, offset=offset,
    )  # fmt: skip


@router.get("/pieces/{piece_id}")
def piece(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> Piece:
    """One piece."""
    return get_piece(desk, actor, piece_id)


@router.get("/pieces/{piece_id}/moves")
def moves(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[str]:
    """The steps that the caller can take now."""
    return list(possible_moves(facts_of(desk, get_piece(desk, actor, piece_id)), actor))


@router.post("/pieces/{piece_id}/moves")
def move(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: MoveForm) -> Piece:
    """Take a step."""
    if form.move == "undo":
        return undo_move(desk, actor, piece_id)
    return move_piece(
        desk, actor, piece_id, form.move, revision=form.revision,
        is_translation=form.is_translation, note=form.note,
    )  # fmt: skip


@router.put("/pieces/{piece_id}/section")
def section(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, section: SectionKind) -> Piece:
    """Give a piece another section."""
    return set_section(desk, actor, piece_id, section)


@router.get("/pieces/{piece_id}/entries")
def entries(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[Telling]:
    """The entries that tell the piece's story, each with the reason for which it was joined."""
    return tellings_of_piece(desk, actor, piece_id)


@router.post("/pieces/{piece_id}/part")
def part(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: PartForm) -> Piece:
    """Take an entry out of the story; gives the piece that it is now."""
    return part_entry(desk, actor, piece_id, form.reference)


@router.put("/pieces/{piece_id}/people")
def people(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: AssignForm) -> Piece:
    """Say who compiles, who proofreads, until when."""
    return assign(
        desk, actor, piece_id, compiler_id=form.compiler_id, proofreader_id=form.proofreader_id,
        due=form.due,
    )  # fmt: skip


@router.get("/pieces/{piece_id}/text")
def text(
    desk: DeskOf,
    actor: TokenOrSession,
    piece_id: PieceId,
    revision: Annotated[int | None, Query(ge=0, le=MAX_NUMBER)] = None,
) -> PieceText:
    """The text that stands, or that of a revision."""
    return get_text(desk, actor, piece_id, revision)


@router.put("/pieces/{piece_id}/text")
def write(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: SaveForm) -> Saved:
    """Save a text; `status` tells whether it was merged, or kept aside for its conflicts."""
    return save_text(
        desk, actor, piece_id, form.value(), base_revision=form.base_revision, note=form.note
    )


@router.post("/pieces/{piece_id}/review")
def review(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: TextForm) -> Review:
    """Check a text against the original; nothing is saved."""
    piece = get_piece(desk, actor, piece_id)
    series = get_series(desk, piece.series_id)
    original = original_of(desk, series, piece)
    terms = list_terms(desk, actor, source=original.language, target=series.language)
    return review_text(
        form.value(), original, language=series.language, terms=terms,
        machine_sentences=machine_sentences(desk, piece_id),
    )  # fmt: skip


@router.post("/pieces/{piece_id}/mend")
def mend(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> Saved:
    """Mend every slip of typing that needs no person."""
    return mend_text(desk, actor, piece_id)


@router.get("/pieces/{piece_id}/revisions")
def revisions(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[Revision]:
    """Every text there ever was, newest first."""
    return list_revisions(desk, actor, piece_id)


@router.get("/pieces/{piece_id}/diff")
def diff(
    desk: DeskOf,
    actor: TokenOrSession,
    piece_id: PieceId,
    old: Annotated[int, Query(ge=0, le=MAX_NUMBER)],
    new: Annotated[int, Query(ge=0, le=MAX_NUMBER)],
) -> list[PartDiff]:
    """What changed between two revisions."""
    before = get_text(desk, actor, piece_id, old)
    return list(diff_texts(before, get_text(desk, actor, piece_id, new)))


@router.post("/pieces/{piece_id}/revisions/{revision}/restore")
def restore(
    desk: DeskOf,
    actor: TokenOrSession,
    piece_id: PieceId,
    revision: Annotated[int, Path(ge=0, le=MAX_NUMBER)],
) -> Saved:
    """Make an earlier text stand again."""
    return restore_text(desk, actor, piece_id, revision)


@router.post("/pieces/{piece_id}/draft")
def draft(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: DraftForm) -> MachineDraft:
    """Let a machine draft."""
    return draft_by_machine(desk, actor, piece_id, form.how, translator=form.translator)


@router.put("/pieces/{piece_id}/sentences")
def sentence(
    desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: SentenceForm
) -> dict[str, str]:
    """Say how far a sentence is."""
    set_sentence_state(desk, actor, piece_id, form.sentence, form.state)
    return {"state": form.state}


@router.get("/pieces/{piece_id}/signatures")
def signatures(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[PieceSignature]:
    """Every signature there ever was, oldest first."""
    return signatures_of(desk, actor, piece_id)


@router.get("/pieces/{piece_id}/comments")
def comments(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[Comment]:
    """The comments, oldest first."""
    return list_comments(desk, actor, piece_id)


@router.post("/pieces/{piece_id}/comments", status_code=201)
def comment(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId, form: CommentForm) -> Comment:
    """Say something."""
    return add_comment(
        desk, actor, piece_id, form.text, error_class=form.error_class, quote=form.quote
    )


@router.put("/comments/{comment_id}")
def settle(
    desk: DeskOf, actor: TokenOrSession, comment_id: PieceId, is_resolved: bool = True
) -> dict[str, bool]:
    """Settle a comment, or open it again."""
    resolve_comment(desk, actor, comment_id, is_resolved)
    return {"is_resolved": is_resolved}


@router.get("/pieces/{piece_id}/log")
def log(desk: DeskOf, actor: TokenOrSession, piece_id: PieceId) -> list[LogEntry]:
    """What was done, newest first."""
    return list_log(desk, actor, piece_id=piece_id)
