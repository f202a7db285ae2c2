"""Saving texts: nothing that somebody typed is ever lost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import insert, select, update

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Change, Desk
from kuaibao.bulletin.desk.lint import mend
from kuaibao.bulletin.desk.merging import Conflict, merge_texts
from kuaibao.bulletin.desk.pieces import Piece, load_facts, load_piece, load_text
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import get_series
from kuaibao.bulletin.desk.steps import apply_decision
from kuaibao.bulletin.desk.teaching import teach
from kuaibao.bulletin.desk.text import MAX_TEXT, PieceText
from kuaibao.bulletin.desk.workflow import decide_edit
from kuaibao.errors import InputError

__all__ = [
    "Revision",
    "Saved",
    "get_text",
    "list_revisions",
    "mend_text",
    "restore_text",
    "save_text",
]

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A text that once was, who wrote it, and on what."""

    revision: int
    base_revision: int
    kind: str
    person_id: int
    at: float
    note: str
    text: PieceText
    text_hash: str


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What came of saving."""

    status: Literal["saved", "unchanged", "merged", "conflict"]
    piece: Piece
    text: PieceText
    """What stands now."""
    conflicts: tuple[Conflict, ...] = ()
    proposal: PieceText | None = None
    """Of a conflict: both people's other changes, and one's own reading of the sentences."""
    aside: int | None = None
    """The revision under which the whole text was kept when it could not be merged."""


def get_text(desk: Desk, actor: Actor, piece_id: int, revision: int | None = None) -> PieceText:
    """A piece's text: the standing one, or that of a revision.

    Raises:
        NotFoundError: There is no such piece or revision.
    """
    actor.require("read_desk")
    with desk.store.database.read() as connection:
        number = load_piece(connection, piece_id).revision if revision is None else revision
        return load_text(connection, piece_id, number)


def save_text(
    desk: Desk,
    actor: Actor,
    piece_id: int,
    text: PieceText,
    *,
    base_revision: int,
    note: str = "",
) -> Saved:
    """Save what somebody wrote on top of `base_revision`.

    If another text was saved since, both are merged; where that is not possible the new text is
    kept aside whole and the conflicts are handed back.

    Raises:
        InputError: The text is too long, or there is no such base.
        WorkflowError: The piece is not open for writing.
    """
    text = checked(text)
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        decision = decide_edit(load_facts(change.connection, piece), actor)
        standing = load_text(change.connection, piece_id, piece.revision)
        if text == standing:
            return Saved(status="unchanged", piece=piece, text=standing)
        status: Literal["saved", "merged"] = "saved"
        kind = "written"
        if base_revision != piece.revision:
            base = load_text(change.connection, piece_id, base_revision)
            merge = merge_texts(base, text, standing)
            if merge.conflicts:
                number = add_revision(
                    change, piece, text, actor.person_id, "aside", base=base_revision, note=note
                )
                change.log(
                    actor, "keep_aside", piece_id=piece_id, from_state=piece.state,
                    to_state=piece.state, revision=number,
                )  # fmt: skip
                return Saved(
                    status="conflict", piece=piece, text=standing, conflicts=merge.conflicts,
                    proposal=merge_texts(base, standing, text).text,
                    aside=number,
                )  # fmt: skip
            # What was typed is kept as it was typed, then what came of merging it.
            add_revision(
                change, piece, text, actor.person_id, "aside", base=base_revision, note=note
            )
            if merge.text == standing:
                return Saved(status="merged", piece=piece, text=standing)
            text, status, kind = merge.text, "merged", "merged"
        number = add_revision(
            change, piece, text, actor.person_id, kind, base=piece.revision, note=note
        )
        stand(change, actor, piece, text, number, decision, "write")
        if piece.is_machine or piece.revision == 0:  # the first hand laid on it, not each autosave
            teach(change, actor, piece, "edited")
        return Saved(status=status, piece=load_piece(change.connection, piece_id), text=text)


def restore_text(desk: Desk, actor: Actor, piece_id: int, revision: int) -> Saved:
    """Make an earlier text stand again: a new revision, so that undoing can be undone."""
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        decision = decide_edit(load_facts(change.connection, piece), actor)
        text = load_text(change.connection, piece_id, revision)
        number = add_revision(
            change, piece, text, actor.person_id, "restored", base=revision,
            note=f"as in revision {revision}",
        )  # fmt: skip
        stand(change, actor, piece, text, number, decision, "restore_text")
        return Saved(status="saved", piece=load_piece(change.connection, piece_id), text=text)


def list_revisions(desk: Desk, actor: Actor, piece_id: int) -> list[Revision]:
    """Every text there ever was, newest first."""
    actor.require("read_desk")
    query = (
        select(tables.revision)
        .where(tables.revision.c.piece_id == piece_id)
        .order_by(tables.revision.c.revision.desc())
    )
    with desk.store.database.read() as connection:
        return [_revision(row) for row in connection.execute(query)]


# -- within a transaction ------------------------------------------------------------------


def add_revision(
    change: Change,
    piece: Piece,
    text: PieceText,
    person_id: int,
    kind: str,
    *,
    base: int,
    note: str = "",
) -> int:
    """Keep a text; gives its number. Whether it stands is another matter."""
    columns = tables.piece.c
    number = (
        1
        + change.connection.execute(
            select(columns.n_revision).where(columns.piece_id == piece.piece_id)
        ).scalar_one()
    )
    change.connection.execute(
        insert(tables.revision).values(
            piece_id=piece.piece_id, revision=number, base_revision=base, kind=kind,
            person_id=person_id, at=change.desk.now, note=note[:500], payload=text.to_json(),
            text_hash=text.hash,
        )
    )  # fmt: skip
    change.connection.execute(
        update(tables.piece).where(columns.piece_id == piece.piece_id).values(n_revision=number)
    )
    return number


def stand(
    change: Change,
    actor: Actor,
    piece: Piece,
    text: PieceText,
    number: int,
    decision: Any,
    action: str,
    *,
    is_machine: bool = False,
) -> None:
    """Make a revision the text that stands."""
    values = {
        "revision": number, "title": text.title[:1000], "has_text": not text.is_empty,
        "text_hash": text.hash, "is_machine": is_machine,
    }  # fmt: skip
    apply_decision(
        change, actor, piece, decision, action, values=values, text_hash=text.hash, revision=number
    )


def checked(text: PieceText) -> PieceText:
    """The text without characters that no page or file can hold.

    Raises:
        InputError: It is too long.
    """
    size = len(text.title) + len(text.body) + sum(len(n) + len(t) for n, t in text.fields)
    if size > MAX_TEXT:
        raise InputError(f"the text has {size:,} characters; {MAX_TEXT:,} are allowed")
    return PieceText(
        title=" ".join(_clean(text.title).split()),
        body=_clean(text.body).strip("\n"),
        fields=tuple((_clean(n).strip(), _clean(t).strip()) for n, t in text.fields if n.strip()),
    )


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _revision(row: Any) -> Revision:
    return Revision(
        revision=row.revision, base_revision=row.base_revision, kind=row.kind,
        person_id=row.person_id, at=row.at, note=row.note, text_hash=row.text_hash,
        text=PieceText.from_json(json.dumps(json.loads(row.payload))),
    )  # fmt: skip


def mend_text(desk: Desk, actor: Actor, piece_id: int) -> Saved:
    """Mend every slip of typing (spaces, punctuation) that needs no person, as a new revision."""
    with desk.store.database.read() as connection:
        piece = load_piece(connection, piece_id)
    language = get_series(desk, piece.series_id).language
    text = get_text(desk, actor, piece_id)
    mended = PieceText(
        title=mend(text.title, language),
        body=mend(text.body, language),
        fields=tuple((name, mend(part, language)) for name, part in text.fields),
    )
    return save_text(desk, actor, piece_id, mended, base_revision=piece.revision, note="typing")
